/** Latencies of one run. */
import { build, type Histogram } from 'hdr-histogram-js';
import type { Latency } from './model.ts';

/** The histogram counts whole tenths of a microsecond. */
const UNITS_PER_MS = 10_000;
const UNITS_PER_US = 10;
const LONGEST_MS = 100_000;

export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MS * UNITS_PER_MS,
    numberOfSignificantValueDigits: 3,
  });

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(Math.max(1, Math.round(ms * UNITS_PER_MS)), LONGEST_MS * UNITS_PER_MS));
  }

  /** Microseconds. */
  summary(): Latency {
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / UNITS_PER_US;
    return { p50: at(50), p99: at(99), p999: at(99.9) };
  }
}
