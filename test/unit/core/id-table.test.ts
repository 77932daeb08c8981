/** A table of operations under way does what a Map in the order of ids would do (Z17 Z28: none is lost or mistaken). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdTable } from '../../../src/core/id-table.ts';

interface Item {
  readonly of: number;
}

/** Jest's own comparison takes too long for millions of them. */
function same<T>(actual: T, expected: T): void {
  if (actual !== expected) expect(actual).toBe(expected);
}

/** A table beside what it ought to be. */
class Modelled {
  readonly table = new IdTable<Item>();
  private readonly items = new Map<number, Item>();
  private next = 1;

  add(gap = 0): number {
    this.next += gap;
    this.put(this.next);
    return this.next++;
  }

  put(id: number): void {
    const item = { of: id };
    this.table.set(id, item);
    this.items.set(id, item);
    same(this.table.get(id), item);
  }

  delete(id: number): void {
    same(this.table.delete(id), this.items.delete(id));
    same(this.table.has(id), false);
    same(this.table.delete(id), false);
  }

  clear(): void {
    this.table.clear();
    this.items.clear();
  }

  /** The id that stands at this part of what there is, from the oldest on. */
  idAt(part: number): number | undefined {
    return this.ids()[Math.floor(part * this.items.size)];
  }

  ids(): number[] {
    return [...this.items.keys()].sort((a, b) => a - b);
  }

  checkFew(): void {
    same(this.table.size, this.items.size);
    same(this.table.oldest(), this.ids()[0]);
  }

  checkAll(): void {
    this.checkFew();
    const ids = this.ids();
    same(this.table.keys().join(), ids.join());
    same([...this.table].map(([id, { of }]) => `${id}:${of}`).join(), ids.map((id) => `${id}:${id}`).join());
    same(
      this.table.values().every((item, i) => item === this.items.get(ids[i]!)),
      true,
    );
    for (let id = 0; id < this.next + 20 && id < 5000; id++) same(this.table.get(id), this.items.get(id));
  }
}

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const step: fc.Arbitrary<(it: Modelled) => void> = fc.oneof(
  { weight: 6, arbitrary: fc.constant((it: Modelled) => void it.add()) },
  // Ids that another table got.
  { weight: 3, arbitrary: fc.nat(40).map((gap) => (it: Modelled) => void it.add(gap)) },
  { weight: 1, arbitrary: fc.integer({ min: 1e5, max: 2 ** 33 }).map((gap) => (it: Modelled) => void it.add(gap)) },
  // Short-lived ones, past whatever lasts.
  {
    weight: 2,
    arbitrary: fc.nat(200).map((n) => (it: Modelled) => {
      for (let i = 0; i < n; i++) it.delete(it.add());
    }),
  },
  { weight: 2, arbitrary: fc.nat(60).map((n) => (it: Modelled) => void Array.from({ length: n }, () => it.add())) },
  { weight: 8, arbitrary: part.map((at) => (it: Modelled) => it.delete(it.idAt(at) ?? 0)) },
  { weight: 2, arbitrary: fc.nat(500).map((id) => (it: Modelled) => it.put(id)) },
  { weight: 2, arbitrary: part.map((at) => (it: Modelled) => it.put(it.idAt(at) ?? 7)) },
  { weight: 2, arbitrary: fc.constant((it: Modelled) => it.checkAll()) },
  { weight: 1, arbitrary: fc.constant((it: Modelled) => it.clear()) },
);

describe('a table of operations by id', () => {
  it('holds what a Map in the order of ids would hold, whatever is added and deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const modelled = new Modelled();
        for (const each of steps) {
          each(modelled);
          modelled.checkFew();
        }
        modelled.checkAll();
      }),
      { numRuns: 100 },
    );
  });

  it('keeps what lasts while thousands pass it by', () => {
    const modelled = new Modelled();
    const lasting = [modelled.add(), modelled.add(3), modelled.add(16), modelled.add(1000)];
    const passing: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      passing.push(modelled.add());
      if (passing.length > 50) modelled.delete(passing.shift()!);
      if (i % 5000 === 0) lasting.push(modelled.add());
    }
    modelled.checkAll();
    expect(modelled.table.oldest()).toBe(lasting[0]);
    for (const id of passing) modelled.delete(id);
    modelled.checkAll();
    for (const id of lasting) {
      expect(modelled.table.oldest()).toBe(id);
      modelled.delete(id);
    }
    modelled.checkAll();
  });

  it('holds as many as there are, and as few again', () => {
    const modelled = new Modelled();
    for (let round = 0; round < 2; round++) {
      const first = modelled.add();
      const last = Array.from({ length: 30_000 }, () => modelled.add());
      modelled.checkAll();
      for (const id of last) modelled.delete(id);
      modelled.checkAll();
      modelled.delete(first);
      modelled.checkAll();
    }
  });

  it('takes ids up to the largest that a peer may give, beyond which numbers have gaps', () => {
    const modelled = new Modelled();
    for (let id = Number.MAX_SAFE_INTEGER - 40; id <= Number.MAX_SAFE_INTEGER; id++) modelled.put(id);
    modelled.checkAll();
    for (let id = Number.MAX_SAFE_INTEGER - 40; id < Number.MAX_SAFE_INTEGER; id++) {
      modelled.delete(id);
      modelled.checkFew();
    }
    expect(modelled.table.keys()).toEqual([Number.MAX_SAFE_INTEGER]);
    modelled.delete(-1);
    modelled.checkAll();
  });

  it('goes once through what there was when it began, though all of it is deleted meanwhile', () => {
    const modelled = new Modelled();
    const ids = Array.from({ length: 40 }, () => modelled.add(7));
    const seen: number[] = [];
    for (const [id] of modelled.table) {
      seen.push(id);
      modelled.clear();
      modelled.add();
    }
    expect(seen).toEqual(ids);
  });
});
