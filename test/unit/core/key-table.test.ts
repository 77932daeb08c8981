/** A table of operations under way and of locks does what a Map would do (Z17 Z23 Z28: none is lost or mistaken). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, KeyTable } from '../../../src/core/key-table.ts';
import type { Key } from '../../../src/core/types.ts';
import { key } from './support.ts';

interface Item {
  readonly of: number;
}

const SEED = 7;
const SLOTS = 64;

/** Keys that want one of a few slots, at the end of the smallest table and at its beginning. */
const crowded = Array.from({ length: 20_000 }, (_none, n) => key(`k${n}`))
  .filter((each) => ((hashOf(each, SEED) + 3) & (SLOTS - 1)) < 5)
  .slice(0, 300);
const keys = fc.constantFrom(...crowded.slice(0, 40), ...crowded.slice(0, 4).flatMap((each) => [each, each, each]));
const steps = fc.array(
  fc.record({ step: fc.constantFrom('add', 'add', 'add', 'delete', 'delete', 'clear'), k: keys }),
  {
    maxLength: 400,
  },
);

function compare(table: KeyTable<Item>, model: ReadonlyMap<Key, Item>): void {
  expect(table.size).toBe(model.size);
  for (const each of crowded.slice(0, 40)) expect(table.get(each)).toBe(model.get(each));
  expect(new Set(table.keys())).toEqual(new Set(model.keys()));
  expect(new Set(table.values())).toEqual(new Set(model.values()));
}

describe('a table of keys', () => {
  it('finds what was added and not deleted, also among keys that want the same slot', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const table = new KeyTable<Item>(SEED);
        const model = new Map<Key, Item>();
        for (const [of, { step, k }] of all.entries()) {
          if (step === 'clear' && of % 10 === 0) {
            table.clear();
            model.clear();
          } else if (step === 'add' && !model.has(k)) {
            table.add(k, { of });
            model.set(k, table.get(k)!);
            expect(table.get(k)).toEqual({ of });
          } else if (step === 'delete') expect(table.delete(k)).toBe(model.delete(k));
          if (of % 20 === 0) compare(table, model);
        }
        compare(table, model);
      }),
      { numRuns: 300 },
    );
  });

  it('grows with a burst and shrinks after it, and loses nothing', () => {
    const table = new KeyTable<Item>(SEED);
    const many = Array.from({ length: 50_000 }, (_none, n) => key(`burst ${n}`));
    for (const [of, each] of many.entries()) table.add(each, { of });
    expect(many.every((each, of) => table.get(each)?.of === of)).toBe(true);
    const kept = many.filter((_each, of) => of % 1000 === 0);
    const gone = many.filter((each, of) => of % 1000 !== 0 && table.delete(each));
    expect(gone).toHaveLength(many.length - kept.length);
    expect(table.size).toBe(kept.length);
    expect(kept.every((each) => table.get(each) !== undefined)).toBe(true);
    expect(new Set(table.keys())).toEqual(new Set(kept));
    expect((table as unknown as { keyAt: unknown[] }).keyAt.length).toBeLessThanOrEqual(4096);
  });

  it('tells keys apart whose hashes are the same', () => {
    const table = new KeyTable<Item>(SEED);
    const [a, b] = [key('a'), key('b')];
    table.add(a, { of: 1 }, 5);
    expect(table.get(b, 5)).toBeUndefined();
    expect(table.delete(b, 5)).toBe(false);
    table.add(b, { of: 2 }, 5);
    expect(table.delete(a, 5)).toBe(true);
    expect(table.get(b, 5)).toEqual({ of: 2 });
  });

  it('is not changed under whoever iterates', () => {
    const table = new KeyTable<Item>(SEED);
    for (const [of, each] of crowded.slice(0, 10).entries()) table.add(each, { of });
    const seen = table.values();
    for (const each of table.keys()) table.delete(each);
    expect(seen).toHaveLength(10);
    expect(table.size).toBe(0);
  });

  it('limits: keys that want one slot at one node do not at another', () => {
    const wanted = crowded.filter((each) => (hashOf(each, SEED) & (SLOTS - 1)) === SLOTS - 1);
    const elsewhere = new Set(wanted.map((each) => hashOf(each, hashOf('another node', 0)) & (SLOTS - 1)));
    expect(wanted.length).toBeGreaterThan(20);
    expect(elsewhere.size).toBeGreaterThan(10);
  });

  it('keys of any form are told apart: text, other scripts, bytes', () => {
    const forms = [
      '',
      'a',
      'aa',
      'ä',
      '\u{1F600}',
      '\ud800\u00ff',
      '\ud800\u00fe',
      'x'.repeat(10_000),
      'x'.repeat(10_001),
      `${'x'.repeat(5000)}y${'x'.repeat(4999)}`,
    ];
    const table = new KeyTable<Item>(SEED);
    for (const [of, each] of forms.entries()) table.add(each as Key, { of });
    expect(forms.map((each) => table.get(each as Key)?.of)).toEqual(forms.map((_each, of) => of));
  });
});
