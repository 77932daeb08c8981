/** How long to wait before dialling again. */
import type { Random } from '../ports.ts';

const FIRST_MS = 20;
const LAST_MS = 1000;

/** Exponential from 20 ms to 1 s, each wait shortened by up to a half at random, so that a crowd does not come back as one. */
export class Backoff {
  readonly #random: Random;
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const full = Math.min(LAST_MS, FIRST_MS * 2 ** this.#failures);
    if (full < LAST_MS) this.#failures++;
    return full * (1 - this.#random.fraction() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
