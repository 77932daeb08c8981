/** S08–S10: writes of one key one after the other, of different keys together; reads wait for the write of their key. */
import { expect, it } from '@jest/globals';
import { scenarios, watch } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';
import { pause, until } from '../support/wait.ts';

const KEYS = ['k1', 'k2', 'k3', 'k4'];

/** Highest number of writes inside invalidation at once, as long as `sample` runs. */
function sampleInvalidating(leader: TestNode): { most: number; stop(): void } {
  const sample = { most: 0, stop: () => clearInterval(timer) };
  const timer = setInterval(() => {
    sample.most = Math.max(sample.most, leader.status.pending.invalidating);
  }, 1);
  return sample;
}

scenarios('Concurrent writes', (cluster) => {
  it('S08 Z23: four writes of four keys are inside invalidation together', async () => {
    const [leader, holder, writer] = (await cluster().startMany(3)) as [TestNode, TestNode, TestNode];
    for (const key of KEYS) await holder.set(key, `${key} old`);
    holder.rDown();
    const writes = KEYS.map((key, i) => (i % 2 === 0 ? leader : writer).set(key, `${key} new`));
    await until('all four invalidate', () => leader.status.pending.invalidating === KEYS.length);
    holder.rUp();
    await Promise.all(writes);
    expect(await Promise.all(KEYS.map((key) => holder.get(key)))).toEqual(KEYS.map((key) => `${key} new`));
  });

  it('S09 Z23: four writes of one key are never inside invalidation together, and all succeed', async () => {
    const nodes = (await cluster().startMany(4)) as [TestNode, TestNode, TestNode, TestNode];
    const [leader, holder] = nodes;
    await holder.set('k', 'old');
    holder.rDown();
    const sample = sampleInvalidating(leader);
    const values = nodes.map((_node, i) => `from ${i}`);
    const writes = nodes.map((node, i) => watch(node.set('k', values[i]!)));
    // Sent after them on the same connections, so when these are done all four have reached the leader.
    await Promise.all(nodes.map((node, i) => node.set(`other-${i}`, 'x')));
    await until('one of them invalidates', () => leader.status.pending.invalidating === 1);
    await pause(50);
    expect(leader.status.pending.invalidating).toBe(1);
    expect(writes.map((write) => write.settled)).toEqual([false, false, false, false]);
    holder.rUp();
    await Promise.all(writes.map((write) => write.promise));
    sample.stop();
    expect(sample.most).toBe(1);
    const last = await leader.get('k');
    expect(values).toContain(last);
    expect(await Promise.all(nodes.map((node) => node.get('k')))).toEqual(nodes.map(() => last));
  });

  it('S10 Z23: a server read waits for the write of its key, a read of another key does not', async () => {
    const [leader, holder, reader] = (await cluster().startMany(3)) as [TestNode, TestNode, TestNode];
    await holder.set('k', 'old');
    await leader.set('other', 'x');
    holder.rDown();
    const write = watch(leader.set('k', 'new'));
    await until('the write invalidates', () => leader.status.pending.invalidating === 1);
    const read = watch(reader.get('k'));
    // On the same connection as the read before it, which so has reached the leader when this one is answered.
    expect(await reader.get('other')).toBe('x');
    await pause(50);
    expect([write.settled, read.settled]).toEqual([false, false]);
    holder.rUp();
    await write.promise;
    expect(await read.promise).toBe('new');
  });
});
