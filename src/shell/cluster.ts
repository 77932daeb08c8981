/** The shell's clients, the proxies between them and ZooKeeper, and the embedded coordinator where there is one. */
import { ZiStoreError } from '../errors.ts';
import { type ConnectString, parseConnectString } from '../zookeeper/connect-string.ts';
import { Child, type Launch } from './child.ts';
import { type CallLimits, ClientHandle, clientEnded } from './client-handle.ts';
import type { ClientOptions, CoordinatorProtocol } from './client-protocol.ts';
import { type FreezingProxy, startFreezingProxy } from './proxy.ts';
import type { ClientRow } from './results.ts';

export interface ClusterOptions extends Omit<ClientOptions, 'zookeeper'> {
  /** Connect string; absent: the embedded coordinator. */
  readonly zookeeper?: string | undefined;
  readonly client: Launch;
  readonly coordinator: Launch;
  /** Told when a client's process ends without having been asked to. */
  readonly onCrash?: (id: number, lastWords: string) => void;
}

/** Clients over the life of one shell, ended ones included. */
export const MAX_CLIENTS = 64;
const COORDINATOR_TIMEOUT_MS = 20_000;
/** For leaving cleanly, of all followers together and then of the leader; what is slower is killed. Milliseconds. */
const CLOSE_TIMEOUT_MS = 4000;

