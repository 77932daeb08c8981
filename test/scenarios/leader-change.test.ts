/** S18 S19: operations that meet a leader that dies or has lost its session. */
import { expect, it } from '@jest/globals';
import type { ProcessNode } from '../support/process-node.ts';
import { scenarios } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';
import { until } from '../support/wait.ts';

scenarios('Leader changes', (cluster) => {
  /** Requests that were sent to a leader which then dies: it is stopped first, so that it answers none of them. */
  async function whileLeaderDies<T>(followers: TestNode[], leader: ProcessNode, ask: () => Promise<T>[]) {
    const idle = followers.map((node) => node.status.pending.operations);
    leader.stop();
    const asked = ask();
    await until('they wait for the leader', () =>
      followers.every((node, i) => node.status.pending.operations > idle[i]!),
    );
    await leader.kill();
    return asked;
  }

  async function startFollowers(count: number): Promise<{ leader: ProcessNode; followers: TestNode[] }> {
    const leader = await cluster().spawn();
    await leader.untilLive();
    const followers: TestNode[] = [];
    for (let i = 0; i < count; i += 1) followers.push(await cluster().start());
    await Promise.all(followers.map((node) => node.untilRole('follower')));
    return { leader, followers };
  }

  it('S18 Z20: followers that read while the leader dies all get their answers', async () => {
    const { leader, followers } = await startFollowers(3);
    const readers = followers.slice(0, 2);
    const holder = followers[2]!;
    const keys = Array.from({ length: 8 }, (_unused, i) => `k${i}`);
    // Held by a follower as well, so that the next leader has them.
    await Promise.all(keys.map((key) => holder.set(key, `${key} kept`)));
    await Promise.all(readers.map((node) => node.get('to be connected')));
    const readAll = () => readers.flatMap((node) => keys.map((key) => node.get(key)));
    const reads = [...(await whileLeaderDies(readers, leader, readAll)), ...readAll()];
    for (const [i, value] of (await Promise.all(reads)).entries()) {
      expect(value).toBe(`${keys[i % keys.length]} kept`);
    }
    await cluster().leader(followers);
  });

  it('S18 Z08 Z25: of writes sent to a leader that dies the outcome is unknown, and nobody repeats them', async () => {
    const { leader, followers } = await startFollowers(2);
    await Promise.all(followers.map((node, i) => node.set(`before-${i}`, 'x')));
    const writeAll = () =>
      followers.flatMap((node, n) => Array.from({ length: 8 }, (_unused, i) => node.set(`k${n}-${i}`, 'sent')));
    const sent = await whileLeaderDies(followers, leader, writeAll);
    for (const result of await Promise.allSettled(sent)) {
      expect(result).toMatchObject({ reason: { code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' } });
    }
    // The leader was stopped before it saw any of them, and nobody may repeat them.
    for (const [n, node] of followers.entries()) expect(await node.get(`k${n}-0`)).toBeUndefined();
    await Promise.all(followers.map((node, n) => node.set(`k${n}-0`, 'written later')));
  });

  it('S19 Z25 Z26: a leader without a session refuses a write, which then completes at the next leader', async () => {
    const [leader, writer] = (await cluster().startMany(2)) as [TestNode, TestNode];
    const { address } = leader;
    await writer.set('k', 'v1');
    const applied = leader.counters.writesApplied;
    leader.zDown();
    await leader.untilNotLive();
    // Its lease is over before its znodes go, so its peers still take it for the leader.
    expect(writer.status.leader).toBe(address);
    await writer.set('k', 'v2');
    expect(writer.status.role).toBe('leader');
    expect(leader.counters.writesApplied).toBe(applied);
    expect(await writer.get('k')).toBe('v2');
    leader.zUp();
    await leader.untilLive();
    expect(await leader.get('k')).toBe('v2');
  });

  it('Z08: a write whose leader is gone before it answers has an unknown outcome, and is not repeated', async () => {
    const [leader, holder, writer] = (await cluster().startMany(3)) as [TestNode, TestNode, TestNode];
    await holder.set('k', 'v1');
    holder.rDown();
    const write = writer.set('k', 'v2');
    await until('the write invalidates', () => leader.status.pending.invalidating === 1);
    leader.zDown();
    await expect(write).rejects.toMatchObject({ code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' });
    holder.rUp();
    // If the invalidation still reached the holder, the leader was the only one left that held the key.
    expect([undefined, 'v1', 'v2']).toContain(await writer.store.get('k'));
  });
});
