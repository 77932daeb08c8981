/** A thousand nodes that come, work a little and go (Z14 Z34 Z35 HX4): nothing of them is left. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ZiStoreOptions } from '../../src/options.ts';
import { ZiStore } from '../../src/store.ts';
import { TestCluster } from '../support/cluster.ts';
import { describeZooKeeper } from '../support/describe-zookeeper.ts';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { startZooKeeper, type ZooKeeperServer } from '../support/zookeeper.ts';
import { expectNormal, handles, liveBytes, MIB, startAll, untilIdle } from './support.ts';

const VISITORS = 1000;
const AT_A_TIME = 50;
const WARM_UP = 100;

describeZooKeeper(
  'A thousand joins and leaves',
  () => {
    let zookeeper: ZooKeeperServer;
    let cluster: TestCluster;
    beforeAll(async () => {
      // Short ticks: a node that joins waits for two of them until its lease is proven.
      zookeeper = await startZooKeeper({ tickTimeMs: 100 });
      cluster = await TestCluster.create(zookeeper);
    });
    afterAll(async () => {
      await cluster?.close();
      await zookeeper?.stop();
    });

    const options = () => cluster.options({ sessionTimeoutMs: scaled(4000) });

    /** Joins, reads and writes, leaves; every tenth changes its mind on the way. */
    async function visit(number: number): Promise<void> {
      const abort = new AbortController();
      if (number % 10 === 9) setTimeout(() => abort.abort(), number % 100);
      const settings: ZiStoreOptions = { ...options(), zookeeper: zookeeper.connectString, candidate: false };
      let store: ZiStore<unknown>;
      try {
        store = await ZiStore.open(settings, { signal: abort.signal });
      } catch (error) {
        expect(error).toMatchObject({ code: 'ZISTORE_ABORTED' });
        return;
      }
      const limit = { timeoutMs: scaled(20_000) };
      expect(await store.get('shared', limit)).toBe('v');
      await store.set(`own${number}`, 'x', limit);
      await store.set('last', `${number}`, limit);
      expect(await store.delete(`own${number}`, limit)).toBe(true);
      await store.close();
    }

    async function visitors(from: number, to: number): Promise<void> {
      const numbers = Array.from({ length: to - from }, (_none, index) => from + index).values();
      const work = async (): Promise<void> => {
        for (const number of numbers) await visit(number);
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
    }

    /** Of the nodes that stay: sockets and servers, and what lives in memory. */
    async function resources(): Promise<{ sockets: number; bytes: number }> {
      const bytes = await liveBytes();
      return { sockets: handles('TCPSocketWrap', 'TCPServerWrap', 'TLSWrap'), bytes };
    }

    it('Z14 Z34: no member, directory entry, lock, connection or memory of theirs is left', async () => {
      const nodes = await startAll(cluster, 2, options());
      const [leader, follower] = nodes as [TestNode, TestNode];
      await leader.set('shared', 'v');
      expect(await follower.get('shared')).toBe('v');
      const stay = [leader.address, follower.address].sort();
      const settled = async () => {
        const of = leader.status;
        expect([...of.members].sort()).toEqual(stay);
        expect(of.pending).toEqual({ operations: 0, locks: 0, invalidating: 0, directory: 1 });
        return true;
      };
      await until('the start is over', settled);
      const { sockets } = await resources();
      await visitors(0, WARM_UP);
      await until('only those are left that stay', settled);
      const before = await resources();
      await visitors(WARM_UP, VISITORS);
      await until('only those are left that stay', settled, { timeoutMs: 20_000 });
      expect((await cluster.observer.members()).sort()).toEqual(stay);
      await until('their connections are closed', async () => {
        const now = await resources();
        expect(now.sockets).toBe(sockets);
        return true;
      });
      const after = await resources();
      process.stdout.write(`bytes before ${before.bytes}, after ${after.bytes}\n`);
      expect(after.bytes - before.bytes).toBeLessThan(10 * MIB);
      expect([leader.status.role, leader.counters.sessionsLost, follower.counters.sessionsLost]).toEqual([
        'leader',
        0,
        0,
      ]);
      await untilIdle(nodes);
      await expectNormal(nodes);
    });
  },
  'own',
);
