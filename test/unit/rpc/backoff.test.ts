/** How long a peer that cannot be reached is left alone: 20 ms to 1 s, doubled each time, with jitter. */
import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../../src/rpc/backoff.ts';

function backoff(fraction = 0) {
  let now = 0;
  const clock = { now: () => now, setTimer: () => () => {} };
  const it = new Backoff(clock, { guid: () => '', fraction: () => fraction });
  const lived = (ms: number): number => {
    it.up();
    now += ms;
    return it.next();
  };
  return { next: (times: number) => Array.from({ length: times }, () => it.next()), lived };
}

describe('back-off', () => {
  it('doubles from 20 ms to one second', () => {
    expect(backoff().next(8)).toEqual([20, 40, 80, 160, 320, 640, 1000, 1000]);
  });

  it('is shortened at random by up to a half', () => {
    expect(backoff(0.5).next(2)).toEqual([15, 30]);
    expect(backoff(0.999).next(1)[0]).toBeGreaterThanOrEqual(10);
  });

  it('starts anew after a connection that lived for a second', () => {
    const { next, lived } = backoff();
    next(5);
    expect(lived(1000)).toBe(20);
  });

  it('goes on after one that did not: a fault met at each connection is not met fifty times a second', () => {
    const { next, lived } = backoff();
    next(3);
    expect([lived(999), lived(0)]).toEqual([160, 320]);
  });
});
