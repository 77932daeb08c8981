/** One seed, from nothing to its verdict. */
import { Chaos } from './chaos.ts';

export interface SeedOptions {
  readonly seed: number;
  /** Default: the seed's own, out of the mixture. */
  readonly profile?: string;
  readonly log?: (line: string) => void;
}

export interface SeedResult {
  readonly seed: number;
  readonly profile: string;
  /** Operations that were checked. */
  readonly operations: number;
  readonly cacheHits: number;
  readonly leaderChanges: number;
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** In the contract's format, one JSON object each. */
  readonly history: readonly string[];
}

export async function runSeed({ seed, log }: SeedOptions): Promise<SeedResult> {
  const result = await new Chaos({ seed, ...(log && { log }) }).run();
  const { operations, cacheHits, takeovers, violations } = result;
  return {
    seed,
    profile: 'everything',
    operations,
    cacheHits,
    leaderChanges: Math.max(0, takeovers - 1),
    faults: {},
    violations,
    history: [],
  };
}
