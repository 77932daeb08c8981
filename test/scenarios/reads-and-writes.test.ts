/** S03–S07: what is read, and which messages that takes. */
import { expect, it } from '@jest/globals';
import type { Counters } from '../../src/core/status.ts';
import { scenarios } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';

/** By how much a counter of a node grows while `work` runs. */
async function growth(node: TestNode, counter: keyof Counters, work: () => Promise<unknown>): Promise<number> {
  const before = node.counters[counter];
  await work();
  return node.counters[counter] - before;
}

scenarios('Reads and writes', (cluster) => {
  it('S03: a single node reads nothing, then what it wrote', async () => {
    const node = await cluster().start();
    expect(await node.get('a')).toBeUndefined();
    expect(await node.get('a')).toBeUndefined();
    await node.set('a', '1');
    expect([await node.get('a'), await node.get('a')]).toEqual(['1', '1']);
    await node.set('a', '2');
    expect([await node.get('a'), await node.get('a')]).toEqual(['2', '2']);
    expect(await node.get('b')).toBeUndefined();
    await node.set('b', '3');
    expect([await node.get('a'), await node.get('b')]).toEqual(['2', '3']);
    await node.delete('a');
    expect([await node.get('a'), await node.get('b')]).toEqual([undefined, '3']);
  });

  it('S04 Z16: what is written at one node is read at all the others', async () => {
    const nodes = await cluster().startMany(3);
    for (const [i, writer] of nodes.entries()) {
      // The first round finds copies to invalidate at the others in all but its first turn.
      for (const key of ['shared', `own-${i}`]) {
        await writer.set(key, `${key} of ${i}`);
        expect(await Promise.all(nodes.map((node) => node.get(key)))).toEqual(nodes.map(() => `${key} of ${i}`));
      }
    }
  });

  it('S05 Z18: that a key has no value is not cached', async () => {
    const [leader, follower] = (await cluster().startMany(2)) as [TestNode, TestNode];
    const reads = await growth(leader, 'serverReadsServed', async () => {
      for (let i = 0; i < 3; i += 1) expect(await follower.get('missing')).toBeUndefined();
    });
    expect(reads).toBe(3);
    await leader.set('missing', 'here now');
    expect(await follower.get('missing')).toBe('here now');
  });

  it('S06 Z17 Z22: the writer reads from its own memory, every other node asks once', async () => {
    const [leader, writer, ...others] = (await cluster().startMany(4)) as [TestNode, TestNode, ...TestNode[]];
    await writer.set('k', 'v');
    const readTwice = (node: TestNode) => async () => {
      expect([await node.get('k'), await node.get('k')]).toEqual(['v', 'v']);
    };
    expect(await growth(writer, 'serverReadsSent', readTwice(writer))).toBe(0);
    expect(await growth(leader, 'serverReadsSent', readTwice(leader))).toBe(0);
    for (const other of others) {
      expect(await growth(other, 'serverReadsSent', readTwice(other))).toBe(1);
      expect(await growth(other, 'serverReadsSent', readTwice(other))).toBe(0);
    }
  });

  it('S07: overwriting sends exactly one invalidation to each holder and none to others', async () => {
    const [leader, holderA, holderB, writer] = (await cluster().startMany(4)) as [
      TestNode,
      TestNode,
      TestNode,
      TestNode,
    ];
    await holderA.set('k', 'v1');
    await holderB.get('k');
    const received = () => [holderA, holderB, writer].map((node) => node.counters.invalidationsReceived);
    const overwrite = async (node: TestNode, value: string) => {
      const before = received();
      const sent = await growth(leader, 'invalidationsSent', () => node.set('k', value));
      return { sent, received: received().map((count, i) => count - before[i]!) };
    };
    expect(await overwrite(writer, 'v2')).toEqual({ sent: 2, received: [1, 1, 0] });
    // Now the writer alone holds it; an equal value is a write like any other.
    expect(await overwrite(holderA, 'v2')).toEqual({ sent: 1, received: [0, 0, 1] });
    expect(await overwrite(leader, 'v3')).toEqual({ sent: 1, received: [1, 0, 0] });
    expect(await overwrite(leader, 'v3')).toEqual({ sent: 0, received: [0, 0, 0] });
  });
});
