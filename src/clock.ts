/** The real Clock: monotonic time of this process and Node's timers. */
import { performance } from 'node:perf_hooks';
import type { Clock } from './ports.ts';

/** Node runs a timer with a longer delay at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => performance.now(),

  setTimer(delayMs, callback) {
    const due = performance.now() + Math.max(0, delayMs);
    let timer: NodeJS.Timeout;
    // Node's timers count whole milliseconds of the event loop's clock and may run a fraction early by this one.
    const wait = (): void => {
      const left = due - performance.now();
      if (left <= 0) callback();
      else timer = setTimeout(wait, Math.min(Math.ceil(left), LONGEST_DELAY_MS));
    };
    timer = setTimeout(wait, Math.min(Math.ceil(delayMs), LONGEST_DELAY_MS));
    return () => clearTimeout(timer);
  },
};
