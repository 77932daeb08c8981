/** A hundred thousand copies that are overwritten at once (Z22 Z27 S07): one invalidation each, all end, nothing is left. */
import { expect, it } from '@jest/globals';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { abuse, expectNormal, liveBytes, MIB, outcomes, startAll, tally, untilIdle } from './support.ts';

const KEYS = 100_000;
const key = (index: number) => `key${index}`;
const entries = (value: string) =>
  Array.from({ length: KEYS }, (_none, index): [string, string] => [key(index), value]);

abuse('100,000 keys invalidated', (cluster) => {
  /** A leader, a follower that holds every key, and another one. All may have as many operations in progress. */
  async function holderOfAll(): Promise<[TestNode, TestNode, TestNode]> {
    const nodes = await startAll(cluster(), 3, { sessionTimeoutMs: scaled(60_000), maxPending: KEYS });
    const [leader, holder] = nodes as [TestNode, TestNode, TestNode];
    await holder.store.setMany(entries('v1'));
    expect(holder.status.cache.entries).toBe(KEYS);
    expect(leader.status.pending.directory).toBe(KEYS);
    return nodes as [TestNode, TestNode, TestNode];
  }

  async function expectReplaced([leader, holder, other]: readonly TestNode[]): Promise<void> {
    for (let index = 0; index < KEYS; index += 9973) {
      for (const node of [leader, holder, other]) expect(await node!.store.get(key(index))).toBe('v2');
    }
  }

  it('Z22 Z27: by as many writes of the leader at the same time', async () => {
    const nodes = await holderOfAll();
    const [leader, holder] = nodes;
    const before = await liveBytes();
    const ended = outcomes(entries('v2').map(([one, value]) => leader.store.set(one, value)));
    expect(leader.status.pending.invalidating).toBe(KEYS);
    expect(tally(await ended)).toEqual({ ok: KEYS });
    expect(leader.counters.invalidationsSent).toBe(KEYS);
    expect(holder.counters.invalidationsReceived).toBe(KEYS);
    expect([holder.status.cache.entries, leader.status.pending.directory]).toEqual([0, 0]);
    await untilIdle(nodes, 30_000);
    await expectReplaced(nodes);
    expect((await liveBytes()) - before).toBeLessThan(64 * MIB);
    await expectNormal(nodes);
  });

  it('Z22 Z27: by as many writes of another follower at the same time', async () => {
    const nodes = await holderOfAll();
    const [leader, holder, other] = nodes;
    const before = await liveBytes();
    const ended = outcomes(entries('v2').map(([one, value]) => other.store.set(one, value)));
    expect(tally(await ended)).toEqual({ ok: KEYS });
    expect(holder.counters.invalidationsReceived).toBe(KEYS);
    expect([holder.status.cache.entries, other.status.cache.entries]).toEqual([0, KEYS]);
    await untilIdle(nodes, 30_000);
    await expectReplaced(nodes);
    expect((await liveBytes()) - before).toBeLessThan(64 * MIB);
    await leader.store.setMany(entries('v3'));
    expect(other.status.cache.entries).toBe(0);
    await expectNormal(nodes);
  });

  it('Z27 Z08: all callers give up at once: what was sent runs to its end', async () => {
    const nodes = await holderOfAll();
    const [leader, holder, other] = nodes;
    holder.rDown();
    const abort = new AbortController();
    const half = KEYS / 4;
    const writes = (node: TestNode, from: number) =>
      entries('v2')
        .slice(from, from + half)
        .map(([one, value]) => node.store.set(one, value, { signal: abort.signal }));
    const ended = outcomes([...writes(leader, 0), ...writes(other, half)]);
    await until('all wait', () => leader.status.pending.invalidating === 2 * half, { timeoutMs: 30_000 });
    abort.abort();
    expect(tally(await ended)).toEqual({ 'ZISTORE_ABORTED unknown': 2 * half });
    holder.rUp();
    await untilIdle(nodes, 30_000);
    expect(await holder.store.get(key(0))).toBe('v2');
    expect(await holder.store.get(key(2 * half - 1))).toBe('v2');
    expect(await holder.store.get(key(2 * half))).toBe('v1');
    await expectNormal(nodes);
  });
});
