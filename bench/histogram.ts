/** Latencies of one run. */
import { build, type Histogram } from 'hdr-histogram-js';
import type { Latency } from './model.ts';

/** The histogram counts whole tenths of a microsecond. */
const UNITS_PER_MS = 10_000;
const UNITS_PER_US = 10;
const LONGEST_MS = 100_000;
const KEPT_AT_ONCE = 1 << 16;

export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MS * UNITS_PER_MS,
    numberOfSignificantValueDigits: 3,
  });

  /** Kept as they come, and counted later: counting takes longer than a read from memory does. */
  #kept: Float64Array<ArrayBuffer>[] = [];
  #last = new Float64Array(KEPT_AT_ONCE);
  #at = 0;

  record(ms: number): void {
    if (this.#at === KEPT_AT_ONCE) {
      this.#kept.push(this.#last);
      this.#last = new Float64Array(KEPT_AT_ONCE);
      this.#at = 0;
    }
    this.#last[this.#at++] = ms;
  }

  #count(latencies: Float64Array): void {
    for (const ms of latencies) {
      this.#histogram.recordValue(Math.min(Math.max(1, Math.round(ms * UNITS_PER_MS)), LONGEST_MS * UNITS_PER_MS));
    }
  }

  /** Microseconds. */
  summary(): Latency {
    for (const latencies of this.#kept) this.#count(latencies);
    this.#count(this.#last.subarray(0, this.#at));
    this.#kept = [];
    this.#at = 0;
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / UNITS_PER_US;
    return { p50: at(50), p99: at(99), p999: at(99.9) };
  }
}
