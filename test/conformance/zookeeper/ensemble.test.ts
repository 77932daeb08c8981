import { describe } from '@jest/globals';
import { Ensemble } from '../../sim/ensemble.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { zooKeeperConformance } from './suite.ts';
import type { World } from './world.ts';

const TICK_MS = 500;

async function startEnsemble(): Promise<World> {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const ensemble = new Ensemble(
    { clock, random, servers: 3, tickTimeMs: TICK_MS, syncLimit: 5, rate: () => 1, applyDelayMs: () => 1 },
    { done: () => {}, ended: () => {} },
  );
  return {
    tickTimeMs: TICK_MS,
    maxSessionTimeoutMs: 20 * TICK_MS,
    host: async ({ sessionTimeoutMs }) =>
      ensemble.path({
        sessionTimeoutMs,
        latencyMs: () => 1,
        clock,
        networkClock: clock,
        // All at one server: what another one has not heard of yet is no concern of this suite.
        fraction: () => 0,
      }),
    until: (what, condition, timeoutMs) => clock.until(what, condition, timeoutMs),
    pass: (ms) => clock.advance(ms),
    stop: async () => {},
  };
}

describe('the simulated ensemble', () => zooKeeperConformance(startEnsemble));
