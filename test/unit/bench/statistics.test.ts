import { describe, expect, it } from '@jest/globals';
import { type Goal, judge } from '../../../bench/goals.ts';
import type { CaseResult } from '../../../bench/model.ts';
import { median, ratioOf, spreadOf } from '../../../bench/statistics.ts';

const resultOf = (samples: Record<string, number[]>): CaseResult => ({
  name: 'case',
  title: 'A case',
  unit: 'ops/s',
  better: 'higher',
  measured: Object.entries(samples).map(([contender, values]) => ({
    contender,
    samples: values.map((value) => ({ value, latency: { p50: 1000 / value, p99: 1, p999: 1 } })),
  })),
  missing: [],
  notes: [],
});

describe('statistics of paired rounds', () => {
  it('has the middle of an odd number of values, and the mean of the two middle ones of an even number', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
    expect(median([])).toBeNaN();
  });

  it('does not change what it is given', () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('takes the ratio of each round, not of the medians: a slow moment of the machine meets both of a round', () => {
    const result = resultOf({ ZiStore: [10, 100, 20], other: [5, 50, 40] });
    expect(ratioOf(result, 'ZiStore', 'other', 'value')).toEqual({ median: 2, min: 0.5, max: 2 });
  });

  it('has no ratio to a contender that did not run', () => {
    expect(ratioOf(resultOf({ ZiStore: [1] }), 'ZiStore', 'etcd', 'value')).toBeUndefined();
  });
});

describe('goals', () => {
  const atLeast: Goal = { case: 'case', says: '', against: 'other', bound: 'atLeast', goal: 2 };
  const verdicts = (goal: Goal, samples: Record<string, number[]>) => judge([resultOf(samples)], [goal])[0]!.met;

  it('are met at their bound, and missed beyond it', () => {
    expect(verdicts(atLeast, { ZiStore: [2, 2, 2], other: [1, 1, 1] })).toBe(true);
    expect(verdicts(atLeast, { ZiStore: [2, 1.9, 1.9], other: [1, 1, 1] })).toBe(false);
  });

  it('of latency compare latencies, of which less is better', () => {
    const goal: Goal = { ...atLeast, metric: 'p50', bound: 'atMost', goal: 1.2 };
    expect(verdicts(goal, { ZiStore: [100], other: [110] })).toBe(true);
    expect(verdicts(goal, { ZiStore: [100], other: [130] })).toBe(false);
  });

  it('may be about the worst of all rounds', () => {
    const goal: Goal = { case: 'case', says: '', bound: 'atMost', goal: 50 };
    expect(verdicts(goal, { ZiStore: [10, 10, 60] })).toBe(true);
    expect(verdicts({ ...goal, worst: true }, { ZiStore: [10, 10, 60] })).toBe(false);
  });

  it('are neither met nor missed where a contender is missing', () => {
    expect(verdicts(atLeast, { ZiStore: [2] })).toBeUndefined();
    expect(judge([], [atLeast])[0]!.met).toBeUndefined();
  });
});
