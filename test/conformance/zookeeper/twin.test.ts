import { describe } from '@jest/globals';
import { startCoordinatorTwin } from '../../sim/coordinator-twin.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { zooKeeperConformance } from './suite.ts';
import type { World } from './world.ts';

async function startTwin(): Promise<World> {
  const clock = new VirtualClock();
  const twin = startCoordinatorTwin({ clock, tickTimeMs: 500 });
  return {
    tickTimeMs: twin.tickTimeMs,
    maxSessionTimeoutMs: 20 * twin.tickTimeMs,
    host: async (options) => twin.host(options),
    until: (what, condition, timeoutMs) => clock.until(what, condition, timeoutMs),
    pass: (ms) => clock.advance(ms),
    stop: async () => twin.stop(),
  };
}

describe('the in-memory twin', () => zooKeeperConformance(startTwin));
