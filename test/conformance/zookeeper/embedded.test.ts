import { describe } from '@jest/globals';
import { startEmbeddedCoordinator } from '../../../src/embedded/server.ts';
import { proxiedWorld } from './proxied-world.ts';
import { zooKeeperConformance } from './suite.ts';

describe('the embedded coordinator', () =>
  zooKeeperConformance(async () => {
    const coordinator = await startEmbeddedCoordinator({ tickTimeMs: 250 });
    const { connectString, tickTimeMs } = coordinator;
    return proxiedWorld({
      connectString,
      tickTimeMs,
      maxSessionTimeoutMs: 20 * tickTimeMs,
      stop: () => coordinator.close(),
    });
  }));
