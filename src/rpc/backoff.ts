/** How long to wait before dialling again. */
import type { Clock, Random } from '../ports.ts';

const FIRST_MS = 20;
const LAST_MS = 1000;

/**
 * Exponential from 20 ms to 1 s, each wait shortened by up to a half at random, so that a crowd does not come back as
 * one. A connection that lived for a second starts it anew; one that did not may be dropped over and over for the same
 * fault, and must not be dialled fifty times a second.
 */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #upSince: number | undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A connection is up. */
  up(): void {
    this.#upSince = this.#clock.now();
  }

  /** The attempt failed, or the connection is down. Milliseconds until the next attempt. */
  next(): number {
    if (this.#upSince !== undefined && this.#clock.now() - this.#upSince >= LAST_MS) this.#failures = 0;
    this.#upSince = undefined;
    const full = Math.min(LAST_MS, FIRST_MS * 2 ** this.#failures);
    if (full < LAST_MS) this.#failures++;
    return full * (1 - this.#random.fraction() / 2);
  }
}
