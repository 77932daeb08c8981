import { describe, expect, it } from '@jest/globals';
import { realClock } from '../../src/clock.ts';
import { realRandom } from '../../src/random.ts';

describe('realClock', () => {
  it('never runs a timer synchronously or before its time', async () => {
    for (const delayMs of [0, 0.3, 1.2, 7.9]) {
      const from = realClock.now();
      let ran = false;
      const done = new Promise<number>((resolve) => {
        realClock.setTimer(delayMs, () => {
          ran = true;
          resolve(realClock.now());
        });
      });
      expect(ran).toBe(false);
      expect((await done) - from).toBeGreaterThanOrEqual(delayMs);
    }
  });

  it('does not run what was cancelled, nor at once what is due in a month', async () => {
    let runs = 0;
    const cancel = realClock.setTimer(1, () => {
      runs += 1;
    });
    const cancelFar = realClock.setTimer(30 * 24 * 3600 * 1000, () => {
      runs += 1;
    });
    cancel();
    await new Promise<void>((resolve) => realClock.setTimer(5, resolve));
    cancelFar();
    expect(runs).toBe(0);
  });
});

describe('realRandom', () => {
  it('gives identifiers of 32 hexadecimal digits, no two alike', () => {
    const guids = Array.from({ length: 100 }, () => realRandom.guid());
    for (const guid of guids) expect(guid).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(guids).size).toBe(100);
  });
});
