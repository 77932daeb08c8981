/** Nodes that do not fit their cluster are told so at the door, with nothing left behind. */
import { expect, it } from '@jest/globals';
import type { NodeOverrides } from '../support/cluster.ts';
import { scenarios, withCode } from '../support/scenarios.ts';

const SECRET = 'a secret of the whole cluster';

scenarios('Nodes that do not fit', (cluster) => {
  const refusals: [string, NodeOverrides, NodeOverrides, 'ZISTORE_INCOMPATIBLE' | 'ZISTORE_UNAUTHORIZED'][] = [
    ['another key limit', {}, { maxKeyBytes: 2048 }, 'ZISTORE_INCOMPATIBLE'],
    ['another value limit', { maxValueBytes: 1000 }, {}, 'ZISTORE_INCOMPATIBLE'],
    ['no secret', { secret: SECRET }, {}, 'ZISTORE_UNAUTHORIZED'],
    ['another secret', { secret: SECRET }, { secret: `not ${SECRET}` }, 'ZISTORE_UNAUTHORIZED'],
  ];

  it.each(refusals)('%s than the cluster has: refused', async (_name, first, second, code) => {
    const node = await cluster().start(first);
    await expect(cluster().start(second)).rejects.toEqual(withCode(code));
    expect(await cluster().observer.members()).toEqual([node.address]);
    await node.set('k', 'v');
    const fitting = await cluster().start(first);
    expect(await fitting.get('k')).toBe('v');
  });

  it('the same secret: welcome', async () => {
    const node = await cluster().start({ secret: SECRET });
    await node.set('k', 'v');
    const other = await cluster().start({ secret: SECRET });
    expect(await other.get('k')).toBe('v');
  });

  it('a cluster of another wire version: refused', async () => {
    const node = await cluster().start();
    const { observer } = cluster();
    const config = JSON.parse(await observer.read('config'));
    await observer.write('config', JSON.stringify({ ...config, wireVersion: config.wireVersion + 1 }));
    await expect(cluster().start()).rejects.toEqual(withCode('ZISTORE_INCOMPATIBLE'));
    expect(await observer.members()).toEqual([node.address]);
  });

  it.each(['', 'not JSON', '[]', 'null'])('a configuration that nobody can read (%j): refused', async (text) => {
    await cluster().start();
    await cluster().observer.write('config', text);
    await expect(cluster().start()).rejects.toEqual(withCode('ZISTORE_INCOMPATIBLE'));
  });
});
