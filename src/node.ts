/** What a node is to whoever opens one, and what it is composed of. The driver behind it is in node-driver.ts. */
import type { Action, NodeReport } from './core/messages.ts';
import type { NodeStatus, Role } from './core/status.ts';
import type { Address, Key, Value } from './core/types.ts';
import type { Clock, Logger, OpenZooKeeper, Random, Transport } from './ports.ts';

export interface CallOptions {
  /** Ends the wait with ZISTORE_ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait with ZISTORE_TIMEOUT. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

export interface NodeEvents {
  role: [role: Role, previous: Role];
  leader: [leader: { address: Address; epoch: string } | null];
  suspended: [];
  lost: [];
  rejoined: [];
}

/** What a node is composed of. Every part has an in-memory twin. */
export interface NodeParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly openZooKeeper: OpenZooKeeper;
  readonly transport: Transport;
}

/** Validated options, all defaults filled in. */
export interface NodeOptions {
  readonly cluster: string;
  /** What peers are told; port 0: the port that listen() was given. */
  readonly advertise: { readonly host: string; readonly port: number };
  readonly candidate: boolean;
  /** As configured in the ensemble; for the lease. */
  readonly tickTimeMs: number;
  readonly connectTimeoutMs: number;
  /** Bound of close(): draining and handing over. */
  readonly closeTimeoutMs: number;
  readonly cache: { readonly maxEntries: number; readonly maxBytes: number };
  readonly store: { readonly maxBytes: number };
  /** Bound of operations in progress at this node, and of requests of others queued at it. */
  readonly maxPending: number;
  /** What all nodes of the cluster must agree on, compared member by member with the config znode. */
  readonly agreement: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Node {
  /** Through the core, whether it is in memory or not: `recall` is the short way. */
  get(key: Key, options?: CallOptions): Promise<Value | undefined>;
  /** Resolves to what `read` makes of the value, and rejects with what it throws. */
  get<T>(key: Key, options: CallOptions, read: (value: Value | undefined) => T): Promise<T>;
  /** What this node may answer from its memory right now; undefined: it takes a `get`. Counts as a hit (Z17). */
  recall(key: Key): Value | undefined;
  /** Resolves to whether the key had a value before. */
  write(key: Key, action: Action, options?: CallOptions): Promise<boolean>;
  write<T>(key: Key, action: Action, options: CallOptions, read: (existed: boolean) => T): Promise<T>;
  /** The cached value, never asking anyone. Throws ZISTORE_SESSION_LOST without a lease, ZISTORE_CLOSED after close. */
  peek(key: Key): Value | undefined;
  status(): NodeStatus;
  /** Asks every other member for its report; members that do not answer in time are reported `live: false`, role 'unknown'. */
  inspect(options?: CallOptions): Promise<NodeReport[]>;
  on<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void;
  off<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void;
  close(): Promise<void>;
}

/** Resolves when the node has joined and may answer. Rejects with ZiStoreError; everything is closed again then. */
export type OpenNode = (
  options: NodeOptions,
  parts: NodeParts,
  call?: { readonly signal?: AbortSignal },
) => Promise<Node>;

export { openNode } from './node-driver.ts';
