/** What a process that holds one contender can be asked to do. All of it travels as JSON. */
import type { KeyRange } from '../data.ts';
import type { Sample } from '../model.ts';
import type { Target } from '../stores/store.ts';

export type Operation = 'get' | 'set';

/** In a closed loop: as many as `inFlight` at any moment, over the keys again and again. */
export interface LoadShape {
  readonly op: Operation;
  readonly inFlight: number;
  readonly ms: number;
  readonly keys: KeyRange;
  readonly size: number;
  /** An echo keeps nothing that could be read back. */
  readonly unchecked?: boolean;
  /** Each key once at the most, from the first; however little of the time is over. */
  readonly once?: boolean;
}

/** Each key once. */
export interface PassShape {
  readonly op: Operation;
  readonly inFlight: number;
  readonly keys: KeyRange;
  readonly size: number;
  /** The names of the keys are not kept for another time. */
  readonly forget?: boolean;
}

export interface LocalShape {
  readonly how: 'get' | 'peek';
  readonly ms: number;
  readonly keys: KeyRange;
  readonly size: number;
}

/** Records written or read together, or one after the other; again and again. */
export interface BatchShape {
  readonly op: Operation;
  readonly order: 'together' | 'oneByOne';
  readonly records: number;
  readonly repeats: number;
  /** Where the records begin; each repetition has new ones. */
  readonly from: number;
  /** Before each repetition, untimed, they are written: what is timed overwrites. */
  readonly existing?: boolean;
}

/** Microseconds a batch. */
export interface BatchTimes {
  readonly median: number;
  readonly mean: number;
  readonly worst: number;
}

export type Workload = 'A' | 'B' | 'C' | 'D' | 'F';

export interface YcsbShape {
  readonly workload: Workload;
  readonly records: number;
  readonly size: number;
  readonly inFlight: number;
  readonly ms: number;
  readonly seed: number;
  /** Where this process inserts new records: others insert elsewhere. */
  readonly insertAt: number;
}

export interface Memory {
  /** On and off V8's heap, after a garbage collection. Bytes. */
  readonly used: number;
  readonly rss: number;
}

/** Of the machine's monotonic clock, which all its processes share. Milliseconds. */
export interface Moments {
  readonly leaderAt: number | null;
  readonly recoveringAt: number | null;
  /** The longest that the event loop did not come round since the watch began. Milliseconds. */
  readonly blockedMs: number;
  /** The same, but no longer than what processor time the process had in it: without what others took. */
  readonly busyMs: number;
}

/** Each job's argument and result. */
export interface Jobs {
  echo(argument: null): { net: number; ws: number };
  /** Resolves when the contender may be used; how long that took, in milliseconds. */
  open(target: Target): number;
  load(shape: LoadShape): Sample;
  pass(shape: PassShape): Sample;
  local(shape: LocalShape): Sample;
  batch(shape: BatchShape): BatchTimes;
  ycsb(shape: YcsbShape): Sample;
  /** A set every so often until one is acknowledged; when that was, on the machine's monotonic clock. */
  firstWrite(argument: { readonly key: string; readonly everyMs: number }): number;
  watch(argument: null): null;
  moments(argument: null): Moments;
  memory(argument: null): Memory;
  status(argument: null): unknown;
  /** Ends the process, too. */
  close(argument: null): null;
}

export type JobName = keyof Jobs;
export type JobArgument<N extends JobName> = Parameters<Jobs[N]>[0];
export type JobResult<N extends JobName> = ReturnType<Jobs[N]>;

export interface Request {
  readonly id: number;
  readonly job: JobName;
  readonly argument: unknown;
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };
