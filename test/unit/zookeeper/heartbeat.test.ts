import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../src/ports.ts';
import { Heartbeat } from '../../../src/zookeeper/heartbeat.ts';

/** Time that stands still until told. One that was paused runs each timer late, one after the other. */
class ManualClock implements Clock {
  private time = 0;
  private timers: { due: number; callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { due: this.time + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.due);
      next.callback();
    }
    this.time = end;
  }

  /** As a stopped process: time passes, then what was due runs. */
  freeze(ms: number): void {
    this.time += ms;
  }

  get pending(): number {
    return this.timers.length;
  }
}

function start(clock: ManualClock) {
  const seen = { pings: 0, silent: 0, oldest: undefined as number | undefined };
  const heartbeat = new Heartbeat({
    clock,
    sessionTimeoutMs: 600,
    oldestRequestAt: () => seen.oldest,
    sendPing: () => {
      seen.pings += 1;
    },
    silent: () => {
      seen.silent += 1;
    },
  });
  return { seen, heartbeat };
}

describe('Heartbeat', () => {
  it('pings every sixth of the session timeout, whatever else is going on (pitfall 5)', () => {
    const clock = new ManualClock();
    const { seen, heartbeat } = start(clock);
    for (let i = 0; i < 60; i += 1) {
      clock.advance(10);
      heartbeat.pong();
    }
    expect(seen.pings).toBeGreaterThanOrEqual(5);
    expect(seen.silent).toBe(0);
  });

  it('gives the connection up when a ping is unanswered for a third of the session timeout (pitfall 1)', () => {
    const clock = new ManualClock();
    const { seen } = start(clock);
    clock.advance(100 + 199);
    expect(seen).toMatchObject({ pings: 1, silent: 0 });
    clock.advance(30);
    expect(seen).toMatchObject({ pings: 1, silent: 1 });
    expect(clock.pending).toBe(0);
  });

  it('gives the connection up when a request is unanswered that long, though pings are answered', () => {
    const clock = new ManualClock();
    const { seen, heartbeat } = start(clock);
    seen.oldest = 0;
    for (let i = 0; i < 23; i += 1) {
      clock.advance(10);
      heartbeat.pong();
    }
    expect(seen.silent).toBe(1);
  });

  it('first reads what has arrived when the process was stopped longer than that', () => {
    const clock = new ManualClock();
    const { seen, heartbeat } = start(clock);
    clock.advance(110);
    clock.freeze(5000);
    clock.advance(0);
    expect(seen.silent).toBe(0);
    heartbeat.pong();
    clock.advance(50);
    expect(seen.silent).toBe(0);
  });

  it('does nothing any more after stop', () => {
    const clock = new ManualClock();
    const { seen, heartbeat } = start(clock);
    heartbeat.stop();
    clock.advance(5000);
    expect(seen).toMatchObject({ pings: 0, silent: 0 });
  });
});
