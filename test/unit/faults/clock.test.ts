/** The clock of a worker whose own clocks are skewed agrees with everybody else's. */
import { describe, expect, it } from '@jest/globals';
import { createStamps, measureOffsetNs, monotonicNs, uptimeOffsetNs } from '../../faults/clock.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

describe('stamps from /proc/uptime', () => {
  it('enclose the moment on the monotonic clock', () => {
    const stamps = createStamps('uptime', uptimeOffsetNs());
    for (let i = 0; i < 20_000; i++) {
      const earlier = stamps.before();
      const now = monotonicNs();
      const later = stamps.after();
      if (earlier > now || later < now) throw new Error(`${earlier} ≤ ${now} ≤ ${later} does not hold`);
    }
  });

  it('are at most a hundredth of a second off', () => {
    const stamps = createStamps('uptime', uptimeOffsetNs());
    const widths = Array.from({ length: 100 }, () => -stamps.before() + stamps.after());
    expect(Math.min(...widths)).toBeLessThanOrEqual(12_000_000);
  });
});

describe('the offset between the two clocks', () => {
  it('is exact to a millisecond and never too small, on a machine so busy that each reading may be late', () => {
    const offset = 123_456_789;
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      let now = 5e12 + random.below(1e7);
      // Where somebody else has the processor for milliseconds, it happens between any two steps.
      const passes = () => {
        now += random.chance(0.2) ? random.between(1e6, 2e7) : random.between(1e3, 5e3);
      };
      const nowNs = () => {
        passes();
        return now;
      };
      const shownNs = () => {
        passes();
        const shown = Math.floor((now - offset) / 1e7) * 1e7;
        passes();
        return shown;
      };
      const measured = measureOffsetNs(shownNs, nowNs);
      expect(measured).toBeGreaterThanOrEqual(offset);
      expect(measured).toBeLessThanOrEqual(offset + 1e6);
    }
  });
});
