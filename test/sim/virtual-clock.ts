/** Virtual time: nothing happens until `advance`. Timers run in the order of their due times, then of their setting. */
import type { Clock } from '../../src/ports.ts';

interface Timer {
  readonly due: number;
  readonly sequence: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #now: number;
  #sequence = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = 1000) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#timers.size;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { due: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Runs what falls due within the next `ms`, letting promises settle between timers. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await settled();
    for (let timer = this.#next(target); timer !== undefined; timer = this.#next(target)) {
      this.#run(timer);
      await settled();
    }
    this.#now = target;
  }

  /** Advances timer by timer until the condition holds; throws after `limitMs` of virtual time. */
  async until(what: string, condition: () => boolean, limitMs = 60_000): Promise<void> {
    const limit = this.#now + limitMs;
    await settled();
    while (!condition()) {
      const timer = this.#next(limit);
      if (timer === undefined) throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
      this.#run(timer);
      await settled();
    }
  }

  /** A stopped process: time passes, but nothing runs until the next `advance`. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.due);
    timer.callback();
  }

  #next(limit: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > limit) continue;
      if (
        first === undefined ||
        timer.due < first.due ||
        (timer.due === first.due && timer.sequence < first.sequence)
      ) {
        first = timer;
      }
    }
    return first;
  }
}

/** All microtasks, also those that they start, have run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
