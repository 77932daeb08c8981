/**
 * Items by ids that are given in ascending order: calls and requests, most of them short-lived.
 *
 * A `Map` does this worse than it seems. Through one in which entries come and go V8 moves on from table to table, and
 * each table that it leaves still refers to the next. Once one of them has been promoted, so is all that comes after
 * it, dead entries included, until the next major collection: with 256 operations in flight a third of whatever was
 * allocated was promoted, and collecting garbage took a quarter of a follower's time. Here an id's slot is used again
 * by another one, and nothing is left behind; that alone halved it.
 */

/** No id. */
const FREE = -1;

/** Slots of a table in which there has not been much yet. */
const FEW = 16;

/** A table with no more slots than this does not shrink: bursts of operations are common. */
const KEPT = 4096;

/** Ids are integers from 0 to 2^53 - 1. Whatever iterates does so over a copy, so the table may be changed meanwhile. */
export class IdTable<T extends object> {
  /** An id and its item stand at `id & mask`. */
  private ids: number[] = [];
  private items: (T | undefined)[] = [];
  private mask = 0;
  /** Items in slots. */
  private placed = 0;
  /** No id in a slot is lower. */
  private low = 0;
  /** Long-lived items whose slots newer ones have got. There hardly ever are any, and such a `Map` does not last. */
  private strays: Map<number, T> | undefined;
  /** The lowest id of a stray; undefined: it has to be looked for. */
  private lowStray: number | undefined;

  constructor() {
    this.reset(FEW);
  }

  get size(): number {
    return this.strays === undefined ? this.placed : this.placed + this.strays.size;
  }

  get(id: number): T | undefined {
    const slot = id & this.mask;
    return this.ids[slot] === id ? this.items[slot] : this.strays?.get(id);
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  set(id: number, item: T): void {
    const slot = id & this.mask;
    const present = this.ids[slot];
    if (present === id) this.items[slot] = item;
    else if (this.strays?.has(id)) this.strays.set(id, item);
    else if (present === FREE) this.place(slot, id, item);
    else this.makeRoom(id, item);
  }

  delete(id: number): boolean {
    const slot = id & this.mask;
    if (this.ids[slot] !== id || id === FREE) return this.deleteStray(id);
    this.ids[slot] = FREE;
    this.items[slot] = undefined;
    this.placed -= 1;
    const slots = this.mask + 1;
    if (slots > KEPT && this.size * 32 < slots) this.resize(slots / 4);
    return true;
  }

  clear(): void {
    this.reset(FEW);
  }

  /** The lowest id. As ids grow, asking each time costs no more than a step for each id there has been. */
  oldest(): number | undefined {
    const stray = this.oldestStray();
    if (this.placed === 0) return stray;
    const placed = this.oldestPlaced();
    return stray === undefined || placed < stray ? placed : stray;
  }

  /** All ids, in ascending order. */
  keys(): number[] {
    const { ids, mask, low } = this;
    const all = this.strays === undefined ? [] : [...this.strays.keys()];
    // From the lowest slot on they mostly are in order, and sorting has little to do. (Slots are counted, not ids: those
    // of a peer may be so large that one more is the same number.)
    for (let i = 0, first = low & mask; i <= mask; i++) {
      const id = ids[(first + i) & mask]!;
      if (id !== FREE) all.push(id);
    }
    return all.sort((a, b) => a - b);
  }

  /** In the order of ids. */
  values(): T[] {
    return this.keys().map((id) => this.get(id)!);
  }

  /** In the order of ids. */
  entries(): [number, T][] {
    return this.keys().map((id) => [id, this.get(id)!]);
  }

  [Symbol.iterator](): Iterator<[number, T]> {
    return this.entries()[Symbol.iterator]();
  }

  private reset(slots: number): void {
    this.ids = new Array<number>(slots).fill(FREE);
    this.items = new Array<T | undefined>(slots).fill(undefined);
    this.mask = slots - 1;
    this.placed = 0;
    this.low = 0;
    this.strays = undefined;
    this.lowStray = undefined;
  }

  /** Gives an item a slot that is free. */
  private place(slot: number, id: number, item: T): void {
    if (this.placed === 0 || id < this.low) this.low = id;
    this.ids[slot] = id;
    this.items[slot] = item;
    this.placed += 1;
  }

  /** More slots, but only for many items: a few that last would otherwise make it grow without end. */
  private makeRoom(id: number, item: T): void {
    while (this.ids[id & this.mask] !== FREE && this.size * 4 > this.mask) this.resize((this.mask + 1) * 2);
    this.add(id, item);
  }

  /** The older of two for one slot strays: it has lasted, while most of the newer ones will be gone soon. */
  private add(id: number, item: T): void {
    const slot = id & this.mask;
    const present = this.ids[slot]!;
    if (present === FREE) this.place(slot, id, item);
    else if (present > id) this.stray(id, item);
    else {
      this.stray(present, this.items[slot]!);
      this.ids[slot] = id;
      this.items[slot] = item;
    }
  }

  private resize(slots: number): void {
    const { ids, items, strays } = this;
    this.reset(slots);
    for (const [slot, id] of ids.entries()) if (id !== FREE) this.add(id, items[slot]!);
    for (const [id, item] of strays ?? []) this.add(id, item);
  }

  private stray(id: number, item: T): void {
    if (this.strays === undefined) {
      this.strays = new Map();
      this.lowStray = id;
    } else if (this.lowStray !== undefined && id < this.lowStray) this.lowStray = id;
    this.strays.set(id, item);
  }

  private deleteStray(id: number): boolean {
    if (!this.strays?.delete(id)) return false;
    if (id === this.lowStray) this.lowStray = undefined;
    if (this.strays.size === 0) this.strays = undefined;
    return true;
  }

  private oldestStray(): number | undefined {
    if (this.strays === undefined) return undefined;
    if (this.lowStray === undefined) {
      let low = Number.POSITIVE_INFINITY;
      for (const id of this.strays.keys()) if (id < low) low = id;
      this.lowStray = low;
    }
    return this.lowStray;
  }

  private oldestPlaced(): number {
    const { ids, mask } = this;
    const { low } = this;
    for (let i = 0; i <= mask; i++) {
      if (ids[((low & mask) + i) & mask] !== low + i) continue;
      this.low = low + i;
      return this.low;
    }
    // Farther than once around: there are few, with wide gaps between them.
    this.low = Number.POSITIVE_INFINITY;
    for (const id of ids) if (id !== FREE && id < this.low) this.low = id;
    return this.low;
  }
}
