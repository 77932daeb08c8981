/** A cluster of nodes for one test, on a coordinator that the test file shares. */
import { randomUUID } from 'node:crypto';
import type { ZiStoreOptions } from '../../src/options.ts';
import { History } from './history.ts';
import { Observer } from './observer.ts';
import { ProcessNode } from './process-node.ts';
import { TestNode } from './test-node.ts';
import { scaled, until } from './wait.ts';

/** What nodes coordinate through: a real ZooKeeper or the embedded coordinator. */
export interface Coordinator {
  readonly connectString: string;
  readonly tickTimeMs: number;
}

export type NodeOverrides = Partial<Omit<ZiStoreOptions, 'zookeeper' | 'cluster'>>;

export class TestCluster {
  readonly name: string;
  readonly observer: Observer;
  readonly history = new History();
  readonly #coordinator: Coordinator;
  readonly #nodes: TestNode[] = [];
  readonly #processes: ProcessNode[] = [];

  private constructor(name: string, coordinator: Coordinator, observer: Observer) {
    this.name = name;
    this.#coordinator = coordinator;
    this.observer = observer;
  }

  static async create(coordinator: Coordinator): Promise<TestCluster> {
    const name = `test-${randomUUID()}`;
    return new TestCluster(name, coordinator, await Observer.connect(coordinator.connectString, name));
  }

  /** One more node in this process. `connectString`: another server of the coordinator's. */
  async start(overrides: NodeOverrides = {}, connectString = this.#coordinator.connectString): Promise<TestNode> {
    const number = this.#nodes.length + 1;
    const { history } = this;
    const node = await TestNode.open({ number, connectString, options: this.options(overrides), history });
    this.#nodes.push(node);
    return node;
  }

  /** The first leads, the others follow. */
  async startMany(count: number): Promise<TestNode[]> {
    const nodes: TestNode[] = [];
    for (let i = 0; i < count; i += 1) nodes.push(await this.start());
    await nodes[0]!.untilRole('leader');
    await Promise.all(nodes.slice(1).map((node) => node.untilRole('follower')));
    return nodes;
  }

  /** One more node in a process of its own, which can be stopped and killed. */
  async spawn(overrides: NodeOverrides = {}): Promise<ProcessNode> {
    const node = await ProcessNode.spawn({
      ...this.options(overrides),
      zookeeper: this.#coordinator.connectString,
    });
    this.#processes.push(node);
    return node;
  }

  options(overrides: NodeOverrides): Omit<ZiStoreOptions, 'zookeeper'> {
    const { tickTimeMs } = this.#coordinator;
    return {
      cluster: this.name,
      // Two ticks are the least that ZooKeeper grants.
      sessionTimeoutMs: Math.max(scaled(1000), 2 * tickTimeMs),
      tickTimeMs,
      connectTimeoutMs: scaled(20_000),
      closeTimeoutMs: scaled(2000),
      ...overrides,
    };
  }

  /** The one among `nodes` that leads. */
  leader(nodes: readonly TestNode[] = this.#nodes): Promise<TestNode> {
    const find = () => nodes.find((node) => node.status.role === 'leader') ?? Promise.reject(new Error(this.#roles()));
    return until('one of the nodes leads', find, { timeoutMs: 30_000 });
  }

  /** Followers leave before their leader, so that nobody hands over to somebody who is leaving, too. */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map((node) => node.kill()));
    const leading = (node: TestNode) => node.status.role === 'leader';
    const results = [
      ...(await Promise.allSettled(this.#nodes.filter((node) => !leading(node)).map((node) => node.close()))),
      ...(await Promise.allSettled(this.#nodes.map((node) => node.close()))),
    ];
    await this.observer.close();
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  #roles(): string {
    return this.#nodes.map((node) => `${node.number}: ${node.status.role}`).join(', ');
  }
}
