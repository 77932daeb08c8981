/** A holder that never acknowledges, though ZooKeeper says that it lives (Z27 Z28 S14): who waits, how long, and what does not. */
import { expect, it } from '@jest/globals';
import type { TestCluster } from '../support/cluster.ts';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { abuse, expectNormal, outcomes, startAll, tally, untilIdle } from './support.ts';

const KEYS = 200;
const ROUNDS = 10;
/** Long enough for a busy machine, short enough to wait for the end of a session. */
const OPTIONS = { sessionTimeoutMs: scaled(3000), maxPending: 100 };
const held = (index: number) => `held${index % KEYS}`;

abuse('A holder that never acknowledges', (cluster) => {
  /** A leader, a holder of all keys `held…` that answers nobody from here on, and another follower. */
  async function silentHolder(of: TestCluster) {
    const [leader, holder, writer] = (await startAll(of, 3, OPTIONS)) as [TestNode, TestNode, TestNode];
    await holder.store.setMany(Array.from({ length: KEYS }, (_none, index) => [held(index), 'v1']));
    holder.rDown();
    return { leader, holder, writer, nodes: [leader, holder, writer] };
  }

  it('Z27 Z08: writes wait as long as their callers do; what was sent is unknown, what was refused or queued is not applied', async () => {
    const { leader, holder, writer, nodes } = await silentHolder(cluster());
    const limit = { timeoutMs: scaled(300) };
    const sent = await outcomes([leader.store.set(held(0), 'v2', limit), writer.store.set(held(1), 'v2', limit)]);
    expect(tally(sent)).toEqual({ 'ZISTORE_TIMEOUT unknown': 2 });
    // Behind the one that was sent for the same key: it never begins.
    expect(tally(await outcomes([leader.store.set(held(0), 'v3', limit)]))).toEqual({
      'ZISTORE_TIMEOUT notApplied': 1,
    });
    const abort = new AbortController();
    const aborted = outcomes([leader.store.delete(held(0), { signal: abort.signal })]);
    abort.abort();
    expect(tally(await aborted)).toEqual({ 'ZISTORE_ABORTED notApplied': 1 });
    expect(await holder.store.get(held(0))).toBe('v1');
    holder.rUp();
    await untilIdle(nodes);
    expect(await writer.get(held(0))).toBe('v2');
    await expectNormal(nodes);
  });

  it('maxPending Z23: callers that give up and come again pile nothing up, and writes of keys that others hold go on', async () => {
    const { leader, holder, writer, nodes } = await silentHolder(cluster());
    const patient = { timeoutMs: scaled(10_000) };
    const limit = { timeoutMs: scaled(50) };
    for (let round = 0; round < ROUNDS; round += 1) {
      const writes = [leader, writer].flatMap((node) =>
        Array.from({ length: OPTIONS.maxPending }, (_none, index) =>
          node.store.set(held(round * OPTIONS.maxPending + index), `${round}`, limit),
        ),
      );
      await outcomes(writes);
      const { locks, operations } = leader.status.pending;
      expect(locks).toBeLessThanOrEqual(OPTIONS.maxPending);
      expect(operations).toBe(0);
      await leader.set(`free${round}`, 'v', patient);
      await writer.set(`free${round}`, 'w', patient);
      // Of these the writer has copies, and acknowledges.
      for (const value of ['x', 'y']) {
        await leader.set(`free${round}`, value, patient);
        expect(await writer.get(`free${round}`, patient)).toBe(value);
      }
    }
    holder.rUp();
    await untilIdle(nodes);
    await expectNormal(nodes);
  });

  it('Z27: the end of its session frees them all', async () => {
    const { leader, holder, writer, nodes } = await silentHolder(cluster());
    const waiting = outcomes(
      Array.from({ length: OPTIONS.maxPending }, (_none, index) => writer.store.set(held(index), 'v2')),
    );
    await until('all wait', () => leader.status.pending.invalidating === OPTIONS.maxPending);
    holder.zDown();
    expect(tally(await waiting)).toEqual({ ok: OPTIONS.maxPending });
    expect(tally(await outcomes([holder.store.get(held(0))]))).toEqual({ 'ZISTORE_SESSION_LOST read': 1 });
    await untilIdle([leader, writer]);
    holder.zUp();
    holder.rUp();
    await holder.untilLive();
    expect(await holder.get(held(0), { timeoutMs: scaled(20_000) })).toBe('v2');
    await expectNormal(nodes);
  });
});
