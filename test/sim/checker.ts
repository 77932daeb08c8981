/** Checks a recorded history, key by key, and shows the shortest part of it that cannot be. */

import { type CounterExample, counterExample } from './checker-counterexample.ts';
import { byKey, type Recorded } from './checker-history.ts';
import { checkRegister } from './checker-register.ts';

export interface CheckOptions {
  /** Configurations looked at for each key before its verdict is `undecided`. Default 500,000. */
  readonly budget?: number;
}

export interface CheckReport {
  /** `undecided` is not a pass: for some key there was too much to look at. */
  readonly verdict: 'linearizable' | 'violation' | 'undecided';
  readonly operations: number;
  readonly keys: number;
  readonly counterExamples: readonly CounterExample[];
  readonly undecided: readonly string[];
}

export function checkHistory(history: readonly Recorded[], { budget }: CheckOptions = {}): CheckReport {
  const counterExamples: CounterExample[] = [];
  const undecided: string[] = [];
  const keys = byKey(history);
  for (const [key, entries] of keys) {
    const { verdict } = checkRegister(entries, budget);
    if (verdict === 'violation') counterExamples.push(counterExample(key, entries, budget));
    else if (verdict === 'undecided') undecided.push(key);
  }
  const verdict = counterExamples.length > 0 ? 'violation' : undecided.length > 0 ? 'undecided' : 'linearizable';
  const operations = history.filter(({ op }) => op !== 'loss').length;
  return { verdict, operations, keys: keys.size, counterExamples, undecided };
}
