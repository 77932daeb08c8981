/** A ZooKeeper ensemble of three and three nodes, in containers, that can be cut, stopped and killed, and made whole again. */
import { monotonicNs } from '../faults/clock.ts';
import { Timeline } from '../faults/timeline.ts';
import type { LoadShape } from '../faults/wire.ts';
import { until } from '../support/wait.ts';
import type { Container } from './container.ts';
import { connect, type Engine, OWNED, removeAll } from './engine.ts';
import { deafen } from './filter.ts';
import { type Networks, NodeContainer } from './node-container.ts';
import { SERVERS, ServerContainer } from './server-container.ts';

const NODES = [1, 2, 3] as const;
/** Hot keys stay so for longer than a fault, and are rarely written: copies of before it are read and overwritten during it. */
const LOAD: Omit<LoadShape, 'seed'> = {
  rate: 40,
  generationMs: 20_000,
  hotKeys: 6,
  coldKeys: 60,
  readShare: 0.85,
  timeoutMs: 4000,
};
/** Operations until every node may be expected to have copies of most hot keys. */
const WARM = 150;
/** Generous: what is measured is printed, and this is only for what never comes. */
export const PATIENCE = { timeoutMs: 60_000, intervalMs: 20 } as const;
const PROBE_TIMEOUT_MS = 1000;

/** One way: what `from` sends does not reach `to`. */
interface Cut {
  readonly from: Container;
  readonly to: Container;
}

export class ContainerCluster {
  readonly name: string;
  readonly timeline = new Timeline();
  /** How much has been found wrong with its history, and told. */
  readonly told = { faults: 0 };
  servers: readonly ServerContainer[] = [];
  nodes: readonly NodeContainer[] = [];
  readonly #engine: Engine;
  #cuts: readonly Cut[] = [];
  #networks: Networks | undefined;
  #probes = 0;

  private constructor(name: string, engine: Engine) {
    this.name = name;
    this.#engine = engine;
  }

