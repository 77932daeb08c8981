/**
 * A node's copies, when it does not lead: bounded and evicting while visible, frozen while hidden.
 *
 * All copies share their labels, the epochs in which they were cached or last adopted: while a leader of epoch e is
 * followed everything is labelled e; hearing of a higher epoch hides everything; adopting adds the adopter's epoch
 * for all; and when that leader has finished takeover, what it adopted is seen again and the rest is dropped.
 * So one pair of labels serves for the whole cache, and no copy can be forgotten in a corner with a label of its own.
 */
import { Sieve } from './sieve.ts';
import { type Copy, compareVersions, type Epoch, type Key, type Value, type Version } from './types.ts';

/** Counted for each copy beside its key and value, in bytes: map slots, version, bookkeeping. */
const COPY_OVERHEAD_BYTES = 64;

/** Copies that go at once when more are held than may be, so that it takes a fraction of a millisecond. */
const EVICTED_AT_ONCE = 500;

export const sizeOfValue = (value: Value): number => value.length;
export const sizeOfCopy = (key: Key, value: Value): number => key.length + sizeOfValue(value) + COPY_OVERHEAD_BYTES;

export interface CacheLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * Copies and what they amount to. Handed on as a whole, from cache to takeover to leader and back: copying a million
 * of them stops a process for most of a second.
 */
export class Holding {
  readonly copies: Map<Key, Copy>;
  bytes: number;

  constructor(copies = new Map<Key, Copy>(), bytes = 0) {
    this.copies = copies;
    this.bytes = bytes;
  }

  /** Of a key that has none here. */
  add(copy: Copy): void {
    this.copies.set(copy.key, copy);
    this.bytes += sizeOfCopy(copy.key, copy.value);
  }

  /** One that is here. */
  remove(copy: Copy): void {
    this.copies.delete(copy.key);
    this.bytes -= sizeOfCopy(copy.key, copy.value);
  }
}

export class Cache {
  /** Answered from while visible, kept for a takeover while hidden. */
  private held = new Holding();
  private isVisible = true;
  private labelled: readonly Epoch[] = [];
  /** The epoch that this node itself led, while what it held then is still set aside (Z41). */
  private asideOf: Epoch | undefined;
  private readonly limits: CacheLimits;
  private readonly sieve = new Sieve();
  private readonly onEvict: () => void;

  constructor(limits: CacheLimits, onEvict: () => void) {
    this.limits = limits;
    this.onEvict = onEvict;
    this.hold(this.held);
  }

  get visible(): boolean {
    return this.isVisible;
  }

  get labels(): readonly Epoch[] {
    return this.labelled;
  }

  get entries(): number {
    return this.held.copies.size;
  }

  get bytes(): number {
    return this.held.bytes;
  }

  /** Whether more is held than may be, so that `trim` wants to be called. */
  get excessive(): boolean {
    const { maxEntries, maxBytes } = this.limits;
    return this.isVisible && (this.held.copies.size > maxEntries || this.held.bytes > maxBytes);
  }

  /** The visible copy. A hit counts as use. */
  get(key: Key): Copy | undefined {
    if (!this.isVisible) return undefined;
    const copy = this.held.copies.get(key);
    // Looked at first: most are marked already, and reading is cheaper than writing.
    if (copy !== undefined && copy.used !== true) copy.used = true;
    return copy;
  }

  /** Caches what the leader of the epoch that is followed has answered. The caller has checked floor and request. The copy is the cache's from here on. */
  publish(copy: Copy): void {
    if (!this.isVisible) return;
    const { key, value, version } = copy;
    const present = this.held.copies.get(key);
    if (present !== undefined) {
      if (compareVersions(present.version, version) > 0) return;
      this.held.remove(present);
    }
    const size = sizeOfCopy(key, value);
    const { maxEntries, maxBytes } = this.limits;
    if (size > maxBytes) return;
    this.evict(maxEntries - 1, maxBytes - size, size);
    this.held.add(copy);
    this.sieve.grown();
  }

  /** Drops a copy that is older than this version, hidden or not. */
  invalidate(key: Key, version: Version): void {
    const copy = this.held.copies.get(key);
    if (copy !== undefined && compareVersions(copy.version, version) < 0) this.held.remove(copy);
  }

  /** A higher epoch was heard of. Nothing is dropped: it may be all that is left of these keys. */
  hide(): void {
    this.isVisible = false;
  }

  /** All copies. Frozen while hidden, but for what a takeover of this node adds to them: see `Takeover.takeOwn`. */
  copies(): ReadonlyMap<Key, Copy> {
    return this.held.copies;
  }

  /** The copies themselves, for this node to go on with. Only while hidden. */
  holding(): Holding {
    return this.held;
  }

  /**
   * The new leader of epoch `epoch` keeps what is labelled `base`. Both labels stand until it has finished takeover,
   * for it may die before, and then its successor finds `base` in `served`, or `epoch`, and either has to count.
   */
  adopt(epoch: Epoch, base: Epoch, drop: readonly Key[]): void {
    if (this.isVisible) return;
    if (!this.labelled.includes(base)) this.drop();
    for (const key of drop) {
      const copy = this.held.copies.get(key);
      if (copy !== undefined) this.held.remove(copy);
    }
    this.labelled = [base, epoch];
  }

  /** The leader of this epoch has finished takeover: what it adopted is seen again, anything else is dropped. */
  follow(epoch: Epoch): void {
    if (this.isVisible && this.labelled.length === 1 && this.labelled[0] === epoch) return;
    if (!this.labelled.includes(epoch)) this.drop();
    this.isVisible = true;
    this.labelled = [epoch];
    this.asideOf = undefined;
    this.trim();
  }

  /** What this node held as leader of `epoch` becomes hidden copies, exempt from the limits. */
  setAside(holding: Holding, labels: readonly Epoch[], epoch: Epoch): void {
    this.hold(holding);
    this.isVisible = false;
    this.labelled = labels;
    this.asideOf = epoch;
  }

  /** Evicts some of what was exempt from the limits while hidden: all at once might take too long. */
  trim(): void {
    if (this.excessive) this.evict(this.limits.maxEntries, this.limits.maxBytes, 0);
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

  /** Leaves the copies as they are to whoever else has them. */
  drop(): void {
    this.hold(new Holding());
    this.asideOf = undefined;
  }

  private hold(holding: Holding): void {
    this.held = holding;
    this.sieve.watch(holding.copies);
  }

  /** Down to these; at once only as many as take no time, but at the least `bytesAtOnce`. */
  private evict(entries: number, bytes: number, bytesAtOnce: number): void {
    const { held } = this;
    const enough = held.bytes - bytesAtOnce;
    for (let n = 0; held.copies.size > entries || held.bytes > bytes; n++) {
      if (n >= EVICTED_AT_ONCE && held.bytes <= enough) return;
      const victim = this.sieve.victim();
      if (victim === undefined) return;
      held.remove(victim);
      this.onEvict();
    }
  }
}
