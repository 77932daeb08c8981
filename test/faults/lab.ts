/**
 * Where faults are made: a ZooKeeper ensemble and a number of hosts for nodes, with ways to cut what is between them.
 * Two kinds: network namespaces (Linux, root) and, for everybody else, freezing proxies, which can do less.
 */
import type { Readable, Writable } from 'node:stream';
import type { ServerProcess } from '../support/zookeeper-process.ts';

export type Place =
  | { readonly kind: 'node'; readonly index: number }
  | { readonly kind: 'server'; readonly index: number };

/** One way: what `from` sends to `to`. */
export interface Link {
  readonly from: Place;
  readonly to: Place;
}

export interface LabOptions {
  /** Hosts for nodes. */
  readonly hosts: number;
  readonly tickTimeMs: number;
  /** Ticks after which a server and its leader give each other up. */
  readonly syncLimit: number;
  /** Where logs go. */
  readonly folder: string;
  /** The bundled worker (worker.ts). */
  readonly worker: string;
  /** Gives up what is being set up. */
  readonly signal?: AbortSignal;
}

/** What a fault needs of its lab. */
export type Ability = 'oneWay' | 'betweenNodes' | 'skew' | 'fronts';

export interface Where {
  readonly host: string;
  readonly port: number;
}

/** A worker process on one of the lab's hosts. */
export interface LabNode {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** How it ended: an exit code or the name of a signal. */
  readonly ended: Promise<string>;
  /** Its standard error. */
  readonly logFile: string;
  readonly connectString: string;
  readonly listen: Where;
  readonly advertise: Where;
  readonly skewed: boolean;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL; resolves when it has ended. Idempotent. */
  kill(): Promise<void>;
}

export interface SpawnOptions {
  /** How fast its clocks run. Default 1: as they do. */
  readonly clockRate?: number;
  /** A port of its own, other than those before it on this host. Default: that of the last. */
  readonly newPort?: boolean;
  /** Name of its log file. */
  readonly name: string;
}

export interface Lab {
  readonly kind: 'namespaces' | 'proxies';
  readonly hosts: number;
  readonly servers: readonly ServerProcess[];
  can(ability: Ability): boolean;
  /**
   * From here on nothing passes these links, and nobody is told so: connections stay open and silent. The result heals
   * what was cut here; a link that several have cut passes again when the last has healed it.
   */
  cut(links: readonly Link[]): Promise<() => Promise<void>>;
  /** Where there are fronts: what others ask this host's node does not reach it, while what it asks them passes. */
  shut(host: number): Promise<() => Promise<void>>;
  spawn(host: number, options: SpawnOptions): Promise<LabNode>;
  /** Ends every process and removes all that was set up. Idempotent. */
  close(): Promise<void>;
}

export const nodePlace = (index: number): Place => ({ kind: 'node', index });
export const serverPlace = (index: number): Place => ({ kind: 'server', index });

const between = (these: readonly Place[], those: readonly Place[]): Link[] =>
  these.flatMap((from) => those.map((to) => ({ from, to })));

/** What these send to those. */
export const oneWay = between;

export const bothWays = (these: readonly Place[], those: readonly Place[]): Link[] => [
  ...between(these, those),
  ...between(those, these),
];

/** For maps. */
export const nameOf = ({ from, to }: Link): string => `${from.kind}${from.index}>${to.kind}${to.index}`;
