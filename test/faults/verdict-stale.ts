/** Reads that were out of date beyond doubt, by a rule so simple that it needs no search for an order. */
import type { Recorded } from '../sim/checker-history.ts';

/**
 * In the history of one key: reads of a value although a write that began after the write of that value had ended was
 * acknowledged before they were called; and reads of nothing although a value had been written since the last moment
 * at which the key can have been deleted or lost.
 */
export function countStaleReads(entries: readonly Recorded[]): number {
  const writtenUntil = new Map<string, number>();
  const acknowledged: [at: number, start: number][] = [];
  const removals: [at: number, end: number][] = [];
  for (const entry of entries) {
    if (entry.op === 'get') continue;
    const end = entry.t === -1 ? Number.POSITIVE_INFINITY : entry.t;
    if (entry.op === 'put') {
      const value = entry.v ?? '';
      writtenUntil.set(value, Math.max(end, writtenUntil.get(value) ?? end));
    } else removals.push([entry.s, end]);
    if (entry.op !== 'loss' && entry.t !== -1) acknowledged.push([entry.t, entry.s]);
  }
  /** Of the writes that were acknowledged before a moment, the start of the one that began last. */
  const newestBefore = greatestUpTo(acknowledged);
  const removedUntil = greatestUpTo(removals);
  let count = 0;
  for (const entry of entries) {
    if (entry.op !== 'get' || !entry.ok || entry.t === -1) continue;
    const value = entry.r ?? null;
    // A value that nobody wrote is another matter.
    const until = value === null ? removedUntil(entry.t) : (writtenUntil.get(value) ?? Number.POSITIVE_INFINITY);
    if (newestBefore(entry.s) > until) count += 1;
  }
  return count;
}

/** Of the pairs whose first is below a moment, the greatest second; −Infinity where there is none. */
function greatestUpTo(pairs: [number, number][]): (moment: number) => number {
  pairs.sort((a, b) => a[0] - b[0]);
  let greatest = Number.NEGATIVE_INFINITY;
  const running = pairs.map(([, value]) => {
    greatest = Math.max(greatest, value);
    return greatest;
  });
  return (moment) => {
    let [low, high] = [0, pairs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[middle]![0] < moment) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? Number.NEGATIVE_INFINITY : running[low - 1]!;
  };
}
