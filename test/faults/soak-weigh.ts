/** What a soak run has to have done and seen, so that it says something. */
import { rateProblems } from './faults-weigh.ts';
import type { Verdict } from './verdict.ts';

/** Of the load that was asked for: operations however they ended, and those that were acknowledged. */
const LEAST_SHARE = 0.6;
const LEAST_ACKNOWLEDGED_SHARE = 0.5;
/** Of the times that a node was asked for its status, in how many it has to answer. */
const LEAST_ANSWERS = 0.5;
/** A fault with its recovery may take that long besides the peace before it. Seconds. */
const FAULT_SECONDS = 30;

export interface SoakRun {
  readonly hours: number;
  /** Operations a second that were asked for. */
  readonly rate: number;
  readonly everySeconds: number;
  readonly faults: number;
  /** How often statuses were asked for, and how often each of the nodes that are never ended answered, by host. */
  readonly taken: number;
  readonly answers: ReadonlyMap<number, number>;
}

export function soakProblems(verdict: Pick<Verdict, 'operations' | 'acknowledged'>, run: SoakRun): string[] {
  const { hours, rate, everySeconds, faults, taken, answers } = run;
  const seconds = hours * 3600;
  const problems = rateProblems(verdict, seconds, rate * LEAST_SHARE, rate * LEAST_ACKNOWLEDGED_SHARE);
  const leastFaults = Math.floor(seconds / (1.5 * everySeconds + FAULT_SECONDS));
  if (faults < leastFaults) problems.push(`${faults} faults are too few; at least ${leastFaults}`);
  for (const [host, count] of answers) {
    if (count < Math.max(1, taken * LEAST_ANSWERS))
      problems.push(`node ${host} told its status ${count} of ${taken} times, too seldom to see a leak`);
  }
  return problems;
}
