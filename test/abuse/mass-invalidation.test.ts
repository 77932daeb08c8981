/** A hundred thousand copies that are overwritten at once (Z22 Z27 S07): one invalidation each, all end, nothing is left. */
import { expect, it } from '@jest/globals';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { abuse, expectNormal, liveBytes, MIB, outcomes, startAll, tally, untilIdle } from './support.ts';

const KEYS = 100_000;
const key = (index: number) => `key${index}`;

abuse('100,000 keys invalidated', (cluster) => {
  /** A leader, a follower that holds `count` keys, and another one. All may have as many operations in progress. */
  async function holderOf(count: number): Promise<[TestNode, TestNode, TestNode]> {
    const nodes = await startAll(cluster(), 3, { sessionTimeoutMs: scaled(60_000), maxPending: KEYS });
    const [leader, holder] = nodes as [TestNode, TestNode, TestNode];
    expect(tally(await all(holder, 'v1', 0, count))).toEqual({ ok: count });
    expect(holder.status.cache.entries).toBe(count);
    expect(leader.status.pending.directory).toBe(count);
    return nodes as [TestNode, TestNode, TestNode];
  }

  const all = (node: TestNode, value: string, from: number, to: number, signal = new AbortController().signal) =>
    outcomes(Array.from({ length: to - from }, (_none, index) => node.store.set(key(from + index), value, { signal })));

  async function expectEverywhere(nodes: readonly TestNode[], value: string): Promise<void> {
    for (let index = 0; index < KEYS; index += 9973) {
      for (const node of nodes) expect(await node.store.get(key(index))).toBe(value);
    }
  }

  it('Z22 Z27 S07: by as many writes at the same time, of another follower and then of the leader', async () => {
    const nodes = await holderOf(KEYS);
    const [leader, holder, other] = nodes;
    const before = await liveBytes();
    expect(tally(await all(other, 'v2', 0, KEYS))).toEqual({ ok: KEYS });
    expect(holder.counters.invalidationsReceived).toBe(KEYS);
    expect([holder.status.cache.entries, other.status.cache.entries]).toEqual([0, KEYS]);
    await untilIdle(nodes, 30_000);
    await expectEverywhere(nodes, 'v2');
    const ended = all(leader, 'v3', 0, KEYS);
    expect(leader.status.pending.invalidating).toBe(KEYS);
    expect(tally(await ended)).toEqual({ ok: KEYS });
    expect(other.counters.invalidationsReceived).toBe(KEYS);
    expect([other.status.cache.entries, leader.status.pending.directory]).toEqual([0, 0]);
    await untilIdle(nodes, 30_000);
    await expectEverywhere(nodes, 'v3');
    expect((await liveBytes()) - before).toBeLessThan(64 * MIB);
    await expectNormal(nodes);
  });

  it('Z27 Z08: all callers give up at once: what was sent runs to its end', async () => {
    const half = KEYS / 10;
    const nodes = await holderOf(2 * half + 1);
    const [leader, holder, other] = nodes;
    holder.rDown();
    const abort = new AbortController();
    const ended = [all(leader, 'v2', 0, half, abort.signal), all(other, 'v2', half, 2 * half, abort.signal)];
    await until('all wait', () => leader.status.pending.invalidating === 2 * half, { timeoutMs: 30_000 });
    abort.abort();
    for (const ends of await Promise.all(ended)) expect(tally(ends)).toEqual({ 'ZISTORE_ABORTED unknown': half });
    holder.rUp();
    await untilIdle(nodes, 30_000);
    const read = await holder.store.getMany([key(0), key(2 * half - 1), key(2 * half)]);
    expect([...read.values()]).toEqual(['v2', 'v2', 'v1']);
    await expectNormal(nodes);
  });
});
