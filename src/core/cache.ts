/**
 * A node's copies, when it does not lead: bounded and evicting while visible, frozen while hidden.
 *
 * All copies share their labels, the epochs in which they were cached or last adopted: while a leader of epoch e is
 * followed everything is labelled e; hearing of a higher epoch hides everything; adopting adds the adopter's epoch
 * for all; and when that leader has finished takeover, what it adopted is seen again and the rest is dropped.
 * So one pair of labels serves for the whole cache, and no copy can be forgotten in a corner with a label of its own.
 */
import { LRUCache } from 'lru-cache';
import { type Copy, compareVersions, type Epoch, type Key, type Value, type Version } from './types.ts';

/** Counted for each copy beside its key and value, in bytes: map slots, version, bookkeeping. */
const COPY_OVERHEAD_BYTES = 64;

export const sizeOfValue = (value: Value): number => value.length;
export const sizeOfCopy = (key: Key, value: Value): number => key.length + sizeOfValue(value) + COPY_OVERHEAD_BYTES;

export interface CacheLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export class Cache {
  /** What may be answered from. Empty while hidden. */
  private readonly shown: LRUCache<Key, Copy>;
  /** What is kept for a takeover. Empty while visible. */
  private hidden = new Map<Key, Copy>();
  private isVisible = true;
  private labelled: readonly Epoch[] = [];
  /** The epoch that this node itself led, while what it held then is still set aside (Z41). */
  private asideOf: Epoch | undefined;
  private readonly onEvict: () => void;

  constructor(limits: CacheLimits, onEvict: () => void) {
    this.onEvict = onEvict;
    this.shown = new LRUCache<Key, Copy>({
      max: limits.maxEntries,
      maxSize: limits.maxBytes,
      sizeCalculation: (copy) => sizeOfCopy(copy.key, copy.value),
      dispose: (_copy, _key, reason) => {
        if (reason === 'evict') this.onEvict();
      },
    });
  }

  get visible(): boolean {
    return this.isVisible;
  }

  get labels(): readonly Epoch[] {
    return this.labelled;
  }

  get entries(): number {
    return this.isVisible ? this.shown.size : this.hidden.size;
  }

  get bytes(): number {
    if (this.isVisible) return this.shown.calculatedSize;
    let sum = 0;
    for (const copy of this.hidden.values()) sum += sizeOfCopy(copy.key, copy.value);
    return sum;
  }

  /** The visible copy. A hit counts as use. */
  get(key: Key): Copy | undefined {
    return this.shown.get(key);
  }

  /** Caches what the leader of the epoch that is followed has answered. The caller has checked floor and request. */
  publish(copy: Copy): void {
    if (!this.isVisible) return;
    const present = this.shown.peek(copy.key);
    if (present !== undefined && compareVersions(present.version, copy.version) > 0) return;
    this.shown.set(copy.key, copy);
  }

  /** Drops a copy that is older than this version, hidden or not. */
  invalidate(key: Key, version: Version): void {
    const copy = this.isVisible ? this.shown.peek(key) : this.hidden.get(key);
    if (copy === undefined || compareVersions(copy.version, version) >= 0) return;
    if (this.isVisible) this.shown.delete(key);
    else this.hidden.delete(key);
  }

  /** A higher epoch was heard of. Nothing is dropped: it may be all that is left of these keys. */
  hide(): void {
    if (!this.isVisible) return;
    this.isVisible = false;
    // Least recently used first, so that what is shown again keeps its order of use.
    this.hidden = new Map();
    for (const key of this.shown.rkeys()) {
      const copy = this.shown.peek(key);
      if (copy !== undefined) this.hidden.set(key, copy);
    }
    this.shown.clear();
  }

  /** All copies, frozen. Only while hidden. */
  copies(): ReadonlyMap<Key, Copy> {
    return this.hidden;
  }

  /**
   * The new leader of epoch `epoch` keeps what is labelled `base`. Both labels stand until it has finished takeover,
   * for it may die before, and then its successor finds `base` in `served`, or `epoch`, and either has to count.
   */
  adopt(epoch: Epoch, base: Epoch, drop: readonly Key[]): void {
    if (this.isVisible) return;
    if (!this.labelled.includes(base)) this.drop();
    for (const key of drop) this.hidden.delete(key);
    this.labelled = [base, epoch];
  }

  /** The leader of this epoch has finished takeover: what it adopted is seen again, anything else is dropped. */
  follow(epoch: Epoch): void {
    if (this.isVisible && this.labelled.length === 1 && this.labelled[0] === epoch) return;
    this.hide();
    const kept = this.labelled.includes(epoch) ? this.hidden : new Map<Key, Copy>();
    this.hidden = new Map();
    this.isVisible = true;
    this.labelled = [epoch];
    this.asideOf = undefined;
    for (const [key, copy] of kept) this.shown.set(key, copy);
  }

  /** What this node held as leader of `epoch` becomes hidden copies, exempt from the limits. */
  setAside(store: Map<Key, Copy>, labels: readonly Epoch[], epoch: Epoch): void {
    this.shown.clear();
    this.isVisible = false;
    this.hidden = store;
    this.labelled = labels;
    this.asideOf = epoch;
  }

  /**
   * The session is over (Z41). A copy of a follower does not survive that: it may have missed invalidations.
   * What was set aside does, but only with the label of the epoch that this node led: an adopter's epoch may by now
   * have served without us.
   */
  sessionLost(): void {
    if (this.asideOf === undefined) {
      this.drop();
      this.labelled = [];
    } else this.labelled = this.labelled.filter((label) => label <= this.asideOf!);
  }

  /** Somebody led in a later epoch than any label: nothing hidden here can ever count again. */
  dropIfOutlived(served: Epoch): void {
    if (!this.isVisible && this.labelled.every((label) => label < served)) this.drop();
  }

  drop(): void {
    this.shown.clear();
    this.hidden = new Map();
    this.asideOf = undefined;
  }
}
