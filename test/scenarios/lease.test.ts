/** Leases (Z06 Z19 Z24): a node stops answering before anybody else may take it for gone. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { TestCluster } from '../support/cluster.ts';
import { describeZooKeeper } from '../support/describe-zookeeper.ts';
import { type Ensemble, startEnsemble } from '../support/ensemble.ts';
import { scenarios, withCode } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';
import { pause, scaled, until } from '../support/wait.ts';

scenarios('Stopped processes', (cluster) => {
  it('Z19: a process that was stopped past its session does not answer from its cache when it goes on', async () => {
    const leader = await cluster().start();
    const stopped = await cluster().spawn();
    const { address } = await stopped.status();
    await leader.set('k', 'v1');
    expect(await stopped.get('k')).toBe('v1');
    await stopped.keepReading('k');
    stopped.stop();
    await cluster().observer.untilMember(address, false);
    await leader.set('k', 'v2');
    const resumedAt = process.hrtime.bigint();
    stopped.resume();
    await until('it has noticed', async () => (await stopped.status()).counters.sessionsLost === 1);
    await stopped.untilLive();
    expect(await stopped.get('k')).toBe('v2');
    const sightings = await stopped.sightings();
    const afterwards = sightings.filter(({ at }) => BigInt(at) > resumedAt).map(({ saw }) => saw);
    expect(afterwards[0]).toBe('ZISTORE_SESSION_LOST');
    expect(afterwards).not.toContain('v1');
  });

  it('Z26: a leader that was stopped past its session applies no write when it goes on', async () => {
    const stopped = await cluster().spawn();
    await stopped.untilLive();
    const next = await cluster().start();
    await next.set('k', 'v1');
    const before = (await stopped.status()).counters.writesApplied;
    stopped.stop();
    await next.untilRole('leader');
    await next.set('k', 'v2');
    const write = stopped.set('k', 'from the past');
    const read = stopped.get('k');
    stopped.resume();
    await expect(write).rejects.toEqual(withCode('ZISTORE_SESSION_LOST'));
    await expect(read).rejects.toEqual(withCode('ZISTORE_SESSION_LOST'));
    await stopped.untilLive();
    expect((await stopped.status()).counters.writesApplied).toBe(before);
    expect([await next.get('k'), await stopped.get('k')]).toEqual(['v2', 'v2']);
  });

  it('Z19: a process that was stopped for less than its session goes on with the same session', async () => {
    const leader = await cluster().start({ sessionTimeoutMs: scaled(10_000) });
    const stopped = await cluster().spawn({ sessionTimeoutMs: scaled(10_000) });
    await leader.set('k', 'v');
    expect(await stopped.get('k')).toBe('v');
    stopped.stop();
    await pause(500);
    stopped.resume();
    expect(await stopped.get('k')).toBe('v');
    expect((await stopped.status()).counters.sessionsLost).toBe(0);
  });
});

const needsOwnServers = 'local';

describeZooKeeper(
  'A server cut off from its ensemble',
  () => {
    let ensemble: Ensemble;
    let cluster: TestCluster;
    beforeAll(async () => {
      ensemble = await startEnsemble();
    }, scaled(120_000));
    afterAll(() => ensemble?.stop());
    beforeEach(async () => {
      await ensemble.quorate();
    });
    afterEach(() => cluster.close());

    /** A node that knows only the server to be cut, and one that knows only another. */
    async function twoSides(cut: number) {
      const other = [0, 1, 2].find((index) => index !== cut)!;
      const { tickTimeMs } = ensemble;
      cluster = await TestCluster.create({ connectString: ensemble.connectString(other), tickTimeMs });
      const majority = await cluster.start();
      await majority.untilRole('leader');
      const minority = await cluster.start({}, ensemble.connectString(cut));
      await minority.untilRole('follower');
      return { majority, minority };
    }

    /** When it answered last, and when the majority saw it gone, on one clock. */
    async function lastAnswerAndEnd(node: TestNode): Promise<{ lastAnswer: number; gone: number }> {
      const times = { lastAnswer: performance.now(), gone: Number.POSITIVE_INFINITY };
      const seenGone = cluster.observer.untilMember(node.address, false, 60_000).then(() => {
        times.gone = performance.now();
      });
      // For long enough after its end: its server goes on answering it for two seconds.
      while (performance.now() < times.gone + scaled(2500)) {
        try {
          await node.store.get('k');
          times.lastAnswer = performance.now();
        } catch (error) {
          expect(error).toEqual(withCode('ZISTORE_SESSION_LOST'));
        }
        await pause(2);
      }
      await seenGone;
      return times;
    }

    it.each(['follower', 'leader'])(
      'S20 Z06: a node on a cut-off %s stops answering before it is dropped',
      async (role) => {
        const cut = role === 'leader' ? await ensemble.leaderIndex() : await ensemble.followerIndex();
        const { majority, minority } = await twoSides(cut);
        await until('both sides serve', async () => {
          await majority.store.set('k', 'v1');
          return (await minority.store.get('k')) === 'v1';
        });
        ensemble.isolate(cut);
        try {
          const { lastAnswer, gone } = await lastAnswerAndEnd(minority);
          expect(lastAnswer).toBeLessThan(gone);
          // Its servers elect; until they have, its lease may lapse as well.
          await until('the majority serves', () => majority.store.set('k', 'v2').then(() => true), {
            timeoutMs: 30_000,
          });
        } finally {
          ensemble.heal(cut);
        }
        // Whatever it answers first is the new value.
        const first = await until('the node is back', () => minority.store.get('k'), { timeoutMs: 30_000 });
        expect(first).toBe('v2');
      },
    );
  },
  needsOwnServers,
);
