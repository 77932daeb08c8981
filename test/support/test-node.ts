/** A node inside the test's process, with a hand on its two lifelines: to ZooKeeper (z) and from its peers (r). */
import type { Counters, NodeStatus, Role } from '../../src/core/status.ts';
import type { CallOptions } from '../../src/node.ts';
import type { ZiStoreOptions } from '../../src/options.ts';
import { gated, type TransportGate } from '../../src/rpc/gate.ts';
import { type FreezingProxy, startFreezingProxy } from '../../src/shell/proxy.ts';
import { openStore, type ZiStore } from '../../src/store.ts';
import type { History } from './history.ts';
import { until } from './wait.ts';

export interface TestNodeOptions {
  readonly number: number;
  /** Of several servers only the first is used: it is the one to be cut off. */
  readonly connectString: string;
  readonly options: Omit<ZiStoreOptions, 'zookeeper'>;
  readonly history: History;
}

export class TestNode {
  readonly number: number;
  readonly store: ZiStore;
  readonly #zookeeper: FreezingProxy;
  readonly #gate: TransportGate;
  readonly #history: History;

  private constructor(
    { number, history }: TestNodeOptions,
    store: ZiStore,
    zookeeper: FreezingProxy,
    gate: TransportGate,
  ) {
    this.number = number;
    this.store = store;
    this.#zookeeper = zookeeper;
    this.#gate = gate;
    this.#history = history;
  }

  static async open(given: TestNodeOptions): Promise<TestNode> {
    const [host, port] = given.connectString.split(',')[0]!.split(':');
    const zookeeper = await startFreezingProxy({ target: { host: host!, port: Number(port) } });
    let gate: TransportGate | undefined;
    try {
      const store = await openStore(
        { ...given.options, zookeeper: `127.0.0.1:${zookeeper.port}` },
        {
          wrapTransport: (transport) => {
            gate = gated(transport);
            return gate.transport;
          },
        },
      );
      return new TestNode(given, store, zookeeper, gate!);
    } catch (error) {
      await zookeeper.close();
      throw error;
    }
  }

  get address(): string {
    return this.status.address;
  }

  get status(): NodeStatus {
    return this.store.status();
  }

  get counters(): Counters {
    return this.status.counters;
  }

  get(key: string, options?: CallOptions): Promise<string | undefined> {
    return this.#history.read(this.number, key, () => this.store.get(key, options));
  }

  set(key: string, value: string, options?: CallOptions): Promise<void> {
    return this.#history.write(this.number, key, value, () => this.store.set(key, value, options));
  }

  delete(key: string, options?: CallOptions): Promise<void> {
    return this.#history.write(this.number, key, null, () => this.store.delete(key, options));
  }

  /** Cuts this node from ZooKeeper, as a partition does. */
  zDown(): void {
    this.#zookeeper.freeze();
  }

  zUp(): void {
    this.#zookeeper.thaw();
  }

  /** What others ask of this node is held back; its own calls go on. */
  rDown(): void {
    this.#gate.close();
  }

  rUp(): void {
    this.#gate.open();
  }

  async untilRole(...roles: readonly Role[]): Promise<void> {
    const role = () => roles.includes(this.status.role) || Promise.reject(new Error(JSON.stringify(this.status)));
    await until(`node ${this.number} is ${roles.join(' or ')}`, role, { timeoutMs: 30_000 });
  }

  /** Until it may answer again. */
  async untilLive(): Promise<void> {
    await this.untilRole('leader', 'follower');
  }

  async untilNotLive(): Promise<void> {
    await until(`node ${this.number} has no lease`, () => !this.status.live, { timeoutMs: 30_000 });
  }

  /** Whatever was cut is whole again before it leaves. */
  async close(): Promise<void> {
    this.zUp();
    this.rUp();
    try {
      await this.store.close();
    } finally {
      await this.#zookeeper.close();
    }
  }
}
