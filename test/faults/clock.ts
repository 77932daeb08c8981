/** The clock of histories: the machine's monotonic one, in nanoseconds, also where a process's own clocks are skewed. */
import { openSync, readSync } from 'node:fs';
import type { ClockKind } from './wire.ts';

/** Nanoseconds. What happens between two readings of `before` and `after` lies between their results. */
export interface Stamps {
  /** Not after now: for the start of an operation, and for events. */
  before(): number;
  /** Not before now: for its end. */
  after(): number;
}

const NS_PER_S = 1e9;
const NS_PER_MS = 1e6;

/** /proc/uptime counts hundredths; a millisecond more, for what measuring the offset may be off. */
const UPTIME_ERROR_NS = 11 * NS_PER_MS;
const OFFSET_ERROR_NS = NS_PER_MS;

export const monotonicNs = (): number => Number(process.hrtime.bigint());

const monotonic: Stamps = { before: monotonicNs, after: monotonicNs };

/**
 * `offsetNs`: from /proc/uptime to the monotonic clock, as measured by `uptimeOffsetNs` in a process that is not skewed.
 * libfaketime replaces the functions that ask for the time, but not a read of this file.
 */
export function createStamps(kind: ClockKind, offsetNs: number): Stamps {
  if (kind === 'monotonic') return monotonic;
  const uptime = uptimeReader();
  return {
    before: () => uptime() + offsetNs - OFFSET_ERROR_NS,
    after: () => uptime() + offsetNs + UPTIME_ERROR_NS,
  };
}

/** What to add to /proc/uptime for the monotonic clock. Takes some 20 ms, in which nothing else runs. */
export function uptimeOffsetNs(): number {
  return measureOffsetNs(uptimeReader(), monotonicNs);
}

/** Of a clock that shows hundredths, rounded down; exact to a millisecond, and never too small. */
const HUNDREDTH_NS = 10 * NS_PER_MS;
const GIVE_UP_NS = 5000 * NS_PER_MS;

/**
 * From two sides: a reading bounds the offset from above by its age, and from below by the age that it can have at
 * most. The bounds hold however long this process stands still between two readings; so it goes on until they meet.
 */
export function measureOffsetNs(shownNs: () => number, nowNs: () => number): number {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const began = nowNs(); most - least > OFFSET_ERROR_NS; ) {
    const before = nowNs();
    const shown = shownNs();
    const after = nowNs();
    most = Math.min(most, after - shown);
    least = Math.max(least, before - shown - HUNDREDTH_NS);
    if (after - began > GIVE_UP_NS)
      throw new Error(`/proc/uptime could not be compared: ${most - least} ns are unclear`);
  }
  return most;
}

/** Nanoseconds since the machine was started. */
function uptimeReader(): () => number {
  const file = openSync('/proc/uptime', 'r');
  const buffer = Buffer.alloc(64);
  return () => {
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return Math.round(Number.parseFloat(buffer.toString('latin1', 0, length)) * NS_PER_S);
  };
}
