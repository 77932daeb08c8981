/** Medians, ratios and their spread. */
import type { CaseResult, Sample } from './model.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export type Metric = 'value' | 'p50' | 'p99' | 'p999';

export const metricOf = (sample: Sample, metric: Metric): number =>
  metric === 'value' ? sample.value : (sample.latency?.[metric] ?? Number.NaN);

/** Of each round one ratio: what slows the machine down for a while slows both of a round. */
export function ratioOf(result: CaseResult, ours: string, against: string, metric: Metric): Spread | undefined {
  const find = (name: string) => result.measured.find(({ contender }) => contender === name)?.samples;
  const [a, b] = [find(ours), find(against)];
  if (a === undefined || b === undefined) return undefined;
  const rounds = Math.min(a.length, b.length);
  if (rounds === 0) return undefined;
  return spreadOf(Array.from({ length: rounds }, (_, i) => metricOf(a[i]!, metric) / metricOf(b[i]!, metric)));
}
