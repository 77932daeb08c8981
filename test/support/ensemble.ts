/**
 * Three (or more) ZooKeeper servers whose connections among each other run through freezing proxies, one for each
 * directed pair and purpose, so that one server can be cut from its peers while its clients still reach it.
 */
import { type FreezingProxy, startFreezingProxy } from '../../src/shell/proxy.ts';
import { type Relay, startRelay } from './relay.ts';
import { until } from './wait.ts';
import { freePorts, ServerProcess } from './zookeeper-process.ts';

export interface EnsembleOptions {
  /** Default 3. */
  readonly servers?: number;
  /** Default 500. */
  readonly tickTimeMs?: number;
  /** Ticks after which a server and its leader give each other up. Default 4. */
  readonly syncLimit?: number;
}

interface Ports {
  readonly client: number;
  readonly quorum: number;
  readonly election: number;
}

/** The ways that lead from one server to another: each a proxy, then a relay. */
interface Path {
  readonly from: number;
  readonly to: number;
  readonly quorum: FreezingProxy;
  readonly election: FreezingProxy;
  readonly relays: readonly Relay[];
}

export class Ensemble {
  readonly tickTimeMs: number;
  readonly #servers: readonly ServerProcess[];
  readonly #paths: readonly Path[];

  constructor(tickTimeMs: number, servers: readonly ServerProcess[], paths: readonly Path[]) {
    this.tickTimeMs = tickTimeMs;
    this.#servers = servers;
    this.#paths = paths;
  }

  get servers(): readonly ServerProcess[] {
    return this.#servers;
  }

  get size(): number {
    return this.#servers.length;
  }

  /** Of the given servers, by default of all. Clients reach them directly. */
  connectString(...indexes: number[]): string {
    const servers = indexes.length === 0 ? this.#servers : indexes.map((index) => this.#servers[index]!);
    return servers.map((server) => `127.0.0.1:${server.clientPort}`).join(',');
  }

  /** Cuts a server from all its peers, in both directions. Its clients notice nothing of it at first. */
  isolate(index: number): void {
    for (const { from, to } of this.#touching(index)) this.freeze(from, to);
  }

  heal(index: number): void {
    for (const { from, to } of this.#touching(index)) this.thaw(from, to);
  }

  /** The connections that one server has opened to another. */
  freeze(from: number, to: number): void {
    const { quorum, election } = this.#path(from, to);
    quorum.freeze();
    election.freeze();
  }

  thaw(from: number, to: number): void {
    const { quorum, election } = this.#path(from, to);
    quorum.thaw();
    election.thaw();
  }

  /** By the servers' own word: during a cut there may be two, so ask for those on one side. −1: none. */
  async leaderIndex(among: readonly number[] = this.#servers.map((_server, index) => index)): Promise<number> {
    for (const index of among) {
      if ((await this.#servers[index]!.srvr()).includes('Mode: leader')) return index;
    }
    return -1;
  }

  /** Some server that is not the leader. */
  async followerIndex(): Promise<number> {
    const leader = await this.leaderIndex();
    return leader === 0 ? 1 : 0;
  }

  kill(index: number): Promise<void> {
    return this.#servers[index]!.kill();
  }

  start(index: number): Promise<void> {
    return this.#servers[index]!.launch();
  }

  /** Every server serves, and one of them leads. */
  async quorate(timeoutMs = 60_000): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.serving()));
    await until('the ensemble has a leader', async () => (await this.leaderIndex()) >= 0, { timeoutMs });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.remove()));
    const parts = this.#paths.flatMap((path) => [path.quorum, path.election, ...path.relays]);
    await Promise.all(parts.map((part) => part.close()));
  }

  #path(from: number, to: number): Path {
    return this.#paths.find((path) => path.from === from && path.to === to)!;
  }

  #touching(index: number): Path[] {
    return this.#paths.filter((path) => path.from === index || path.to === index);
  }
}

/** Another process may take a port that was free a moment ago, so a start that fails is tried once more. */
export async function startEnsemble(options: EnsembleOptions = {}): Promise<Ensemble> {
  const attempt = async () => {
    const ensemble = await prepare(options);
    try {
      for (let i = 0; i < ensemble.size; i += 1) await ensemble.start(i);
      await ensemble.quorate();
      return ensemble;
    } catch (error) {
      await ensemble.stop();
      throw error;
    }
  };
  return attempt().catch(attempt);
}

async function prepare({ servers: count = 3, tickTimeMs = 500, syncLimit = 4 }: EnsembleOptions): Promise<Ensemble> {
  const flat = await freePorts(count * 3);
  const ports = Array.from({ length: count }, (_unused, i): Ports => {
    const [client, quorum, election] = flat.slice(i * 3, i * 3 + 3);
    return { client: client!, quorum: quorum!, election: election! };
  });
  const paths = await openPaths(ports);
  const timing = [`tickTime=${tickTimeMs}`, 'initLimit=6', `syncLimit=${syncLimit}`];
  const servers = await Promise.all(
    ports.map((own, i) => ServerProcess.create([...timing, ...addresses(i, ports, paths)], own.client, i + 1)),
  );
  return new Ensemble(tickTimeMs, servers, paths);
}

async function openPaths(ports: readonly Ports[]): Promise<Path[]> {
  const paths: Path[] = [];
  for (const [from, caller] of ports.entries()) {
    for (const [to, called] of ports.entries()) {
      if (from === to) continue;
      const back = () => paths.find((path) => path.from === to && path.to === from)!.election.port;
      // A caller tells its own election address, to be called back at. That would be a way round the proxies.
      const rewrite = (first: Buffer) => withPort(first, caller.election, back());
      const relays = [await startRelay(called.quorum), await startRelay(called.election, rewrite)] as const;
      const proxyTo = (relay: Relay) => startFreezingProxy({ target: { host: '127.0.0.1', port: relay.port } });
      paths.push({ from, to, relays, quorum: await proxyTo(relays[0]), election: await proxyTo(relays[1]) });
    }
  }
  return paths;
}

/** Replaces a port in an address within a length-prefixed text, so only by one of as many digits. */
function withPort(bytes: Buffer, port: number, replacement: number): Buffer {
  const changed = bytes.toString('latin1').replace(`127.0.0.1:${port}`, `127.0.0.1:${replacement}`);
  if (changed.length !== bytes.length) throw new Error(`ports ${port} and ${replacement} differ in length`);
  return Buffer.from(changed, 'latin1');
}

/** A server binds to what its own line names and calls its peers at what theirs name. */
function addresses(own: number, ports: readonly Ports[], paths: readonly Path[]): string[] {
  return ports.map((port, i) => {
    const path = paths.find((candidate) => candidate.from === own && candidate.to === i);
    const [quorum, election] = path ? [path.quorum.port, path.election.port] : [port.quorum, port.election];
    return `server.${i + 1}=127.0.0.1:${quorum}:${election}`;
  });
}
