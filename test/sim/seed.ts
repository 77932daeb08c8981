/** One seed, from nothing to its verdict. */
import { profileNamed, profileOf } from './profiles.ts';
import { Simulation, type Verdict } from './simulation.ts';

export interface SeedOptions {
  readonly seed: number;
  /** Default: the seed's own, out of the mixture. */
  readonly profile?: string;
  readonly log?: (line: string) => void;
}

export interface SeedResult extends Verdict {
  readonly seed: number;
  readonly profile: string;
}

/** The same seed and profile make the same history, byte for byte. */
export async function runSeed({ seed, profile: name, log }: SeedOptions): Promise<SeedResult> {
  const profile = name === undefined ? profileOf(seed) : profileNamed(name);
  const verdict = await new Simulation({ seed, profile, log }).run();
  return { seed, profile: profile.name, ...verdict };
}
