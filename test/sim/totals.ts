/** What many seeds come to, and whether that is enough to mean anything. */
import type { SeedResult } from './seed.ts';

/** On average a seed; with less a run proves nothing. */
const LEAST = { operations: 100, cacheHits: 13, leaderChanges: 1 } as const;

export class Totals {
  seeds = 0;
  operations = 0;
  cacheHits = 0;
  leaderChanges = 0;
  violations = 0;
  badSeeds = 0;
  private readonly faults: Record<string, number> = {};

  add(result: SeedResult): void {
    this.seeds += 1;
    this.operations += result.operations;
    this.cacheHits += result.cacheHits;
    this.leaderChanges += result.leaderChanges;
    for (const [kind, count] of Object.entries(result.faults)) this.faults[kind] = (this.faults[kind] ?? 0) + count;
    this.violations += result.violations.length;
    if (result.violations.length > 0) this.badSeeds += 1;
  }

  /** What there was too little of, in words. */
  tooLittle(): string[] {
    return (Object.keys(LEAST) as (keyof typeof LEAST)[])
      .filter((name) => this[name] < LEAST[name] * this.seeds)
      .map(
        (name) => `${name}: ${(this[name] / this.seeds).toFixed(1)} a seed on average, at least ${LEAST[name]} needed`,
      );
  }

  toJSON(): Record<string, unknown> {
    const { seeds, operations, cacheHits, leaderChanges, violations } = this;
    const faults = Object.fromEntries(Object.entries(this.faults).sort(([a], [b]) => (a < b ? -1 : 1)));
    return { seeds, operations, cacheHits, leaderChanges, faults, violations };
  }
}
