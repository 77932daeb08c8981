/** S18 S19: operations that meet a leader that dies or has lost its session. */
import { expect, it } from '@jest/globals';
import { scenarios } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';
import { until } from '../support/wait.ts';

scenarios('Leader changes', (cluster) => {
  it('S18 Z20: followers that read while the leader dies all get their answers', async () => {
    const leader = await cluster().spawn();
    await leader.untilLive();
    const followers = [await cluster().start(), await cluster().start(), await cluster().start()];
    await Promise.all(followers.map((node) => node.untilRole('follower')));
    const keys = Array.from({ length: 8 }, (_unused, i) => `k${i}`);
    // Held by a follower as well, so that the next leader has them.
    await Promise.all(keys.map((key) => followers[0]!.set(key, `${key} kept`)));
    const reads = followers.flatMap((node) => keys.map((key) => node.get(key)));
    await leader.kill();
    const later = followers.flatMap((node) => keys.map((key) => node.get(key)));
    for (const [i, value] of (await Promise.all([...reads, ...later])).entries()) {
      expect(value).toBe(`${keys[i % keys.length]} kept`);
    }
    await cluster().leader(followers);
  });

  it('S18 Z25: followers that write while the leader dies all get an answer, and none is lost silently', async () => {
    const leader = await cluster().spawn();
    await leader.untilLive();
    const followers = [await cluster().start(), await cluster().start()] as [TestNode, TestNode];
    await Promise.all(followers.map((node) => node.untilRole('follower')));
    const writes = followers.flatMap((node, n) =>
      Array.from({ length: 8 }, (_unused, i) => ({ node, key: `k${n}-${i}`, value: `v${n}-${i}` })),
    );
    const results = Promise.allSettled(writes.map(({ node, key, value }) => node.set(key, value)));
    await leader.kill();
    for (const [i, result] of (await results).entries()) {
      const { node, key, value } = writes[i]!;
      if (result.status === 'fulfilled') expect(await node.get(key)).toBe(value);
      else expect(result.reason).toMatchObject({ code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' });
    }
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
