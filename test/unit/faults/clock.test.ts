/** The clock of a worker whose own clocks are skewed agrees with everybody else's. */
import { describe, expect, it } from '@jest/globals';
import { createStamps, monotonicNs, uptimeOffsetNs } from '../../faults/clock.ts';

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
