/** The checker of histories must itself be able to fail, and must not fail what is right (Z04 Z16). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkHistory } from '../../sim/checker.ts';
import type { Recorded } from '../../sim/checker-history.ts';
import { checkRegister } from '../../sim/checker-register.ts';
import { isLinearizableByDefinition } from './brute-force.ts';
import { simulateCache } from './cache-history.ts';

const put = (v: string, s: number, t: number, c = 1): Recorded => ({ c, op: 'put', k: 'k', v, ok: t >= 0, s, t });
const del = (s: number, t: number, c = 1): Recorded => ({ c, op: 'del', k: 'k', ok: t >= 0, s, t });
const get = (r: string | null, s: number, t: number, c = 2): Recorded => ({ c, op: 'get', k: 'k', r, ok: true, s, t });
const cas = (e: string | null, v: string, ok: boolean, s: number, t: number): Recorded => {
  return { c: 3, op: 'cas', k: 'k', e, v, ok, s, t };
};
const loss = (s: number, t: number): Recorded => ({ op: 'loss', k: 'k', s, t });

describe('a linearizable history', () => {
  it.each<[string, Recorded[]]>([
    ['nothing at all', []],
    ['nothing before the first write', [get(null, 0, 1), put('a', 2, 3)]],
    ['the newest value', [put('a', 0, 1), put('b', 2, 3), get('b', 4, 5)]],
    ['either value during a write', [put('a', 0, 1), put('b', 2, 9), get('a', 3, 4), get('b', 5, 6)]],
    ['two concurrent writes, the first of them last', [put('a', 0, 9), put('b', 1, 8), get('b', 10, 11)]],
    ['nothing after a delete', [put('a', 0, 1), del(2, 3), get(null, 4, 5)]],
    ['a write of unknown outcome that never happens', [put('a', 0, 1), put('b', 2, -1), get('a', 4, 5)]],
    [
      'a write of unknown outcome that takes effect late',
      [put('a', 0, 1), put('b', 2, -1), get('a', 4, 5), put('c', 6, 7), get('c', 8, 9), get('b', 10, 11)],
    ],
    ['a delete of unknown outcome', [put('a', 0, 1), del(2, -1), get('a', 4, 5), get(null, 6, 7)]],
    ['a marked loss', [put('a', 0, 1), loss(3, 4), get('a', 2, 3), get(null, 5, 6)]],
    ['a loss that was marked and not seen', [put('a', 0, 1), loss(2, 3), get('a', 4, 5)]],
    ['a write after a loss', [put('a', 0, 1), loss(2, 3), get(null, 4, 5), put('b', 6, 7), get('b', 8, 9)]],
    ['a swap', [put('a', 0, 1), cas('a', 'b', true, 2, 3), get('b', 4, 5)]],
    ['a swap of what is absent', [cas(null, 'b', true, 2, 3), get('b', 4, 5)]],
    ['a swap that failed', [put('a', 0, 1), cas('x', 'b', false, 2, 3), get('a', 4, 5)]],
    ['a swap of unknown outcome', [put('a', 0, 1), cas('a', 'b', false, 2, -1), get('a', 4, 5), get('b', 6, 7)]],
    ['an unknown write for an unknown swap', [put('a', 0, -1), cas('a', 'b', false, 1, -1), get('b', 6, 7)]],
    ['a value nobody read', [put('a', 0, 1), put('b', 2, 3), cas('c', 'd', false, 4, 5), cas('b', 'e', true, 6, 7)]],
    ['operations that touch', [put('a', 0, 2), get(null, 2, 3)]],
    ['reads that failed', [put('a', 0, 1), { c: 1, op: 'get', k: 'k', ok: false, s: 2, t: 3 }]],
    ['one key like another', [put('a', 0, 1), { ...put('b', 2, 3), k: 'other' } as Recorded, get('a', 4, 5)]],
  ])('%s', (_name, history) => {
    expect(checkHistory(history)).toMatchObject({ verdict: 'linearizable', counterExamples: [] });
  });
});

describe('a history that cannot be', () => {
  it.each<[string, Recorded[], RegExp]>([
    [
      'a stale read',
      [put('a', 0, 1), put('b', 2, 3), get('a', 4, 5)],
      /write of "b" by client 1 had been acknowledged/,
    ],
    [
      'a stale read at another node, after a fresh one',
      [put('a', 0, 1), put('b', 2, 9), get('b', 3, 4, 2), get('a', 5, 6, 3)],
      /client 2 had read "b" before/,
    ],
    ['a lost update', [put('a', 0, 1), get(null, 2, 3)], /read nothing, although the write of "a"/],
    [
      'a lost update between swaps',
      [put('a', 0, 1), cas('a', 'b', true, 2, 3), cas('a', 'c', true, 4, 5)],
      /No order of these operations/,
    ],
    ['a value that nobody wrote', [put('a', 0, 1), get('x', 2, 3)], /nobody had written/],
    ['a value before it was written', [get('a', 0, 1), put('a', 2, 3)], /nobody had written/],
    ['a value that comes back after a delete', [put('a', 0, 1), del(2, 3), get('a', 4, 5)], /although the delete/],
    [
      'a value that comes back after a loss was seen',
      [put('a', 0, 1), loss(2, 3), get(null, 4, 5), get('a', 6, 7)],
      /had read nothing before/,
    ],
    ['an absence that no loss explains', [put('a', 0, 1), get(null, 2, 3), loss(4, 5)], /read nothing/],
    ['an absence before it was lost', [put('a', 0, 1), loss(9, 10), get(null, 2, 3)], /read nothing/],
    ['two absences of one loss', [put('a', 0, 1), loss(2, 3), get(null, 4, 5), put('b', 6, 7), get(null, 8, 9)], /"b"/],
    [
      'a write of unknown outcome that is undone',
      [put('a', 0, 1), put('b', 2, -1), get('b', 4, 5), get('a', 6, 7)],
      /had read "b" before/,
    ],
    [
      'a write of unknown outcome that happens twice',
      [put('b', 0, -1), get('b', 1, 2), put('a', 3, 4), get('b', 5, 6)],
      /although the write of "a"|older value|no order/,
    ],
    ['a swap that succeeded on another value', [put('a', 0, 1), cas('b', 'c', true, 2, 3)], /No order/],
    ['a swap that failed on its value', [put('a', 0, 1), cas('a', 'c', false, 2, 3)], /No order/],
  ])('%s', (_name, history, why) => {
    const report = checkHistory(history);
    expect(report.verdict).toBe('violation');
    expect(report.counterExamples[0]?.why).toMatch(why);
  });
});

describe('the counter-example', () => {
  it('is the few operations that show it, and names the read that cannot be', () => {
    const history: Recorded[] = [];
    for (let i = 0; i < 300; i++) {
      history.push(
        put(`v${i}`, i * 10, i * 10 + 3),
        get(`v${i}`, i * 10 + 5, i * 10 + 6),
        get(`v${i}`, i * 10 + 6, i * 10 + 7),
      );
    }
    const stale = get('v149', 1508, 1509, 7);
    const report = checkHistory([...history, stale]);
    expect(report.counterExamples[0]?.offender).toBe(stale);
    expect(report.counterExamples[0]?.operations).toEqual([put('v149', 1490, 1493), put('v150', 1500, 1503), stale]);
  });
});

describe('the checker', () => {
  const value = fc.constantFrom('a', 'b');
  const valueOrNull = fc.option(value, { nil: null });
  const times = fc.tuple(fc.nat(12), fc.nat(6), fc.nat(4));
  const entry: fc.Arbitrary<Recorded> = fc
    .tuple(times, fc.constantFrom('get', 'get', 'put', 'put', 'del', 'cas', 'failed', 'loss'), value, valueOrNull)
    .map(([[s, length, unknown], kind, v, other]) => {
      const t = unknown === 0 && kind !== 'get' && kind !== 'failed' ? -1 : s + length;
      if (kind === 'get') return get(other, s, t);
      if (kind === 'put') return put(v, s, t);
      if (kind === 'del') return del(s, t);
      if (kind === 'loss') return loss(s, t);
      return cas(other, v, kind === 'cas' && t !== -1, s, t);
    });

  it('agrees with the definition on tiny histories', () => {
    let linearizable = 0;
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 7 }), (history) => {
        const right = isLinearizableByDefinition(history);
        if (right) linearizable += 1;
        expect(checkRegister(history).verdict).toBe(right ? 'linearizable' : 'violation');
      }),
      { numRuns: 3000 },
    );
    expect(linearizable).toBeGreaterThan(300);
  });

  it('shows only counter-examples that are ones by definition', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 9 }), (history) => {
        for (const { operations } of checkHistory(history).counterExamples) {
          expect(isLinearizableByDefinition(operations)).toBe(false);
          expect(operations.length).toBeLessThanOrEqual(history.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('accepts what a cache that waits for its invalidations does, 10,000 operations on 20 keys', () => {
    const { history } = simulateCache({ seed: 1, operations: 10_000, keys: 20, clients: 10 });
    expect(checkHistory(history)).toMatchObject({ verdict: 'linearizable', operations: 10_000, keys: 20 });
  });

  it('notices a near cache that is stale for 2 ms', () => {
    const { history } = simulateCache({ seed: 1, operations: 10_000, keys: 20, clients: 10, staleForNs: 2_000_000 });
    expect(checkHistory(history).verdict).toBe('violation');
  });

  it('is not drowned by writes of unknown outcome', () => {
    const history: Recorded[] = Array.from({ length: 200 }, (_, i) => put(`u${i}`, i, -1));
    for (let i = 0; i < 200; i++)
      history.push(put(`v${i}`, 300 + i * 4, 301 + i * 4), get(`v${i}`, 302 + i * 4, 303 + i * 4));
    expect(checkHistory([...history, get('u7', 2000, 2001)]).verdict).toBe('linearizable');
    expect(checkHistory([...history, get('u7', 2000, 2001), get('v3', 2002, 2003)]).verdict).toBe('violation');
  });

  it('says that it is undecided when its budget is spent: that is no pass', () => {
    // Six writes of each of two values, and reads that see them change places thirteen times.
    const history = Array.from({ length: 12 }, (_, i) => put(i % 2 ? 'a' : 'b', i, 100 + i));
    for (let i = 0; i < 13; i++) history.push(get(i % 2 ? 'a' : 'b', 20 + i * 2, 21 + i * 2, i));
    expect(checkHistory(history, { budget: 50 })).toMatchObject({ verdict: 'undecided', undecided: ['k'] });
    expect(checkHistory(history).verdict).toBe('violation');
  });
});