  /** Resolves when every node serves; on failure, nothing is left behind. */
  static async start(name: string): Promise<ContainerCluster> {
    const engine = await connect();
    await removeAll(engine);
    const cluster = new ContainerCluster(name, engine);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await removeAll(this.#engine);
    // Their ends are to be heard before the test is over.
    await Promise.all(this.nodes.map(({ member }) => member.ended));
  }

  /**
   * Resolves as soon as somebody leads: a machine that stands still for longer than a lease suspends every node for a
   * moment, as it must, and nobody promises that there is a leader at every instant.
   */
  async leader(): Promise<NodeContainer> {
    return until('somebody leads', () => {
      const leader = this.nodes.find(({ member }) => member.role === 'leader');
      if (leader === undefined) throw new Error(`nobody leads: ${this.roles()}`);
      return leader;
    });
  }

  /** The leader and the two others. */
  async cast(): Promise<[leader: NodeContainer, follower: NodeContainer, other: NodeContainer]> {
    const leader = await this.leader();
    const [follower, other] = this.nodes.filter((node) => node !== leader);
    return [leader, follower!, other!];
  }

  /** As each said last. */
  roles(): string {
    return this.nodes.map(({ name, member }) => `${name} ${member.role}`).join(', ');
  }

  async leadingServer(): Promise<ServerContainer> {
    return until('a ZooKeeper server leads', () =>
      this.#serverThat(async (server) => (await server.mode()) === 'leader'),
    );
  }

  /** The server at which this node has its connection. */
  async serverOf(node: NodeContainer): Promise<ServerContainer> {
    const addresses = await node.addresses();
    return until(`${node.name} is connected to a server`, () =>
      this.#serverThat(async (server) => (await server.clients()).some((client) => addresses.includes(client))),
    );
  }

  /** Neither hears the other, and nobody is told so: connections stay open and silent. */
  async cut(these: readonly Container[], those: readonly Container[]): Promise<void> {
    await this.#filter([...this.#cuts, ...between(these, those), ...between(those, these)]);
  }

  /** These are not heard by those, but hear them. */
  async cutOneWay(these: readonly Container[], those: readonly Container[]): Promise<void> {
    await this.#filter([...this.#cuts, ...between(these, those)]);
  }

  /** From here on there is a small steady load at every node that runs. */
  load(nodes: readonly NodeContainer[] = this.nodes): void {
    for (const { member } of nodes) member.load({ ...LOAD, seed: member.client });
  }

  /** Resolves when the load has been running for a while. */
  async warm(): Promise<void> {
    const { acknowledged } = this.timeline;
    await until('the load runs', () => this.timeline.acknowledged >= acknowledged + WARM, PATIENCE);
  }

  /** Ends the load; resolves when every operation has ended. */
  async quiet(): Promise<void> {
    await Promise.all(this.nodes.filter(({ isRunning }) => isRunning).map(({ member }) => member.quiet()));
  }

  /** Starts a node again that has ended, with its load. Resolves when it has joined. */
  async restart(node: NodeContainer): Promise<void> {
    await node.restart();
    await node.open(this.name);
    this.load([node]);
  }

  /** Nothing is cut, everybody runs. */
  async heal(): Promise<void> {
    await this.#filter([]);
    for (const container of [...this.servers, ...this.nodes]) {
      await container.reconnect();
      if ((await container.state()) === 'paused') await container.unpause();
    }
    for (const server of this.servers) if ((await server.state()) === 'ended') await server.restart();
    for (const node of this.nodes) if (!node.isRunning) await this.restart(node);
  }

  /** Resolves, to the milliseconds that it took, when each of these writes, and reads what the others wrote. */
  async serving(nodes: readonly NodeContainer[] = this.nodes): Promise<number> {
    const from = monotonicNs();
    for (const writer of nodes) {
      await until(`${writer.name} serves (${this.roles()})`, () => this.#writesForAll(writer, nodes), PATIENCE);
    }
    return (monotonicNs() - from) / 1e6;
  }

  /** All three servers, as one ensemble. */
  async ensemble(): Promise<void> {
    for (const server of this.servers) {
      await until(`${server.name} serves`, async () => (await server.mode()) !== 'none', PATIENCE);
    }
    await this.leadingServer();
  }

  async #writesForAll(writer: NodeContainer, readers: readonly NodeContainer[]): Promise<boolean> {
    // Never used before: a probe that failed has an unknown outcome.
    this.#probes += 1;
    const key = `probe-${this.#probes}`;
    await writer.member.put(key, key, PROBE_TIMEOUT_MS);
    const values = await Promise.all(readers.map(({ member }) => member.get(key, PROBE_TIMEOUT_MS)));
    if (values.some((value) => value !== key)) throw new Error(`wrote ${key}, read ${values.join(', ')}`);
    return true;
  }

  async #serverThat(suits: (server: ServerContainer) => Promise<boolean>): Promise<ServerContainer | undefined> {
    for (const server of this.servers) if (await suits(server)) return server;
    return undefined;
  }

  async #start(): Promise<void> {
    this.#networks = { peers: await this.#network('peers'), coordination: await this.#network('coordination') };
    const { coordination } = this.#networks;
    const networks = this.#networks;
    const servers = all(SERVERS.map((number) => ServerContainer.start(this.#engine, number, coordination)));
    const nodes = all(NODES.map((number) => NodeContainer.start(this.#engine, number, networks, this.timeline)));
    await Promise.allSettled([servers, nodes]);
    this.servers = await servers;
    this.nodes = await nodes;
    await Promise.all(this.nodes.map((node) => node.open(this.name)));
    await this.serving();
  }

  async #network(purpose: string): Promise<string> {
    const name = `zistore-test-${process.pid}-${this.name}-${purpose}`;
    await this.#engine.network.create({ Name: name, CheckDuplicate: true, Driver: 'bridge', Labels: OWNED });
    return name;
  }

  /** Each container's filter is made anew, from the addresses that the others have now. */
  async #filter(cuts: readonly Cut[]): Promise<void> {
    const affected = new Set([...this.#cuts, ...cuts].map(({ to }) => to));
    this.#cuts = cuts;
    await Promise.all([...affected].map((to) => this.#deafen(to)));
  }

  async #deafen(to: Container): Promise<void> {
    const pid = await to.pid();
    if (pid === null) return;
    const sources = this.#cuts.filter((cut) => cut.to === to).map(({ from }) => from.addresses());
    await deafen(pid, (await Promise.all(sources)).flat());
  }
}

/** As Promise.all, but when it rejects nothing is under way any more: what is being started cannot be removed. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

const between = (these: readonly Container[], those: readonly Container[]): Cut[] =>
  these.flatMap((from) => those.map((to) => ({ from, to })));