const invalid = (message: string): ZiStoreError => new ZiStoreError('ZISTORE_INVALID_ARGUMENT', message);

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #clients = new Map<number, ClientHandle>();
  readonly #expectedEnd = new Set<number>();
  readonly #abort = new AbortController();
  #coordinator: Child<CoordinatorProtocol> | undefined;
  #servers: ConnectString | undefined;
  #lastId = 0;
  #started = false;
  #closing: Promise<void> | undefined;
  /** Sends the signals before it waits, and so also does its work when this process exits by whatever way. */
  readonly #killAll = async (): Promise<void> => {
    const processes = [...this.#clients.values(), ...(this.#coordinator === undefined ? [] : [this.#coordinator])];
    await Promise.all(processes.map((each) => each.kill()));
  };

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  get embedded(): boolean {
    return this.#options.zookeeper === undefined;
  }

  get ids(): number[] {
    return [...this.#clients.keys()];
  }

  /** Starts the coordinator where one is wanted, then `count` clients, which join in the order of their ids. */
  async start(count: number, onProgress: (ready: number) => void = () => {}): Promise<void> {
    process.on('exit', this.#killAll);
    try {
      this.#servers = await this.#findServers();
      const handles = await Promise.all(Array.from({ length: count }, () => this.#launch()));
      let ready = 0;
      // One after the other, so that leadership passes along the ids: after client 1 it is client 2's turn.
      for (const launched of handles) {
        await this.#open(launched);
        ready += 1;
        onProgress(ready);
      }
      this.#started = true;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async newClient(): Promise<ClientRow> {
    const launched = await this.#launch();
    await this.#open(launched);
    return await launched.handle.row();
  }

  async list(): Promise<ClientRow[]> {
    return await Promise.all([...this.#clients.values()].map((client) => client.row()));
  }

  /** @throws ZISTORE_INVALID_ARGUMENT where there is no such client. */
  client(id: number): ClientHandle {
    const client = this.#clients.get(id);
    if (client === undefined) throw invalid(`there is no client ${id}; there are ${this.ids.join(', ')}`);
    return client;
  }

  /** @throws ZISTORE_INVALID_ARGUMENT where there is no such client, or its process has ended. */
  liveClient(id: number): ClientHandle {
    const client = this.client(id);
    if (client.ended) throw clientEnded(id);
    return client;
  }

  async rmi(id: number, position: 'up' | 'down', limits: CallLimits): Promise<void> {
    await this.liveClient(id).rmi(position, limits);
  }

  async killClient(id: number): Promise<void> {
    const client = this.client(id);
    this.#expectedEnd.add(id);
    await client.kill();
  }

  /** Whether leaving now would drop the only copy of data. Judges by what is known of clients that do not answer. */
  async holdsOnlyCopy(): Promise<boolean> {
    const rows = (await this.list()).filter((row) => row.role !== 'closed');
    if (!rows.some((row) => row.entries > 0)) return false;
    if (this.embedded) return true;
    const ours = new Set(rows.map((row) => row.address));
    const leader = rows.find((row) => row.role === 'leader');
    if (leader === undefined) return rows.every((row) => this.client(row.id).known.members.every((m) => ours.has(m)));
    return this.client(leader.id).known.members.every((member) => ours.has(member));
  }

  /** Closes the clients cleanly, followers first: the leader then hands over to others or to nobody. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Gives up a start that is under way; afterwards does nothing. */
  async abortStart(): Promise<void> {
    if (!this.#started) await this.kill();
  }

  /** Ends all processes at once. */
  async kill(): Promise<void> {
    this.#abort.abort();
    for (const id of this.ids) this.#expectedEnd.add(id);
    await this.#killAll();
    process.off('exit', this.#killAll);
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    for (const id of this.ids) this.#expectedEnd.add(id);
    if (!this.#started) return await this.kill();
    const clients = [...this.#clients.values()];
    for (const client of clients) {
      client.resume();
      client.zookeeper('up');
    }
    const leads = new Set((await this.list()).filter((row) => row.role === 'leader').map((row) => row.id));
    const leave = (client: ClientHandle): Promise<void> => client.close(CLOSE_TIMEOUT_MS);
    await Promise.all(clients.filter((client) => !leads.has(client.id)).map(leave));
    await Promise.all(clients.filter((client) => leads.has(client.id)).map(leave));
    await this.kill();
  }

  async #findServers(): Promise<ConnectString> {
    if (this.#options.zookeeper !== undefined) return parseConnectString(this.#options.zookeeper);
    this.#coordinator = new Child('the embedded coordinator', this.#options.coordinator);
    const { tickTimeMs, sessionTimeoutMs } = this.#options;
    const limits = { timeoutMs: COORDINATOR_TIMEOUT_MS, signal: this.#abort.signal };
    const { port } = await this.#coordinator.ask('start', { tickTimeMs, sessionTimeoutMs }, limits);
    return { servers: [{ host: '127.0.0.1', port }], chroot: '' };
  }

  async #launch(): Promise<Launched> {
    const { servers, chroot } = this.#servers ?? { servers: [], chroot: '' };
    if (this.#lastId >= MAX_CLIENTS) throw invalid(`a shell starts ${MAX_CLIENTS} clients at most`);
    this.#lastId += 1;
    const id = this.#lastId;
    const proxies = await startProxies(servers);
    if (this.#abort.signal.aborted) {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      throw new ZiStoreError('ZISTORE_CLOSED', 'the shell is closing');
    }
    const handle = new ClientHandle(id, this.#options.client, proxies);
    this.#clients.set(id, handle);
    const zookeeper = proxies.map((proxy) => `127.0.0.1:${proxy.port}`).join(',') + chroot;
    return { handle, zookeeper };
  }

  /** A client that cannot be opened is ended and, having never joined, not listed. */
  async #open({ handle, zookeeper }: Launched): Promise<void> {
    const { cluster, sessionTimeoutMs, tickTimeMs, listen, advertise } = this.#options;
    const addresses = { ...(listen && { listen }), ...(advertise && { advertise }) };
    try {
      await handle.open({ zookeeper, cluster, sessionTimeoutMs, tickTimeMs, ...addresses }, this.#abort.signal);
    } catch (error) {
      await handle.kill();
      this.#clients.delete(handle.id);
      throw withLastWords(error, handle.lastWords);
    }
    void handle.exited.then(() => {
      if (!this.#expectedEnd.has(handle.id)) this.#options.onCrash?.(handle.id, handle.lastWords);
    });
  }
}

interface Launched {
  readonly handle: ClientHandle;
  readonly zookeeper: string;
}

/** A process that died says why only on its standard error. */
function withLastWords(error: unknown, lastWords: string): unknown {
  if (!(error instanceof ZiStoreError) || error.code !== 'ZISTORE_CLOSED' || lastWords === '') return error;
  return new ZiStoreError(error.code, `${error.message}: ${lastWords}`);
}

async function startProxies(servers: ConnectString['servers']): Promise<FreezingProxy[]> {
  const started = await Promise.allSettled(servers.map((target) => startFreezingProxy({ target })));
  const proxies = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (failed === undefined) return proxies;
  await Promise.all(proxies.map((proxy) => proxy.close()));
  throw new ZiStoreError('ZISTORE_COORDINATION_UNAVAILABLE', 'no port is free for a proxy', { cause: failed.reason });
}
