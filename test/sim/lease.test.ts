/** Leases over an ensemble whose servers' links stall and go on again: no lease outlives its session (Z06 Z24). */
import { describe, expect, it } from '@jest/globals';
import { Lease } from '../../src/core/lease.ts';
import type { ZkOperation } from '../../src/ports.ts';
import { Ensemble } from './ensemble.ts';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

const TICK_MS = 200;
const TIMEOUT_MS = 1000;
const BEAT_MS = TIMEOUT_MS / 6;
const STALLS = 1500;

/** For how long a lease outlived its session, in milliseconds; 0: not at all. */
async function outlivedBy(seed: number): Promise<number> {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  let endedAt = Number.POSITIVE_INFINITY;
  const ended = (): void => {
    endedAt = Math.min(endedAt, clock.now());
  };
  const listener = { done: () => {}, ended };
  const options = { servers: 3, tickTimeMs: TICK_MS, syncLimit: 20, rate: () => 1, applyDelayMs: () => 0 };
  const ensemble = new Ensemble({ clock, random, ...options }, listener);
  const lease = new Lease(TICK_MS);
  const sent = new Map<number, number>();
  const server = ensemble.servers.findIndex((each) => each !== ensemble.leader);
  const path = ensemble.path({
    sessionTimeoutMs: 3 * TIMEOUT_MS,
    latencyMs: () => 0.5,
    clock,
    networkClock: clock,
    fraction: () => server / 3,
  });
  lease.setSessionTimeout(3 * TIMEOUT_MS);
  const beat: ZkOperation = { op: 'multi', steps: [{ op: 'check', path: '/' }] };
  const client = path.open(
    {
      connected: () => {},
      disconnected: () => {},
      ended: () => {},
      watch: () => {},
      reply: (request, reply) => {
        if (reply.ok) lease.answered(sent.get(request)!, clock.now());
      },
    },
    { lastZxid: 0n },
  );
  const next = (): void => {
    sent.set(sent.size + 1, clock.now());
    client.submit(sent.size, beat);
    clock.setTimer(BEAT_MS, next);
  };
  clock.setTimer(100, next);
  let worst = 0;
  clock.afterEvent = () => {
    if (clock.now() >= endedAt) worst = Math.max(worst, lease.end - clock.now());
  };
  await clock.advance(random.between(2000, 2400));
  ensemble.isolate(ensemble.servers[server]!, false);
  await clock.advance(random.between(2550, 2950));
  // Sessions are ended at ticks of the leader server's clock: just before one of them the link goes on.
  const sinceTick = ensemble.leader!.clock.now() % TICK_MS;
  await clock.advance(2 * TICK_MS - sinceTick - random.between(0, 12));
  ensemble.rejoin(ensemble.servers[server]!);
  await clock.advance(500);
  return worst;
}

describe('a lease', () => {
  it('Z06: is not renewed by a beat that has overtaken, on a link that stalled, what was heard of the session', async () => {
    const outlived: { seed: number; ms: number }[] = [];
    for (let seed = 1; seed <= STALLS; seed++) {
      const ms = await outlivedBy(seed);
      if (ms > 0) outlived.push({ seed, ms });
    }
    expect(outlived).toEqual([]);
  });
});
