/** Whether something has grown: the first quarter of a run, after a warm-up, against the last. */
import { median } from './report.ts';
import type { Series } from './soak-samples.ts';

export interface Growth {
  readonly metric: string;
  readonly of: string;
  /** Of the first and of the last quarter. */
  readonly first: number;
  readonly last: number;
  /** What `last` may be at most. */
  readonly allowed: number;
  readonly grown: boolean;
}

interface Allowance {
  /** Share of the first. */
  readonly share: number;
  /** On top, in the metric's unit. */
  readonly more: number;
  /** What the load itself may need at any time, so that it is not growth when a quarter began with less. Default 0. */
  readonly least?: number;
  /** Which value stands for a quarter. */
  readonly of: (values: readonly number[]) => number;
}

const MIB = 1024 * 1024;

/** Of a saw-tooth its feet: what is left when garbage has just been collected. */
const lowest = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 10)]!;

/** 500 cold keys, and hot ones until they are swept. A leader that is killed takes some with it, so there may be fewer. */
const KEYS = 620;
/** With its value and what is kept of it. */
const KEY_BYTES = 100;

/** Of four nodes; a follower has 12. Who leads in one quarter may follow in another. */
const LEADER_HANDLES = 20;

const ALLOWANCES: Readonly<Record<string, Allowance>> = {
  // What a process has once had it seldom gives back, and how much it takes hangs on when garbage is collected.
  rss: { share: 0.15, more: 24 * MIB, of: median },
  heapUsed: { share: 0.15, more: 4 * MIB, of: lowest },
  external: { share: 0.15, more: 4 * MIB, of: median },
  handles: { least: LEADER_HANDLES, share: 0, more: 6, of: median },
  inFlight: { share: 0, more: 20, of: median },
  operations: { share: 0, more: 20, of: median },
  locks: { share: 0, more: 10, of: median },
  invalidating: { share: 0, more: 10, of: median },
  directory: { least: KEYS, share: 0.15, more: 50, of: median },
  entries: { least: KEYS, share: 0.15, more: 50, of: median },
  bytes: { least: KEYS * KEY_BYTES, share: 0.15, more: 4096, of: median },
};

/** The share of a run that does not count: compilers and pools fill up. */
const WARM_UP = 0.2;
/** In each quarter; with fewer nothing can be said. */
const LEAST_POINTS = 3;

/** Throws where there are too few samples to say anything. */
export function growthOf({ metric, of, points }: Series): Growth {
  const allowance = ALLOWANCES[metric]!;
  const counted = points.slice(Math.ceil(points.length * WARM_UP)).map(({ value }) => value);
  const quarter = Math.floor(counted.length / 4);
  if (quarter < LEAST_POINTS) throw new Error(`${points.length} samples of ${metric} are too few to see growth`);
  const first = allowance.of(counted.slice(0, quarter));
  const last = allowance.of(counted.slice(-quarter));
  const allowed = Math.round(Math.max(first, allowance.least ?? 0) * (1 + allowance.share) + allowance.more);
  return { metric, of, first, last, allowed, grown: last > allowed };
}
