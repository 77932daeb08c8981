/**
 * Which member holds a copy of which key (Z18). Never less than the truth: a member is listed before its copy can
 * exist and struck only when it has acknowledged the copy's end, or is gone itself. It belongs to incarnations, never
 * to connections.
 *
 * Each member has a small number, its slot, and the holders of a key are the bits of one small integer: an entry takes
 * no more memory than its place in the map (a Set a key, and the way back from member to keys, took about 350 bytes),
 * and to list a holder takes no allocation.
 */
import type { Key, MemberId } from './types.ts';

/** Slots that fit into a small integer. A key with a holder beyond them has a Set of slots. */
const MASK_SLOTS = 30;

/** Of so many keys, one that is gone is struck at once. Of more, a slice at a time, or the leader would stand still. */
const SWEEP_AT_ONCE = 10_000;
const SWEEP_SLICE = 100;

type Holders = number | Set<number>;

export class Directory {
  private readonly byKey = new Map<Key, Holders>();
  private readonly slots = new Map<MemberId, number>();
  /** By slot. Undefined: nobody's. */
  private readonly members: (MemberId | undefined)[] = [];
  /** The slots that are somebody's, of those that fit: what else a mask shows is of members that are gone. */
  private living = 0;
  /** Slots of members that are gone, which keys may still show: nobody else may be given them. */
  private readonly struck = new Set<number>();
  /** The keys that are still to be swept, and the slots that no key will show then. */
  private sweep: { readonly keys: Iterator<[Key, Holders]>; readonly slots: readonly number[] } | undefined;

  /** Keys with at least one holder, and those that had one and are not swept yet. */
  get size(): number {
    return this.byKey.size;
  }

  /** The member's number, which is its until it is removed. */
  slotOf(member: MemberId): number {
    const known = this.slots.get(member);
    if (known !== undefined) return known;
    let slot = this.freeSlot();
    if (slot >= MASK_SLOTS && this.sweep !== undefined) {
      // Where hardly anything is listed anew the sweep would not get on, and members that come and go use up the slots.
      this.sweepOn(SWEEP_AT_ONCE);
      slot = this.freeSlot();
    }
    this.slots.set(member, slot);
    this.members[slot] = member;
    if (slot < MASK_SLOTS) this.living |= 1 << slot;
    return slot;
  }

  holders(key: Key): MemberId[] {
    return this.pick(key, this.members as readonly MemberId[]) ?? [];
  }

  /** What stands in `table` at the slots of this key's holders. Undefined: it has none. */
  pick<T>(key: Key, table: readonly T[]): T[] | undefined {
    if (this.sweep !== undefined) this.sweepOn(SWEEP_SLICE);
    const held = this.byKey.get(key);
    if (held === undefined) return undefined;
    if (typeof held !== 'number') return this.pickFrom(held, table);
    let left = held & this.living;
    if (left === 0) return undefined;
    const picked: T[] = [];
    for (; left !== 0; left &= left - 1) picked.push(table[lowestSlot(left)]!);
    return picked;
  }

  add(key: Key, member: MemberId): void {
    this.addSlot(key, this.slotOf(member));
  }

  addSlot(key: Key, slot: number): void {
    if (this.sweep !== undefined) this.sweepOn(SWEEP_SLICE);
    const held = this.byKey.get(key);
    if (typeof held === 'object') held.add(slot);
    else if (slot >= MASK_SLOTS) this.byKey.set(key, new Set([...slotsOf(held ?? 0), slot]));
    else {
      const mask = ((held ?? 0) & this.living) | (1 << slot);
      if (mask !== held) this.byKey.set(key, mask);
    }
  }

  remove(key: Key, member: MemberId): void {
    const held = this.byKey.get(key);
    const slot = this.slots.get(member);
    if (held === undefined || slot === undefined) return;
    if (typeof held === 'object') {
      held.delete(slot);
      this.clean(key, held);
    } else if (slot < MASK_SLOTS) this.keep(key, held, held & ~(1 << slot));
  }

  /** Nobody holds this key any more. */
  clear(key: Key): void {
    if (this.sweep !== undefined) this.sweepOn(SWEEP_SLICE);
    this.byKey.delete(key);
  }

  /**
   * Nobody holds this key any more but the member of this slot. The entry stays in its place: a map of a million keys
   * that are taken out and put back by every write is from time to time built anew, for as long as a tenth of a second.
   */
  leaveTo(key: Key, slot: number): void {
    if (this.sweep !== undefined) this.sweepOn(SWEEP_SLICE);
    this.byKey.set(key, slot < MASK_SLOTS ? 1 << slot : new Set([slot]));
  }

  /** From here on it is never shown again; its bits are swept out of the keys before its slot is somebody else's. */
  removeMember(member: MemberId): void {
    const slot = this.slots.get(member);
    if (slot === undefined) return;
    this.slots.delete(member);
    this.members[slot] = undefined;
    if (slot < MASK_SLOTS) this.living &= ~(1 << slot);
    this.struck.add(slot);
    // A sweep that is under way has passed keys that show this slot: the next one is for it.
    if (this.sweep === undefined) this.startSweep();
    if (this.byKey.size <= SWEEP_AT_ONCE) this.sweepOn(Number.POSITIVE_INFINITY);
  }

  private pickFrom<T>(held: Set<number>, table: readonly T[]): T[] | undefined {
    const picked: T[] = [];
    for (const slot of held) if (this.members[slot] !== undefined) picked.push(table[slot]!);
    return picked.length > 0 ? picked : undefined;
  }

  private freeSlot(): number {
    let slot = 0;
    while (this.members[slot] !== undefined || this.struck.has(slot)) slot += 1;
    return slot;
  }

  private startSweep(): void {
    this.sweep = { keys: this.byKey.entries(), slots: [...this.struck] };
  }

  /** Goes on with the sweep by so many keys at the most. (What is added meanwhile comes last, and is clean.) */
  private sweepOn(keys: number): void {
    for (let left = keys; left > 0 && this.sweep !== undefined; left--) {
      const next = this.sweep.keys.next();
      if (!next.done) {
        this.clean(next.value[0], next.value[1]);
        continue;
      }
      for (const slot of this.sweep.slots) this.struck.delete(slot);
      this.sweep = undefined;
      if (this.struck.size > 0) this.startSweep();
    }
  }

  private clean(key: Key, held: Holders): void {
    if (typeof held === 'number') {
      this.keep(key, held, held & this.living);
      return;
    }
    for (const slot of held) if (this.members[slot] === undefined) held.delete(slot);
    if (held.size === 0) this.byKey.delete(key);
  }

  private keep(key: Key, held: number, mask: number): void {
    if (mask === 0) this.byKey.delete(key);
    else if (mask !== held) this.byKey.set(key, mask);
  }
}

const lowestSlot = (mask: number): number => 31 - Math.clz32(mask & -mask);

function slotsOf(mask: number): number[] {
  const slots: number[] = [];
  for (let left = mask; left !== 0; left &= left - 1) slots.push(lowestSlot(left));
  return slots;
}
