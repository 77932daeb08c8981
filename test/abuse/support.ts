/** What the abuse tests share: a cluster on a real ZooKeeper, outcomes by the thousand, and what must be left: nothing. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type NodeOverrides, TestCluster } from '../support/cluster.ts';
import { describeZooKeeper } from '../support/describe-zookeeper.ts';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { sharedZooKeeper, type ZooKeeperServer } from '../support/zookeeper.ts';

/** Sessions that last through the stalls which such loads cost a process with several nodes: what is tested is not the lease. */
export const PATIENT: NodeOverrides = { sessionTimeoutMs: scaled(8000) };

/**
 * `define` gets the cluster of the running test, each a new one on the ZooKeeper that all files share, and a way to
 * have another one beside it. All are closed when the test ends.
 */
export function abuse(
  title: string,
  define: (cluster: () => TestCluster, another: () => Promise<TestCluster>) => void,
): void {
  describeZooKeeper(title, () => {
    let zookeeper: Pick<ZooKeeperServer, 'connectString' | 'tickTimeMs' | 'stop'>;
    const clusters: TestCluster[] = [];
    const another = async (): Promise<TestCluster> => {
      const cluster = await TestCluster.create(zookeeper);
      clusters.push(cluster);
      return cluster;
    };
    beforeAll(async () => {
      zookeeper = await sharedZooKeeper();
    });
    afterAll(() => zookeeper?.stop());
    beforeEach(async () => {
      await another();
    });
    afterEach(async () => {
      for (const cluster of clusters.splice(0)) await cluster.close();
    });
    define(() => clusters[0] as TestCluster, another);
  });
}

/** The first leads, the others follow; they join at the same time. */
export async function startAll(cluster: TestCluster, count: number, overrides: NodeOverrides): Promise<TestNode[]> {
  const leader = await cluster.start(overrides);
  await leader.untilRole('leader');
  const followers = Array.from({ length: count - 1 }, () => cluster.start({ ...overrides }));
  const nodes = [leader, ...(await Promise.all(followers))];
  await Promise.all(nodes.slice(1).map((node) => node.untilRole('follower')));
  return nodes;
}

export interface Failed {
  readonly code: string;
  readonly outcome: string | undefined;
  readonly retryable: boolean;
}

/** How each of many operations ended: undefined is success. */
export async function outcomes(operations: readonly Promise<unknown>[]): Promise<(Failed | undefined)[]> {
  const settled = await Promise.allSettled(operations);
  return settled.map((one) => {
    if (one.status === 'fulfilled') return undefined;
    const { code, outcome, retryable } = one.reason as Failed;
    return { code, outcome, retryable };
  });
}

/** Each kind of end with its number, for one assertion about all. */
export function tally(ends: readonly (Failed | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const end of ends) {
    const name = end === undefined ? 'ok' : `${end.code} ${end.outcome ?? 'read'}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Nothing waits anywhere any more: no operation, no lock, no invalidation. */
export async function untilIdle(nodes: readonly TestNode[], timeoutMs = 20_000): Promise<void> {
  const pending = () => nodes.map(({ status }) => status.pending);
  const idle = () => {
    const busy = pending().some(({ operations, locks, invalidating }) => operations + locks + invalidating > 0);
    if (busy) throw new Error(JSON.stringify(pending()));
    return true;
  };
  await until('nothing waits at any node', idle, { timeoutMs });
}

/** A write at each node is read at each other, and nothing is left waiting: the service is as ever. */
export async function expectNormal(nodes: readonly TestNode[]): Promise<void> {
  const limit = { timeoutMs: scaled(20_000) };
  for (const writer of nodes) {
    const [key, value] = [`normal-${writer.number}`, `${performance.now()}`];
    await writer.set(key, value, limit);
    const read = await Promise.all(nodes.map((node) => node.get(key, limit)));
    if (read.some((one) => one !== value)) throw new Error(`of ${value} was read ${read.join(', ')}`);
  }
  await untilIdle(nodes);
}

export { liveBytes } from '../support/memory.ts';

export const MIB = 1024 * 1024;

/** Open handles of this process of the given kinds, as Node names them. */
export function handles(...kinds: readonly string[]): number {
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length;
}
