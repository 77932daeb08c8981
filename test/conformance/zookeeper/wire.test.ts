import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type EmbeddedCoordinator, startEmbeddedCoordinator } from '../../../src/embedded/server.ts';
import { describeZooKeeper } from '../../support/describe-zookeeper.ts';
import { startZooKeeper, type ZooKeeperServer } from '../../support/zookeeper.ts';
import { WireSessions } from './wire-sessions.ts';
import { transcript } from './wire-transcript.ts';

describeZooKeeper(
  'the embedded coordinator and ZooKeeper',
  () => {
    let real: ZooKeeperServer;
    let embedded: EmbeddedCoordinator;
    const realPort = () => Number(real.connectString.split(':').at(-1));

    beforeAll(async () => {
      real = await startZooKeeper();
      embedded = await startEmbeddedCoordinator({ tickTimeMs: real.tickTimeMs });
    });
    afterAll(async () => {
      await embedded?.close();
      await real?.stop();
    });

    it('answer the same bytes to the same requests, but for times, session ids and the first zxid', async () => {
      expect(await transcript(embedded.port)).toEqual(await transcript(realPort()));
    });

    it('treat sessions, watches and bad frames alike', async () => {
      const expected = await new WireSessions(realPort()).run();
      expect(await new WireSessions(embedded.port).run()).toEqual(expected);
    });
  },
  'own',
);
