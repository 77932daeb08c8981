/** What a benchmark run is made of, and what it leaves behind. */

import { CONTENDERS } from './stores/store.ts';

/** One timed run of one contender. Latencies in microseconds. */
export interface Sample {
  readonly value: number;
  readonly latency?: Latency;
  /** Processor time of the client's process for one operation. Microseconds. */
  readonly cpuUs?: number;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export type Unit = 'ops/s' | 'ms' | 'us' | 'bytes' | 'messages';

/** One contender's samples of one case, in the order of the rounds: sample i of each contender is from round i. */
export interface Measured {
  readonly contender: string;
  readonly samples: readonly Sample[];
}

export interface CaseResult {
  /** Unique, as `--only` has it. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: 'higher' | 'lower';
  readonly measured: readonly Measured[];
  /** Contenders that are not installed here, with what to install. */
  readonly missing: readonly string[];
  readonly notes: readonly string[];
}

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** Values over some labels: measured here, beside those that a document gives and nobody measured here. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly labels: readonly string[];
  readonly measured: readonly Series[];
  readonly quoted: readonly Series[];
  /** The document, in few words. */
  readonly source: string;
  readonly notes: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly date: string;
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Run {
  readonly machine: Machine;
  readonly mode: 'quick' | 'normal' | 'full';
  readonly seconds: number;
  readonly cases: readonly CaseResult[];
  readonly figures: readonly Figure[];
  /** Cases that broke, with why. */
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
}

/** This project's own contender, in every case. */
export const OURS = 'ZiStore';

/** Those that are no peer are other views of ours. */
export const isPeer = (contender: string): boolean =>
  (CONTENDERS as readonly string[]).includes(contender) && contender !== OURS;
