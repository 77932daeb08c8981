/**
 * Items by key, for what comes and goes: operations under way, locks.
 *
 * As with ids (id-table.ts), a `Map` does this worse than it seems: it moves on from table to table, and once one of
 * those that it has left is old, nearly all that comes after stays until the next major collection. Here a slot is used
 * again. With 256 reads in flight a scavenge of the follower took half the time; with as many writes of keys that are
 * held the leader took an eighth less of the processor for each.
 */
import type { Key } from './types.ts';

/** Slots of a table in which there has not been much yet. A power of two, as all sizes are. */
const FEW = 64;
/** A table with no more slots than this does not shrink: bursts of operations are common. */
const KEPT = 4096;

/** Comparing keys of more chars than this takes much less time than hashing them. */
const LONG = 256;

/** The prime of the 32-bit FNV-1a hash, which is good enough where nobody knows what it starts from. */
const PRIME = 0x01000193;

/** `seed` differs from node to node, so that nobody can think of keys that all want the same slot. */
export function hashOf(text: string, seed: number): number {
  let hash = seed ^ text.length;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  // The lowest bits, which choose the slot, are those that the last characters have changed least.
  return hash ^ (hash >>> 15);
}

/** Open addressing, one slot after the other; never more than half full. What iterates does so over a copy. */
export class KeyTable<T extends object> {
  private keyAt: (Key | undefined)[] = [];
  private itemAt: (T | undefined)[] = [];
  private hashAt = new Int32Array(0);
  private mask = 0;
  private count = 0;
  private readonly seed: number;
  /** The long key that was looked for last, as it mostly is several times in a row. */
  private lastLong: Key | undefined;
  private lastHash = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.reset(FEW);
  }

  get size(): number {
    return this.count;
  }

  /** Saves finding it out again, where a key is looked for more than once. */
  hash(key: Key): number {
    if (key.length <= LONG) return hashOf(key, this.seed);
    if (key !== this.lastLong) {
      this.lastLong = key;
      this.lastHash = hashOf(key, this.seed);
    }
    return this.lastHash;
  }

  get(key: Key, hash = this.hash(key)): T | undefined {
    return this.itemAt[this.find(key, hash)];
  }

  /** Of a key that has none. */
  add(key: Key, item: T, hash = this.hash(key)): void {
    if (this.count * 2 > this.mask) this.resize((this.mask + 1) * 2);
    const slot = this.find(key, hash);
    this.keyAt[slot] = key;
    this.itemAt[slot] = item;
    this.hashAt[slot] = hash;
    this.count += 1;
  }

  delete(key: Key, hash = this.hash(key)): boolean {
    const slot = this.find(key, hash);
    if (this.keyAt[slot] === undefined) return false;
    this.count -= 1;
    this.free(slot);
    const slots = this.mask + 1;
    if (slots > KEPT && this.count * 32 < slots) this.resize(slots / 4);
    return true;
  }

  clear(): void {
    this.reset(FEW);
  }

  keys(): Key[] {
    return this.keyAt.filter((key) => key !== undefined);
  }

  values(): T[] {
    return this.itemAt.filter((item) => item !== undefined);
  }

  /** The key's slot, or the free one that it would get. */
  private find(key: Key, hash: number): number {
    const { keyAt, hashAt, mask } = this;
    let slot = hash & mask;
    while (keyAt[slot] !== undefined && (hashAt[slot] !== hash || keyAt[slot] !== key)) slot = (slot + 1) & mask;
    return slot;
  }

  /** Whoever stands behind it, and would not be found across a gap, moves up. */
  private free(slot: number): void {
    const { keyAt, itemAt, hashAt, mask } = this;
    let gap = slot;
    for (let next = (gap + 1) & mask; keyAt[next] !== undefined; next = (next + 1) & mask) {
      const hash = hashAt[next] as number;
      const fromHome = (next - (hash & mask)) & mask;
      if (fromHome < ((next - gap) & mask)) continue;
      keyAt[gap] = keyAt[next];
      itemAt[gap] = itemAt[next];
      hashAt[gap] = hash;
      gap = next;
    }
    keyAt[gap] = undefined;
    itemAt[gap] = undefined;
  }

  private reset(slots: number): void {
    this.keyAt = new Array<Key | undefined>(slots).fill(undefined);
    this.itemAt = new Array<T | undefined>(slots).fill(undefined);
    this.hashAt = new Int32Array(slots);
    this.mask = slots - 1;
    this.count = 0;
  }

  private resize(slots: number): void {
    const { keyAt, itemAt, hashAt } = this;
    this.reset(slots);
    for (const [slot, key] of keyAt.entries()) {
      if (key !== undefined) this.add(key, itemAt[slot] as T, hashAt[slot]);
    }
  }
}
