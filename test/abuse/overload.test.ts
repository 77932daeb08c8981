/** More operations than a node may have in progress (Z23; `maxPending`): refused at once, and nothing is left of it. */
import { expect, it } from '@jest/globals';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { abuse, expectNormal, outcomes, PATIENT, startAll, tally, untilIdle } from './support.ts';

const MAX_PENDING = 500;
const LIMITED = { ...PATIENT, maxPending: MAX_PENDING };
const FULL = { code: 'ZISTORE_LIMIT_EXCEEDED', outcome: 'notApplied', retryable: true };

abuse('Load beyond capacity', (cluster) => {
  const many = <T>(count: number, operation: (index: number) => Promise<T>) =>
    Array.from({ length: count }, (_nothing, index) => operation(index));

  it('maxPending: a follower with far too many writes refuses what is too much at once, and the others end', async () => {
    const nodes = await startAll(cluster(), 3, LIMITED);
    const follower = nodes[1] as TestNode;
    const ends = await outcomes(many(20 * MAX_PENDING, (index) => follower.store.set(`k${index}`, 'v')));
    expect(tally(ends)).toEqual({ ok: MAX_PENDING, 'ZISTORE_LIMIT_EXCEEDED notApplied': 19 * MAX_PENDING });
    expect(new Set(ends.map((end) => JSON.stringify(end)))).toEqual(new Set([undefined, JSON.stringify(FULL)]));
    // What was refused was not applied, as it said.
    expect(await (nodes[0] as TestNode).get(`k${20 * MAX_PENDING - 1}`)).toBeUndefined();
    await expectNormal(nodes);
  });

  it('maxPending: so it does with reads that need the leader; reads from memory are not counted', async () => {
    const nodes = await startAll(cluster(), 2, LIMITED);
    const follower = nodes[1] as TestNode;
    await follower.set('cached', 'v');
    const ends = await outcomes(many(20 * MAX_PENDING, (index) => follower.store.get(`k${index}`)));
    expect(tally(ends)).toEqual({ ok: MAX_PENDING, 'ZISTORE_LIMIT_EXCEEDED read': 19 * MAX_PENDING });
    expect(ends.at(-1)?.retryable).toBe(true);
    const cached = outcomes(many(20 * MAX_PENDING, () => follower.store.get('cached')));
    expect(tally(await cached)).toEqual({ ok: 20 * MAX_PENDING });
    await expectNormal(nodes);
  });

  it('maxPending: followers whose writes wait at the leader cannot have it queue more than it may', async () => {
    const nodes = await startAll(cluster(), 4, LIMITED);
    const [leader, holder, ...writers] = nodes as [TestNode, TestNode, ...TestNode[]];
    // The leader's own writes are done at once unless somebody holds their keys, and does not answer.
    await holder.store.setMany(many(100, async () => 0).map((_one, index) => [`held${index}`, 'v1']));
    holder.rDown();
    const waiting = writers.flatMap((writer) =>
      many(MAX_PENDING, (index) => writer.store.set(`held${index % 100}`, `${writer.number}-${index}`)),
    );
    const ended = outcomes(waiting);
    await until('all locks are taken', () => leader.status.pending.invalidating === 100);
    const own = await outcomes(many(10, (index) => leader.store.set(`held${index}`, 'own')));
    expect(own).toEqual(own.map(() => FULL));
    holder.rUp();
    const counts = tally(await ended);
    expect(Object.keys(counts).sort()).toEqual(['ZISTORE_LIMIT_EXCEEDED notApplied', 'ok']);
    // As many as may wait, and not one more.
    expect(counts.ok).toBe(MAX_PENDING);
    await untilIdle(nodes);
    await expectNormal(nodes);
  });

  it('maxPending: a leader with far too many writes of its own refuses what is too much, and the others end', async () => {
    const nodes = await startAll(cluster(), 2, LIMITED);
    const [leader, holder] = nodes as [TestNode, TestNode];
    const keys = many(MAX_PENDING, async () => 0).map((_one, index) => `k${index}`);
    await holder.store.setMany(keys.map((key) => [key, 'v1']));
    holder.rDown();
    const ended = outcomes(many(20 * MAX_PENDING, (index) => leader.store.set(keys[index % keys.length]!, 'v2')));
    await until('the queue is full', () => leader.status.pending.operations === MAX_PENDING);
    expect(await outcomes([leader.store.set('k0', 'v3')])).toEqual([FULL]);
    expect(await leader.get('k0')).toBe('v1');
    holder.rUp();
    expect(tally(await ended)).toEqual({ ok: MAX_PENDING, 'ZISTORE_LIMIT_EXCEEDED notApplied': 19 * MAX_PENDING });
    await expectNormal(nodes);
  });

  it('an operation that is refused for a full queue succeeds when it is tried again, as `retryable` says', async () => {
    const nodes = await startAll(cluster(), 2, LIMITED);
    const follower = nodes[1] as TestNode;
    const persistent = async (index: number): Promise<void> => {
      for (let attempt = 1; ; attempt += 1) {
        const [end] = await outcomes([follower.store.set(`k${index}`, `v${index}`)]);
        if (end === undefined) return;
        expect(end).toEqual(FULL);
        expect(attempt).toBeLessThan(1000);
        await new Promise((resolve) => setTimeout(resolve, scaled(2 ** Math.min(attempt, 6)) * Math.random()));
      }
    };
    await Promise.all(many(4 * MAX_PENDING, persistent));
    expect(await follower.get(`k${4 * MAX_PENDING - 1}`)).toBe(`v${4 * MAX_PENDING - 1}`);
    await expectNormal(nodes);
  });
});
