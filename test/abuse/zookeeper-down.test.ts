/**
 * ZooKeeper gone and back, under load: killed and started again on its data, and stopped and continued, which is how one
 * looks whose disk is full (Z06 Z08 Z19 Z24 S12 S16): nothing hangs, nothing read is out of date, all recover by themselves.
 */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { TestCluster } from '../support/cluster.ts';
import { describeZooKeeper } from '../support/describe-zookeeper.ts';
import type { TestNode } from '../support/test-node.ts';
import { pause, scaled, until } from '../support/wait.ts';
import { startZooKeeper, type ZooKeeperServer } from '../support/zookeeper.ts';
import { expectNormal, startAll } from './support.ts';

const SESSION_MS = scaled(4000);
const KEYS = 8;
/** Every operation has to end by itself in that time, or it hangs: far longer than sessions and their leases. */
const HANGS_AFTER_MS = scaled(45_000);
const EXPECTED = new Set(['ZISTORE_SESSION_LOST', 'ZISTORE_OUTCOME_UNKNOWN']);

/**
 * Steady work at every node until told to stop. Each key has one writer, which writes rising numbers one after the
 * other, so what is out of date is easy to tell: less than what had been acknowledged when the read was called.
 */
class Load {
  readonly faults: string[] = [];
  readonly errors: Record<string, number> = {};
  /** Operations that succeeded, by node. */
  readonly done: number[];
  readonly #nodes: readonly TestNode[];
  readonly #acknowledged = new Map<string, number>();
  readonly #workers: Promise<void>[];
  #stopped = false;

  constructor(nodes: readonly TestNode[]) {
    this.#nodes = nodes;
    this.done = nodes.map(() => 0);
    this.#workers = nodes.flatMap((_node, index) =>
      Array.from({ length: KEYS }, (_none, key) => [
        this.#write(index, `${index}-${key}`),
        this.#read(index, key),
      ]).flat(),
    );
  }

  /** Resolves when every operation has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }

  async #write(index: number, key: string): Promise<void> {
    for (let value = 1; !this.#stopped; value += 1) {
      await this.#one(index, `write of ${key}`, async () => {
        await this.#nodes[index]!.store.set(key, `${value}`);
        this.#acknowledged.set(key, value);
      });
      await pause(20);
    }
  }

  async #read(index: number, number: number): Promise<void> {
    for (let turn = 0; !this.#stopped; turn += 1) {
      const key = `${turn % this.#nodes.length}-${number}`;
      await this.#one(index, `read of ${key}`, async () => {
        const least = this.#acknowledged.get(key) ?? 0;
        const value = Number((await this.#nodes[index]!.store.get(key)) ?? 0);
        // Absent is right only where every holder has lost its session.
        const lost = value === 0 && this.#nodes.some((node) => node.counters.sessionsLost > 0);
        if (value < least && !lost) this.faults.push(`${key}: read ${value} after ${least} at node ${index}`);
      });
      await pause(5);
    }
  }

  async #one(index: number, what: string, operation: () => Promise<void>): Promise<void> {
    const hangs = setTimeout(() => this.faults.push(`${what} at node ${index} hangs`), HANGS_AFTER_MS);
    try {
      await operation();
      this.done[index]! += 1;
    } catch (error) {
      const { code = String(error) } = error as { code?: string };
      this.errors[code] = (this.errors[code] ?? 0) + 1;
      if (!EXPECTED.has(code)) this.faults.push(`${what} at node ${index}: ${code}`);
    } finally {
      clearTimeout(hangs);
    }
  }
}

describeZooKeeper(
  'ZooKeeper gone and back, under load',
  () => {
    let zookeeper: ZooKeeperServer;
    let cluster: TestCluster;
    let nodes: TestNode[];
    let load: Load;
    beforeEach(async () => {
      zookeeper = await startZooKeeper();
      cluster = await TestCluster.create(zookeeper);
      nodes = await startAll(cluster, 3, { sessionTimeoutMs: SESSION_MS });
      load = new Load(nodes);
      await progress();
    });
    afterEach(async () => {
      await load?.stop();
      await cluster?.close();
      await zookeeper?.stop();
    });

    /** Every node gets something done. */
    async function progress(): Promise<void> {
      const before = [...load.done];
      const goesOn = () =>
        load.done.every((done, index) => done > before[index]! + 20) ||
        Promise.reject(new Error(`${load.done} after ${before}`));
      await until('every node gets something done', goesOn, { timeoutMs: 60_000 });
    }

    async function allSuspended(): Promise<void> {
      for (const node of nodes) await node.untilNotLive();
      expect(nodes.map(({ status }) => status.role)).not.toContain('leader');
      // Nothing is answered, not even from memory.
      for (const node of nodes) {
        await expect(node.store.get('0-0')).rejects.toMatchObject({ code: 'ZISTORE_SESSION_LOST' });
        await expect(node.store.set('x', 'y')).rejects.toMatchObject({
          code: 'ZISTORE_SESSION_LOST',
          outcome: 'notApplied',
        });
      }
    }

    async function recovered(): Promise<void> {
      for (const node of nodes) await node.untilLive();
      await progress();
      await load.stop();
      expect(load.faults).toEqual([]);
      await expectNormal(nodes);
      process.stdout.write(
        `${expect.getState().currentTestName}: ${JSON.stringify({ done: load.done, errors: load.errors })}\n`,
      );
    }

    it('Z06: killed and started again at once: all recover by themselves', async () => {
      await zookeeper.kill();
      await zookeeper.start();
      await recovered();
    });

    it('Z06 Z24 S12 S16: killed, and started when every lease is over: meanwhile nobody answers', async () => {
      await zookeeper.kill();
      await allSuspended();
      await zookeeper.start();
      await recovered();
    });

    it('Z06: killed and started three times, one after the other', async () => {
      for (let time = 0; time < 3; time += 1) {
        await zookeeper.kill();
        await zookeeper.start();
        await pause(scaled(300));
      }
      await recovered();
    });

    it('Z06 Z24: stopped for longer than any lease, and continued', async () => {
      await zookeeper.pause();
      await allSuspended();
      await zookeeper.resume();
      await recovered();
    });

    it('Z19: stopped again and again for less than a lease', async () => {
      for (let time = 0; time < 4; time += 1) {
        await zookeeper.pause();
        await pause(SESSION_MS / 3);
        await zookeeper.resume();
        await pause(SESSION_MS / 8);
      }
      await recovered();
    });
  },
  'own',
);
