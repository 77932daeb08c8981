/** The check of recorded histories must itself be able to fail. */
import { describe, expect, it } from '@jest/globals';
import { type HistoryEntry, outOfDateReads } from '../../support/history.ts';

const put = (v: string, s: number, t: number): HistoryEntry => ({ c: 1, op: 'put', k: 'k', v, ok: t >= 0, s, t });
const del = (s: number, t: number): HistoryEntry => ({ c: 1, op: 'del', k: 'k', ok: true, s, t });
const get = (r: string | null, s: number, t: number): HistoryEntry => ({ c: 2, op: 'get', k: 'k', r, ok: true, s, t });

describe('reads that are out of date', () => {
  it.each<[string, HistoryEntry[]]>([
    ['the newest value', [put('a', 0, 1), put('b', 2, 3), get('b', 4, 5)]],
    ['either value of two concurrent writes', [put('a', 0, 3), put('b', 1, 2), get('a', 4, 5), get('b', 4, 5)]],
    ['the old value during a write', [put('a', 0, 1), put('b', 2, 9), get('a', 3, 4)]],
    ['the new value during a write', [put('a', 0, 1), put('b', 2, 9), get('b', 3, 4)]],
    ['a value of unknown outcome, long after', [put('a', 0, -1), put('b', 1, 2), get('a', 8, 9)]],
    ['nothing before the first write', [get(null, 0, 1), put('a', 2, 3)]],
    ['nothing after a delete', [put('a', 0, 1), del(2, 3), get(null, 4, 5)]],
    ['a value written after a delete', [put('a', 0, 1), del(2, 3), put('b', 4, 5), get('b', 6, 7)]],
    ['other keys do not matter', [put('a', 0, 1), { ...put('b', 2, 3), k: 'other' }, get('a', 4, 5)]],
  ])('accepts %s', (_name, entries) => {
    expect(outOfDateReads(entries)).toEqual([]);
  });

  it.each<[string, HistoryEntry[]]>([
    ['a value replaced before the read', [put('a', 0, 1), put('b', 2, 3), get('a', 4, 5)]],
    [
      'a value replaced, although the next write is unfinished',
      [put('a', 0, 1), put('b', 2, 3), put('c', 4, -1), get('a', 5, 6)],
    ],
    ['nothing although something was written', [put('a', 0, 1), get(null, 2, 3)]],
    ['a deleted value', [put('a', 0, 1), del(2, 3), get('a', 4, 5)]],
    ['nothing after a write that followed a delete', [del(0, 1), put('a', 2, 3), get(null, 4, 5)]],
    ['a value that nobody wrote', [put('a', 0, 1), get('x', 2, 3)]],
    ['a value before it was written', [get('a', 0, 1), put('a', 2, 3)]],
  ])('refuses %s', (_name, entries) => {
    expect(outOfDateReads(entries)).toHaveLength(1);
  });
});
