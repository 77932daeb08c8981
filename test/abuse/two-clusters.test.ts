/** Two clusters on one ensemble: the same keys in each, and neither hears of the other. */
import { afterEach, expect, it } from '@jest/globals';
import { realClock } from '../../src/clock.ts';
import { toAddress, toIncarnation } from '../../src/core/types.ts';
import { silentLogger } from '../../src/logger.ts';
import { realRandom } from '../../src/random.ts';
import { createWsTransport } from '../../src/rpc/transport.ts';
import { Owner } from '../conformance/transport/harness.ts';
import type { TestNode } from '../support/test-node.ts';
import { until } from '../support/wait.ts';
import { abuse, expectNormal, outcomes, PATIENT, startAll, tally } from './support.ts';

const KEYS = 100;

abuse('Two clusters on one ensemble', (cluster, another) => {
  const owners: Owner[] = [];
  afterEach(async () => {
    await Promise.all(owners.splice(0).map(({ transport }) => transport.close()));
  });

  it('the same keys, written by both at once: each reads its own, and lists its own members', async () => {
    const other = await another();
    const [ours, theirs] = await Promise.all([startAll(cluster(), 2, PATIENT), startAll(other, 2, PATIENT)]);
    const write = (nodes: TestNode[], name: string) =>
      nodes.flatMap((node) => Array.from({ length: KEYS }, (_none, index) => node.store.set(`k${index}`, name)));
    expect(tally(await outcomes([...write(ours, 'ours'), ...write(theirs, 'theirs')]))).toEqual({ ok: 4 * KEYS });
    for (let index = 0; index < KEYS; index += 1) {
      for (const node of ours) expect(await node.get(`k${index}`)).toBe('ours');
      for (const node of theirs) expect(await node.get(`k${index}`)).toBe('theirs');
    }
    const addresses = (nodes: TestNode[]) => nodes.map(({ address }) => address).sort();
    expect((await cluster().observer.members()).sort()).toEqual(addresses(ours));
    expect((await other.observer.members()).sort()).toEqual(addresses(theirs));
    // Deleted in one, and its leader gone: nothing of it is seen in the other.
    await theirs[0]!.delete('k0');
    await theirs[0]!.close();
    await theirs[1]!.untilRole('leader');
    for (const node of ours) expect(await node.get('k0')).toBe('ours');
    await expectNormal(ours);
    await expectNormal([theirs[1] as TestNode]);
  });

  it('ZISTORE_INCOMPATIBLE: a node of another cluster that dials a member is refused, however well it knows it', async () => {
    const nodes = await startAll(cluster(), 2, PATIENT);
    const leader = nodes[0] as TestNode;
    const transport = (name: string) =>
      new Owner(
        createWsTransport({
          listen: { host: '127.0.0.1', port: 0 },
          cluster: name,
          logger: silentLogger,
          clock: realClock,
          random: realRandom,
        }),
      );
    const member = { address: toAddress(leader.address), incarnation: toIncarnation(BigInt(leader.status.epoch)) };
    const stranger = transport('another-cluster');
    owners.push(stranger);
    await stranger.listen();
    stranger.identify(1);
    stranger.transport.dial(member);
    const refused = await until('it is refused', () => stranger.of('refused')[0]);
    expect(refused).toMatchObject({ code: 'ZISTORE_INCOMPATIBLE', message: expect.stringMatching(/another cluster/) });
    expect(stranger.of('up')).toEqual([]);
    // What it lacked was the name alone.
    const knowing = transport(cluster().name);
    owners.push(knowing);
    await knowing.listen();
    knowing.identify(1);
    knowing.transport.dial(member);
    await until('it is let in', () => knowing.of('up').length === 1);
    await expectNormal(nodes);
  });
});
