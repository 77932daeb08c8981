/** What cases work with: servers that are started when first needed, processes that end with the case, and the clock's limits. */
import { Agent, type Program } from './agent-process.ts';
import type { CaseResult, Figure } from './model.ts';
import type { Progress } from './progress.ts';
import { isInstalled, PACKAGES, type Server, type ServerName, startServer } from './servers.ts';
import type { Contender, Target } from './stores/store.ts';

/** How long and how often. */
export interface Effort {
  readonly quick: boolean;
  readonly full: boolean;
  /** Paired rounds of a case; never fewer than five. */
  readonly rounds: number;
  /** Of one contender in one round. Milliseconds. */
  readonly ms: number;
  /** Parts of the names of the cases that are wanted; all when there are none. */
  readonly only: readonly string[];
}

export const isWanted = (only: readonly string[], ...names: readonly string[]): boolean =>
  only.length === 0 || only.some((part) => names.some((name) => name.includes(part)));

/** Servers of the whole run. */
export class Servers {
  readonly #started = new Map<ServerName, Promise<Server>>();

  get(name: ServerName): Promise<Server> {
    let server = this.#started.get(name);
    if (server === undefined) {
      server = startServer(name);
      this.#started.set(name, server);
    }
    return server;
  }

  async stop(): Promise<void> {
    await Promise.allSettled([...this.#started.values()].map(async (server) => (await server).stop()));
  }
}

/** A single server's ticks, as zookeeper-peer.ts starts it. */
const TICK_TIME_MS = 500;
/** So long that a busy machine does not cost a node its session. */
const SESSION_TIMEOUT_MS = 10_000;

const SERVERS: Partial<Record<Contender, ServerName>> = {
  'node-redis': 'redis',
  'node-redis cache': 'redis',
  ioredis: 'redis',
  etcd: 'etcd',
  ZooKeeper: 'zookeeper',
};

let clusters = 0;

/** Of one case. */
export class Context {
  readonly effort: Effort;
  readonly progress: Progress;
  readonly missing: string[] = [];
  /** Results that a case has had when a later part of it fails. */
  readonly results: CaseResult[] = [];
  /** What the case has to show beside its results. */
  readonly figures: Figure[] = [];
  readonly #name: string;
  readonly #servers: Servers;
  readonly #program: Program;
  readonly #agents: Agent[] = [];
  #echo: Promise<{ net: number; ws: number }> | undefined;

  constructor(name: string, effort: Effort, progress: Progress, servers: Servers, program: Program) {
    this.#name = name;
    this.effort = effort;
    this.progress = progress;
    this.#servers = servers;
    this.#program = program;
  }

  /** Whether a part of the case is wanted, by its name or by that of the whole case. */
  wants(name: string): boolean {
    return isWanted(this.effort.only, name, this.#name);
  }

  /** A process with nothing open in it. It ends with the case. */
  async agent(name: string): Promise<Agent> {
    const agent = await Agent.start(name, this.#program);
    this.#agents.push(agent);
    return agent;
  }

  /** Those that this machine can run; the others are named as missing. */
  available(contenders: readonly Contender[]): Contender[] {
    return contenders.filter((contender) => {
      const server = SERVERS[contender];
      if (server === undefined || isInstalled(server)) return true;
      this.missing.push(`${contender}: ${PACKAGES[server]}`);
      return false;
    });
  }

  /** A client of a peer, in a process of its own. */
  async peer(contender: Contender, size = 16): Promise<Agent> {
    const agent = await this.agent(contender);
    await agent.open(await this.#targetOf(contender, size));
    return agent;
  }

  async #targetOf(contender: Contender, size: number): Promise<Target> {
    const server = SERVERS[contender];
    if (server !== undefined) return { contender, port: (await this.#servers.get(server)).port };
    if (contender !== 'net echo' && contender !== 'ws echo') return { contender };
    this.#echo ??= this.agent('echo server').then((agent) => agent.ask('echo', null));
    const { net, ws } = await this.#echo;
    return { contender, size, port: contender === 'net echo' ? net : ws };
  }

  /** Names a cluster that nobody else uses. */
  newCluster(): string {
    clusters += 1;
    return `bench-${process.pid}-${clusters}`;
  }

  async zistoreOptions(
    cluster: string,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Record<string, unknown>> {
    const { port } = await this.#servers.get('zookeeper');
    return {
      zookeeper: `127.0.0.1:${port}`,
      cluster,
      tickTimeMs: TICK_TIME_MS,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      connectTimeoutMs: 30_000,
      ...more,
    };
  }

  /** One node in a process of its own. */
  async node(cluster: string, name: string, more: Readonly<Record<string, unknown>> = {}): Promise<Agent> {
    const agent = await this.agent(name);
    await agent.open({ contender: 'ZiStore', options: await this.zistoreOptions(cluster, more) });
    return agent;
  }

  /** The first leads. */
  async nodes(count: number, more: Readonly<Record<string, unknown>> = {}): Promise<Agent[]> {
    const cluster = this.newCluster();
    const agents = [await this.node(cluster, 'ZiStore leader', more)];
    while (agents.length < count) agents.push(await this.node(cluster, `ZiStore node ${agents.length + 1}`, more));
    return agents;
  }

  /** Ends all processes at once: what they hold is of no more use. */
  async discard(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.kill()));
    this.#agents.length = 0;
  }

  async close(): Promise<void> {
    // Followers first: a leader would hand its data over to them.
    for (const agent of this.#agents.reverse()) await agent.close();
    this.#agents.length = 0;
  }
}
