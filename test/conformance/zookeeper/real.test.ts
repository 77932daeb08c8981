import { describeZooKeeper } from '../../support/describe-zookeeper.ts';
import { sharedZooKeeper } from '../../support/zookeeper.ts';
import { proxiedWorld } from './proxied-world.ts';
import { zooKeeperConformance } from './suite.ts';

/** Of the servers that tests start themselves. */
const OUR_MAX_SESSION_TIMEOUT_MS = 600_000;

describeZooKeeper('ZooKeeper', () =>
  zooKeeperConformance(async () => {
    const server = await sharedZooKeeper();
    const { connectString, tickTimeMs } = server;
    const maxSessionTimeoutMs = process.env.ZISTORE_TEST_ZOOKEEPER ? undefined : OUR_MAX_SESSION_TIMEOUT_MS;
    return proxiedWorld({ connectString, tickTimeMs, maxSessionTimeoutMs, stop: () => server.stop() });
  }),
);
