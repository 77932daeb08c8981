/** What makes a fault run, or a soak run, no pass. */
import { describe, expect, it } from '@jest/globals';
import { problemsOf, type Run, type Weighed } from '../../faults/faults-weigh.ts';
import type { Fault } from '../../faults/nemesis-fault.ts';
import { type SoakRun, soakProblems } from '../../faults/soak-weigh.ts';

const VERDICT: Weighed = {
  operations: 400_000,
  acknowledged: 390_000,
  unexpected: {},
  violations: 0,
  undecided: 0,
  staleReads: 0,
  lostKeys: 3,
  survivalsDemanded: 500,
};
const RUN: Run = { minutes: 10, counts: { kill: 3, stop: 2 }, impossible: [], lab: 'namespaces', sessionsLost: true };

const problems = (verdict: Partial<Weighed> = {}, run: Partial<Run> = {}): string[] =>
  problemsOf({ ...VERDICT, ...verdict }, { ...RUN, ...run });
const fault = (kind: string, ...needs: Fault['needs']): Fault => ({ kind, needs }) as Fault;

describe('a fault run', () => {
  it('passes where all is well', () => {
    expect(problems()).toEqual([]);
  });

  it.each<[string, Partial<Weighed>, RegExp]>([
    ['a violation', { violations: 1 }, /1 keys are not linearizable/],
    ['a stale read', { staleReads: 2 }, /2 reads were out of date/],
    ['an undecided key', { undecided: 1 }, /could not be decided/],
    ['a code that no caller may see', { unexpected: { unexpected: 7 } }, /7 times unexpected/],
    ['too few operations', { operations: 101_999 }, /101999 operations .* at least 102000/],
    ['too few that were acknowledged', { acknowledged: 59_999 }, /59999 acknowledged .* 60000/],
    ['too little that had to survive', { survivalsDemanded: 199 }, /199 copies had to survive/],
  ])('fails after %s', (_what, verdict, problem) => {
    expect(problems(verdict)).toEqual([expect.stringMatching(problem)]);
  });

  it('fails where keys are lost although every node left cleanly', () => {
    const counts = { churn: 3, 'rolling-restart': 2 };
    expect(problems({}, { counts, sessionsLost: false })).toEqual([expect.stringMatching(/3 keys are lost/)]);
    expect(problems({}, { counts, sessionsLost: true })).toEqual([]);
  });

  it('fails, if it is long, where a kind did not happen, or could not be made in namespaces', () => {
    expect(problems({}, { counts: { kill: 1, stop: 0 } })).toEqual(['did not happen: stop']);
    const impossible = [fault('skew', 'skew'), fault('shut', 'fronts')];
    expect(problems({}, { impossible })).toEqual(['could not be made: skew']);
    expect(problems({}, { impossible, lab: 'proxies' })).toEqual([]);
    const short = { minutes: 9, counts: { kill: 1, stop: 0 }, impossible };
    expect(problems({ survivalsDemanded: 0 }, short)).toEqual([]);
  });

  it('demands survival only where nodes are killed', () => {
    expect(problems({ survivalsDemanded: 0 }, { counts: { stop: 1 } })).toEqual([]);
  });
});

describe('a soak run', () => {
  const answers = new Map([
    [0, 300],
    [1, 280],
  ]);
  const run: SoakRun = { hours: 1, rate: 200, everySeconds: 60, faults: 40, taken: 350, answers };
  const verdict = { operations: 600_000, acknowledged: 590_000 };

  it('passes where it has done and seen enough', () => {
    expect(soakProblems(verdict, run)).toEqual([]);
  });

  it('fails with too little load, or too few faults', () => {
    expect(soakProblems({ ...verdict, operations: 400_000 }, run)).toHaveLength(1);
    expect(soakProblems({ ...verdict, acknowledged: 300_000 }, run)).toHaveLength(1);
    expect(soakProblems(verdict, { ...run, faults: 10 })).toEqual([expect.stringMatching(/10 faults are too few/)]);
  });

  it('fails where a node that is never ended does not answer', () => {
    const silent = new Map([...answers, [1, 0]]);
    expect(soakProblems(verdict, { ...run, answers: silent })).toEqual([expect.stringMatching(/^node 1 .* 0 of 350/)]);
    const none = new Map([[0, 0]]);
    expect(soakProblems(verdict, { ...run, taken: 0, answers: none })).toHaveLength(1);
  });
});
