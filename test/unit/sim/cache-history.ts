/** Histories of an imagined store with near caches: coherent, or wrong on purpose by a given time. */
import type { Recorded } from '../../sim/checker-history.ts';
import { SeededRandom } from '../../sim/world.ts';

export interface CacheHistoryOptions {
  readonly seed: number;
  readonly operations: number;
  readonly keys: number;
  readonly clients: number;
  /** For how long after a write its predecessor is still read elsewhere. Default 0: the store is coherent. */
  readonly staleForNs?: number;
}

/** Each client does one operation after the other; each takes effect at a moment within it. */
export function simulateCache(options: CacheHistoryOptions): { history: Recorded[] } {
  const { operations, keys, clients, staleForNs = 0 } = options;
  const random = new SeededRandom(options.seed);
  const free = new Array<number>(clients).fill(0);
  const planned = Array.from({ length: operations }, (_, i) => {
    const c = i % clients;
    const s = free[c]! + random.below(200_000);
    const at = s + random.below(1_500_000);
    const t = at + 1 + random.below(500_000);
    free[c] = t + 1;
    return { c, s, at, t, k: `k${random.below(keys)}`, write: random.fraction() < 0.3, v: `v${i}` };
  }).sort((a, b) => a.at - b.at);
  const written = new Map<string, { at: number; c: number; v: string }[]>();
  const history = planned.map(({ c, s, at, t, k, write, v }): Recorded => {
    const versions = written.get(k) ?? [];
    written.set(k, versions);
    if (write) {
      versions.push({ at, c, v });
      return { c, op: 'put', k, v, ok: true, s, t };
    }
    const seen = versions.findLast((version) => version.c === c || version.at + staleForNs <= at);
    return { c, op: 'get', k, r: seen?.v ?? null, ok: true, s, t };
  });
  return { history };
}
