/** S14 S15: nodes that do not answer their peers but are alive in ZooKeeper; what waits, and what ends the wait. */
import { expect, it } from '@jest/globals';
import { scenarios, watch, withCode } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';
import { pause, until } from '../support/wait.ts';

scenarios('Unreachable peers', (cluster) => {
  /** A leader, a holder of k that answers nobody, and a third node whose write of k waits for that holder. */
  async function blockedWrite() {
    const [leader, holder, writer] = (await cluster().startMany(3)) as [TestNode, TestNode, TestNode];
    await leader.set('k', 'v1');
    expect(await holder.get('k')).toBe('v1');
    holder.rDown();
    const write = watch(writer.set('k', 'v2'));
    await until('the write invalidates', () => leader.status.pending.invalidating === 1);
    return { leader, holder, writer, write };
  }

  it('S14 Z27: a write waits for a holder that is alive but does not answer, until it does', async () => {
    const { leader, holder, writer, write } = await blockedWrite();
    await writer.set('another key', 'x');
    // Long past every bound at which something could give up on the holder by itself.
    await pause(1500);
    expect([write.settled, holder.status.live]).toEqual([false, true]);
    // The write is not acknowledged, so the old value is still right, wherever it is answered from memory.
    expect(await leader.get('k')).toBe('v1');
    expect(await holder.get('k')).toBe('v1');
    holder.rUp();
    await write.promise;
    expect(await holder.get('k')).toBe('v2');
  });

  it('S14 Z27: a write waits for a holder that does not answer, until that one is gone', async () => {
    const { leader, holder, write } = await blockedWrite();
    const { address } = holder;
    holder.zDown();
    await write.promise;
    expect(await cluster().observer.hasMember(address)).toBe(false);
    expect(holder.status.live).toBe(false);
    await expect(holder.get('k')).rejects.toEqual(withCode('ZISTORE_SESSION_LOST'));
    expect(await leader.get('k')).toBe('v2');
  });

  it('S15 Z21 Z28: with an unreachable leader, writes and uncached reads wait, cached reads do not', async () => {
    const [leader, follower] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await leader.set('uncached', 'u');
    await leader.set('cached', 'c');
    expect(await follower.get('cached')).toBe('c');
    leader.rDown();
    const read = watch(follower.get('uncached'));
    const write = watch(follower.set('written', 'w'));
    await pause(1500);
    expect(await follower.get('cached')).toBe('c');
    expect(follower.store.peek('cached')).toBe('c');
    expect([read.settled, write.settled]).toEqual([false, false]);
    leader.rUp();
    expect(await read.promise).toBe('u');
    await write.promise;
    expect(await leader.get('written')).toBe('w');
  });

  it('S15 Z21: only the caller bounds the wait, and its giving up harms nobody else who waits', async () => {
    const [leader, follower] = (await cluster().startMany(2)) as [TestNode, TestNode];
    await leader.set('k', 'v');
    leader.rDown();
    const patient = watch(follower.get('k'));
    await expect(follower.get('k', { timeoutMs: 100 })).rejects.toEqual(withCode('ZISTORE_TIMEOUT'));
    const abort = new AbortController();
    const aborted = follower.get('k', { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toEqual(withCode('ZISTORE_ABORTED'));
    await expect(follower.set('k', 'maybe', { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ZISTORE_TIMEOUT',
      outcome: 'unknown',
    });
    expect(patient.settled).toBe(false);
    leader.rUp();
    expect(['v', 'maybe']).toContain(await patient.promise);
  });
});
