/** What makes a fault run no pass. */
import type { Fault } from './nemesis-fault.ts';
import type { Verdict } from './verdict.ts';

/** Below these a run shows too little. Operations a second, however they ended, and those that were acknowledged. */
const LEAST_RATE = 170;
const LEAST_ACKNOWLEDGED_RATE = 100;
/** From this length on every kind of fault has to happen. */
const LONG_MINUTES = 10;
/** Of copies that had to survive, and were read afterwards, a minute of a long run in which nodes are killed. */
const LEAST_SURVIVALS = 20;
/** Whoever ends here does so in its own good time: nothing may be lost. */
const CLEAN = ['rolling-restart', 'churn', 'skew'];

export interface Run {
  readonly minutes: number;
  /** How often each kind that is possible has struck. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the lab cannot make. */
  readonly impossible: readonly Fault[];
  readonly lab: 'namespaces' | 'proxies' | undefined;
  /** Whether any node has lost its session. */
  readonly sessionsLost: boolean;
}

export type Weighed = Omit<Verdict, 'history' | 'counterExamples' | 'maxUnavailableMs' | 'errors'>;

/** In the words of an error message; empty: none of it. */
export function problemsOf(verdict: Weighed, run: Run): string[] {
  return [...historyProblems(verdict), ...cleanProblems(verdict, run), ...scantProblems(verdict, run)];
}

/** Of any run, a soak run too. */
export function historyProblems({ violations, staleReads, undecided, unexpected }: Weighed): string[] {
  const problems: string[] = [];
  if (violations > 0) problems.push(`${violations} keys are not linearizable`);
  if (staleReads > 0) problems.push(`${staleReads} reads were out of date`);
  if (undecided > 0) problems.push(`${undecided} keys could not be decided, which is no pass`);
  const codes = Object.entries(unexpected).map(([code, count]) => `${count} times ${code}`);
  if (codes.length > 0) problems.push(`what no caller may see: ${codes.join(', ')}`);
  return problems;
}

function cleanProblems({ lostKeys }: Weighed, { counts, sessionsLost }: Run): string[] {
  const struck = Object.keys(counts).filter((kind) => counts[kind]! > 0);
  if (lostKeys === 0 || sessionsLost || !struck.every((kind) => CLEAN.includes(kind))) return [];
  return [`${lostKeys} keys are lost although every node left cleanly`];
}

/** It may have shown nothing because it did nothing. */
function scantProblems(verdict: Weighed, { minutes, counts, impossible, lab }: Run): string[] {
  const problems = rateProblems(verdict, minutes * 60, LEAST_RATE, LEAST_ACKNOWLEDGED_RATE);
  if (minutes < LONG_MINUTES) return problems;
  const missing = Object.keys(counts).filter((kind) => counts[kind] === 0);
  if (missing.length > 0) problems.push(`did not happen: ${missing.join(', ')}`);
  // In namespaces there are no fronts, and what they can do is done to links.
  const lacking = impossible.filter(({ needs }) => !needs.includes('fronts')).map(({ kind }) => kind);
  if (lab === 'namespaces' && lacking.length > 0) problems.push(`could not be made: ${lacking.join(', ')}`);
  const least = Math.round(LEAST_SURVIVALS * minutes);
  if ((counts.kill ?? 0) > 0 && verdict.survivalsDemanded < least)
    problems.push(`${verdict.survivalsDemanded} copies had to survive, which is too few; at least ${least}`);
  return problems;
}

/** Too little load to show anything; operations a second. */
export function rateProblems(
  { operations, acknowledged }: Pick<Verdict, 'operations' | 'acknowledged'>,
  seconds: number,
  leastRate: number,
  leastAcknowledgedRate: number,
): string[] {
  const least = Math.round(leastRate * seconds);
  const leastAcknowledged = Math.round(leastAcknowledgedRate * seconds);
  if (operations >= least && acknowledged >= leastAcknowledged) return [];
  return [
    `${operations} operations and ${acknowledged} acknowledged are too few; at least ${least} and ${leastAcknowledged}`,
  ];
}
