/**
 * A lab for everybody: processes on the loopback interface with freezing proxies between nodes and ZooKeeper, between
 * the servers, and in front of each node. It cannot cut one node from another or one way only, for a front does not
 * know who calls.
 */
import { type FreezingProxy, startFreezingProxy } from '../../src/shell/proxy.ts';
import { type Ensemble, startEnsemble } from '../support/ensemble.ts';
import { freePorts, type ServerProcess } from '../support/zookeeper-process.ts';
import { type Ability, type Lab, type LabNode, type LabOptions, type Link, nameOf, type SpawnOptions } from './lab.ts';
import { startWorker } from './lab-process.ts';
import { faketimeLibrary } from './lab-skew.ts';

const HOST = '127.0.0.1';

interface ProxyHost {
  /** One for each server. */
  readonly ways: readonly FreezingProxy[];
  front: FreezingProxy;
  port: number;
}

export class ProxyLab implements Lab {
  readonly kind = 'proxies';
  readonly #options: LabOptions;
  readonly #ensemble: Ensemble;
  readonly #hosts: ProxyHost[] = [];
  readonly #nodes = new Set<LabNode>();
  /** How many have frozen each. */
  readonly #frozen = new Map<string, number>();
  #closing: Promise<void> | undefined;

  private constructor(options: LabOptions, ensemble: Ensemble) {
    this.#options = options;
    this.#ensemble = ensemble;
  }

  /** Sets everything up and starts the ensemble; on failure, takes everything down again. */
  static async open(options: LabOptions): Promise<ProxyLab> {
    const { tickTimeMs, syncLimit } = options;
    const lab = new ProxyLab(options, await startEnsemble({ tickTimeMs, syncLimit }));
    try {
      options.signal?.throwIfAborted();
      for (let i = 0; i < options.hosts; i += 1) lab.#hosts.push(await lab.#openHost());
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get hosts(): number {
    return this.#options.hosts;
  }

  get servers(): readonly ServerProcess[] {
    return this.#ensemble.servers;
  }

  can(ability: Ability): boolean {
    if (ability === 'skew') return faketimeLibrary() !== null;
    return ability === 'fronts';
  }

  async cut(links: readonly Link[]): Promise<() => Promise<void>> {
    for (const link of links) this.#change(nameOf(link), 1, (frozen) => this.#set(link, frozen));
    return this.#once(() => {
      for (const link of links) this.#change(nameOf(link), -1, (frozen) => this.#set(link, frozen));
    });
  }

  async shut(host: number): Promise<() => Promise<void>> {
    const set = (frozen: boolean) => freeze(this.#hosts[host]!.front, frozen);
    this.#change(`front${host}`, 1, set);
    return this.#once(() => this.#change(`front${host}`, -1, set));
  }

  async spawn(index: number, { clockRate = 1, newPort = false, name }: SpawnOptions): Promise<LabNode> {
    if (this.#closing) throw new Error('the lab is closed');
    const host = this.#hosts[index]!;
    if (newPort) {
      await host.front.close();
      Object.assign(host, await openFront());
    }
    const { worker, folder } = this.#options;
    const node = await startWorker({
      ...{ worker, folder, name, clockRate },
      within: [],
      connectString: host.ways.map(({ port }) => `${HOST}:${port}`).join(','),
      listen: { host: HOST, port: host.port },
      advertise: { host: HOST, port: host.front.port },
    });
    this.#nodes.add(node);
    void node.ended.then(() => this.#nodes.delete(node));
    return node;
  }

  close(): Promise<void> {
    this.#closing ??= this.#tearDown();
    return this.#closing;
  }

  async #openHost(): Promise<ProxyHost> {
    const ways = this.servers.map(({ clientPort }) =>
      startFreezingProxy({ target: { host: HOST, port: clientPort }, maxConnections: 256 }),
    );
    return { ways: await Promise.all(ways), ...(await openFront()) };
  }

  #once(heal: () => void): () => Promise<void> {
    let healed = false;
    return async () => {
      if (healed) return;
      healed = true;
      heal();
    };
  }

  #change(name: string, by: 1 | -1, set: (frozen: boolean) => void): void {
    const count = (this.#frozen.get(name) ?? 0) + by;
    this.#frozen.set(name, count);
    set(count > 0);
  }

  /** Between a node and a server the way back is the same as the way there. */
  #set({ from, to }: Link, frozen: boolean): void {
    if (from.kind === 'server' && to.kind === 'server') {
      if (frozen) this.#ensemble.freeze(from.index, to.index);
      else this.#ensemble.thaw(from.index, to.index);
    } else if (from.kind === 'node' && to.kind === 'server') {
      freeze(this.#hosts[from.index]!.ways[to.index]!, frozen);
    } else if (to.kind === 'node' && from.kind === 'node') {
      throw new Error('nodes cannot be cut from each other here');
    }
  }

  async #tearDown(): Promise<void> {
    await Promise.all([...this.#nodes].map((node) => node.kill()));
    await Promise.all(this.#hosts.flatMap(({ ways, front }) => [...ways, front].map((proxy) => proxy.close())));
    await this.#ensemble.stop();
  }
}

function freeze(proxy: FreezingProxy, frozen: boolean): void {
  if (frozen) proxy.freeze();
  else proxy.thaw();
}

async function openFront(): Promise<{ front: FreezingProxy; port: number }> {
  const [port] = await freePorts(1);
  const front = await startFreezingProxy({ target: { host: HOST, port: port! }, maxConnections: 256 });
  return { front, port: port! };
}
