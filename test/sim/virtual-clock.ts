/** Virtual time: nothing happens until `advance`. Timers run in the order of their due times, then of their setting. */
import type { Clock } from '../../src/ports.ts';

interface Timer {
  readonly due: number;
  readonly sequence: number;
  callback: (() => void) | undefined;
}

/** Timers a turn of the real event loop; after each of them all promises settle. */
const BATCH = 16;

export class VirtualClock implements Clock {
  /** Called after each timer's callback. */
  afterEvent: () => void = () => {};
  #now: number;
  #sequence = 0;
  #pending = 0;
  /** A binary heap; cancelled timers stay in it, without a callback, until their turn. */
  readonly #heap: Timer[] = [];

  constructor(startMs = 1000) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#pending;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { due: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#push(timer);
    this.#pending += 1;
    return () => {
      if (timer.callback === undefined) return;
      timer.callback = undefined;
      this.#pending -= 1;
    };
  }

  /** Runs what falls due within the next `ms`, letting promises settle between timers. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await this.#drive(target);
    this.#now = target;
  }

  /** Advances timer by timer until the condition holds; throws after `limitMs` of virtual time. */
  async until(what: string, condition: () => boolean, limitMs = 60_000): Promise<void> {
    if (await this.#drive(this.#now + limitMs, condition)) return;
    throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
  }

  /** A stopped process: time passes, but nothing runs until the next `advance`. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Whether the condition came to hold before the next timer was due after `limit`. */
  #drive(limit: number, condition?: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (settle: () => void): void => {
        over = true;
        settle();
      };
      const turn = (): void => {
        if (over) return;
        try {
          if (condition?.()) end(() => resolve(true));
          else if (!this.#runNext(limit)) end(() => resolve(false));
        } catch (error) {
          end(() => reject(error));
        }
      };
      // Promises settle between two immediates; several a turn save most of what a turn of the event loop costs.
      const batch = (): void => {
        if (over) return;
        for (let i = 0; i < BATCH; i++) setImmediate(turn);
        setImmediate(batch);
      };
      setImmediate(batch);
    });
  }

  #runNext(limit: number): boolean {
    let timer = this.#heap[0];
    while (timer !== undefined && timer.callback === undefined) {
      this.#pop();
      timer = this.#heap[0];
    }
    if (timer === undefined || timer.due > limit) return false;
    this.#pop();
    const callback = timer.callback;
    timer.callback = undefined;
    this.#pending -= 1;
    this.#now = Math.max(this.#now, timer.due);
    callback?.();
    this.afterEvent();
    return true;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.sequence < b.sequence);

/** Beyond any rounding of times: a timer that ran a trace early would be set again for ever at one instant. */
const ROUNDING_MS = 1e-6;

/** A machine's own clock: another beginning, another rate. */
export class SkewedClock implements Clock {
  readonly #base: Clock;
  readonly #rate: number;
  readonly #offsetMs: number;

  constructor(base: Clock, rate: number, offsetMs: number) {
    this.#base = base;
    this.#rate = rate;
    this.#offsetMs = offsetMs;
  }

  now(): number {
    return this.#offsetMs + this.#base.now() * this.#rate;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    return this.#base.setTimer(Math.max(0, delayMs) / this.#rate + ROUNDING_MS, callback);
  }
}
