/** Clients under test that are closed, and servers that are stopped, when the test is over. */
import { afterEach } from '@jest/globals';
import { realClock } from '../../../src/clock.ts';
import { openZooKeeperWith, type ZooKeeperOptions } from '../../../src/zookeeper/client.ts';
import { FakeZooKeeper } from '../../support/fake-zookeeper.ts';
import { type LoggedLine, RecordedClient, recordingLogger } from '../../support/recorded-client.ts';
import { scaled } from '../../support/wait.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Run after the test, the latest first. */
export const afterTest = (cleanup: () => Promise<void>): void => void cleanups.push(cleanup);

export async function startFake(): Promise<FakeZooKeeper> {
  const fake = await FakeZooKeeper.start();
  afterTest(() => fake.stop());
  return fake;
}

type Options = Partial<ZooKeeperOptions> & { readonly lastZxid?: bigint };

export function open(connectString: string, options: Options = {}): RecordedClient & { readonly log: LoggedLine[] } {
  const { lastZxid, ...rest } = options;
  const logger = recordingLogger();
  const sessionTimeoutMs = Math.round(scaled(2000));
  const zooKeeper = openZooKeeperWith({ connectString, sessionTimeoutMs, logger, clock: realClock, ...rest });
  const recorded = Object.assign(new RecordedClient(zooKeeper, lastZxid), { log: logger.lines });
  afterTest(() => recorded.client.close());
  return recorded;
}
