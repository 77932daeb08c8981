/** S11–S13 S16 S17: nodes that lose their session, and what they bring back. */
import { expect, it } from '@jest/globals';
import type { TestCluster } from '../support/cluster.ts';
import { scenarios, withCode } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';

/** Every way to read or write at this node fails because it has no session. */
async function expectNoService(node: TestNode, key: string): Promise<void> {
  await expect(node.get(key)).rejects.toEqual(withCode('ZISTORE_SESSION_LOST'));
  await expect(node.set(key, 'refused')).rejects.toMatchObject({
    code: 'ZISTORE_SESSION_LOST',
    outcome: 'notApplied',
  });
  const peek = async () => node.store.peek(key);
  await expect(peek()).rejects.toEqual(withCode('ZISTORE_SESSION_LOST'));
}

/** Cut off until the others see it gone. */
async function loseSession(node: TestNode, { observer }: TestCluster): Promise<void> {
  const { address } = node;
  node.zDown();
  await observer.untilMember(address, false);
}

scenarios('Lost sessions', (cluster) => {
  const lose = (node: TestNode) => loseSession(node, cluster());

  it('S11 Z19 Z24: a follower without a session fails every read and write, also of cached keys', async () => {
    const [leader, follower] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await leader.set('k', 'v');
    expect(await follower.get('k')).toBe('v');
    await lose(follower);
    await expectNoService(follower, 'k');
    await expectNoService(follower, 'unknown');
    expect(await leader.get('k')).toBe('v');
  });

  it('S12 Z26: a leader without a session serves nobody; back again, it reads what was written without it', async () => {
    const [old, next] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await old.set('k', 'v1');
    await lose(old);
    await expectNoService(old, 'k');
    await next.untilRole('leader');
    await next.set('k', 'v2');
    old.zUp();
    await old.untilLive();
    expect(await old.get('k')).toBe('v2');
    expect(old.status.role).toBe('follower');
  });

  it('S13 Z27: a write goes on without a holder that is gone; back again, that one reads the new value', async () => {
    const [leader, holder] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await leader.set('k', 'v1');
    expect(await holder.get('k')).toBe('v1');
    // Cut from its peers as well, or it would still hear of the write.
    holder.rDown();
    await lose(holder);
    await leader.set('k', 'v2');
    holder.zUp();
    await holder.untilLive();
    expect(await holder.get('k')).toBe('v2');
  });

  it('S16 Z41: a lone leader that loses its session and leads again keeps its data', async () => {
    const node = await cluster().start();
    await node.set('k', 'v');
    await lose(node);
    await expectNoService(node, 'k');
    node.zUp();
    await node.untilRole('leader');
    expect(node.counters.sessionsLost).toBe(1);
    expect(await node.get('k')).toBe('v');
  });

  it('S16 Z41: not alone, but nobody led in between: the data is kept', async () => {
    const leader = await cluster().start();
    const client = await cluster().start({ candidate: false });
    await leader.set('only at the leader', 'v1');
    await client.set('at both', 'v2');
    await lose(leader);
    leader.zUp();
    await leader.untilRole('leader');
    await client.untilLive();
    expect(await client.get('only at the leader')).toBe('v1');
    expect(await leader.get('at both')).toBe('v2');
  });

  it('S16 Z41: somebody led in between: the old leader brings nothing back, although nobody leads any more', async () => {
    const [old, next] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await old.set('only at the old leader', 'v1');
    await old.set('written again', 'v1');
    await lose(old);
    await next.untilRole('leader');
    await next.set('written again', 'v2');
    await lose(next);
    old.zUp();
    await old.untilRole('leader');
    // Whoever held them is gone, so the keys are absent (not recorded: a checker would have to be told of the loss).
    expect(await old.store.get('only at the old leader')).toBeUndefined();
    expect(await old.store.get('written again')).toBeUndefined();
  });

  it('S16: a follower that comes back alone brings nothing back', async () => {
    const [leader, follower] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await leader.set('k', 'v');
    expect(await follower.get('k')).toBe('v');
    // The follower first, so that it never leads before its copies are gone.
    await lose(follower);
    await lose(leader);
    follower.zUp();
    await follower.untilRole('leader');
    expect(await follower.store.get('k')).toBeUndefined();
    expect(follower.status.cache.entries).toBe(0);
  });

  it('S17 Z31: the old leader comes back flushed and reads through the new one', async () => {
    const [old, next] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await old.set('k', 'v1');
    expect(await next.get('k')).toBe('v1');
    await lose(old);
    await next.untilRole('leader');
    old.zUp();
    await old.untilRole('follower');
    expect(old.status.cache.entries).toBe(0);
    const before = old.counters.serverReadsSent;
    expect(await old.get('k')).toBe('v1');
    expect(await old.get('k')).toBe('v1');
    expect(old.counters.serverReadsSent - before).toBe(1);
  });
});
