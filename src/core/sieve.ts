/**
 * Which copy has to go when room is needed: one that was not read since eviction last passed by (the SIEVE algorithm).
 * Copies stay in the order in which they came; a hand goes round over them, takes away marks of use, and stops at the
 * first copy without one. So a hit does no more than to set a mark, and copies need no more than their `Map`, which can
 * be handed on as it is: an LRU list, beside taking a little longer for a hit, had to be copied at each leader change.
 */
import type { Copy, Key } from './types.ts';

/** Marks that are taken away for one victim; were all copies in use, finding one would have to look at all of them. */
const MOST_PASSED = 1000;

export class Sieve {
  private copies: ReadonlyMap<Key, Copy> = new Map();
  /** Where the hand stands. Kept from one victim to the next: it never steps over the same gap twice. */
  private hand: Iterator<Copy> | undefined;
  private added = 0;

  /** Starts anew, with these. */
  watch(copies: ReadonlyMap<Key, Copy>): void {
    this.copies = copies;
    this.hand = undefined;
  }

  /**
   * To be called after each addition. An iterator that stands still keeps every table alive that its map has grown out
   * of since, with all that was in it.
   */
  grown(): void {
    this.added += 1;
    if (this.added * 2 > this.copies.size) this.hand = undefined;
  }

  /** The next to go. Undefined: there is none. */
  victim(): Copy | undefined {
    this.added = 0;
    for (let passed = 0; ; passed++) {
      const copy = this.next();
      if (copy?.used !== true || passed === MOST_PASSED) return copy;
      copy.used = false;
    }
  }

  private next(): Copy | undefined {
    const step = this.hand?.next();
    if (step !== undefined && step.done !== true) return step.value;
    this.hand = this.copies.values();
    return this.hand.next().value;
  }
}
