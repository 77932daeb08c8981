/** Keys and values at their limits, one over, and many of the largest at once. */
import { expect, it } from '@jest/globals';
import type { TestNode } from '../support/test-node.ts';
import { scaled } from '../support/wait.ts';
import { abuse, expectNormal, MIB, outcomes, PATIENT, startAll, tally } from './support.ts';

const MAX_KEY = 1024;
const LARGEST = 150;
const limit = { timeoutMs: scaled(60_000) };
const large = (index: number) => `${index}:`.padEnd(MIB, 'x');

abuse('Keys and values at the limit', (cluster) => {
  it('maxKeyBytes, maxValueBytes: exactly at the limit all goes through, one byte over is refused and not retryable', async () => {
    const nodes = await startAll(cluster(), 2, PATIENT);
    // A character of four bytes, so that the limit is one of bytes.
    const [key, value] = [`${'k'.repeat(MAX_KEY - 4)}🗝`, `${'v'.repeat(MIB - 4)}🗝`];
    const tooMuch = { code: 'ZISTORE_LIMIT_EXCEEDED', outcome: 'notApplied', retryable: false };
    for (const writer of nodes) {
      await writer.store.set(key, value, limit);
      for (const node of nodes) expect((await node.store.get(key, limit)) === value).toBe(true);
      const over = [
        writer.store.set(`${key}k`, 'v'),
        writer.store.set('k', `${value}v`),
        writer.store.delete(`${key}k`),
      ];
      expect(await outcomes(over)).toEqual([tooMuch, tooMuch, tooMuch]);
      const reads = [writer.store.get(`${key}k`), writer.store.has(`${key}k`)];
      expect(tally(await outcomes(reads))).toEqual({ 'ZISTORE_LIMIT_EXCEEDED read': 2 });
      await writer.store.delete(key, limit);
    }
    await expectNormal(nodes);
  });

  it('largest values, many at once: writes of a follower all arrive, over one connection', async () => {
    const nodes = await startAll(cluster(), 2, PATIENT);
    const [leader, follower] = nodes as [TestNode, TestNode];
    const writes = Array.from({ length: LARGEST }, (_none, index) =>
      follower.store.set(`k${index}`, large(index), limit),
    );
    expect(tally(await outcomes(writes))).toEqual({ ok: LARGEST });
    for (let index = 0; index < LARGEST; index += 10) {
      expect((await leader.store.get(`k${index}`)) === large(index)).toBe(true);
    }
    await expectNormal(nodes);
  });

  it('largest values, many at once: reads of a follower are all answered, over one connection', async () => {
    const nodes = await startAll(cluster(), 2, { ...PATIENT, cache: { maxBytes: 2 * MIB } });
    const [leader, follower] = nodes as [TestNode, TestNode];
    const keys = Array.from({ length: LARGEST }, (_none, index) => `k${index}`);
    await leader.store.setMany(keys.map((key, index) => [key, large(index)]));
    const read = await Promise.all(keys.map((key) => follower.store.get(key, limit)));
    expect(read.filter((value, index) => value !== large(index))).toEqual([]);
    const many = await follower.store.getMany(keys, limit);
    expect([...many.values()].filter((value, index) => value !== large(index))).toEqual([]);
    expect(follower.status.cache.bytes).toBeLessThanOrEqual(2 * MIB);
    await expectNormal(nodes);
  });

  it('largest values, both ways and from several nodes at once', async () => {
    const nodes = await startAll(cluster(), 3, PATIENT);
    const [leader, ...followers] = nodes as [TestNode, ...TestNode[]];
    await leader.store.setMany(Array.from({ length: 40 }, (_none, index) => [`read${index}`, large(index)]));
    const operations = followers.flatMap((node) =>
      Array.from({ length: 40 }, (_none, index) => [
        node.store.get(`read${index}`, limit),
        node.store.set(`written${node.number}-${index}`, large(index), limit),
      ]).flat(),
    );
    expect(tally(await outcomes(operations))).toEqual({ ok: 160 });
    await expectNormal(nodes);
  });

  it('store.maxBytes: a full store refuses what does not fit, serves what it has, and takes more when there is room', async () => {
    const nodes = await startAll(cluster(), 2, { ...PATIENT, store: { maxBytes: 10 * MIB } });
    const follower = nodes[1] as TestNode;
    const ends = await outcomes(
      Array.from({ length: 20 }, (_none, index) => follower.store.set(`k${index}`, large(index), limit)),
    );
    expect(tally(ends)).toEqual({ ok: 9, 'ZISTORE_LIMIT_EXCEEDED notApplied': 11 });
    expect(await follower.store.get('k8', limit)).toBe(large(8));
    expect(await follower.store.delete('k8', limit)).toBe(true);
    await follower.store.set('k19', large(19), limit);
    await follower.store.delete('k19', limit);
    await expectNormal(nodes);
  });
});
