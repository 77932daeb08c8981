/** What a case is. */
import type { Context } from '../context.ts';
import type { CaseResult, Measured, Unit } from '../model.ts';

export interface Case {
  readonly name: string;
  /** Of its results, where they have other names. */
  readonly covers?: readonly string[];
  /** Part of `--quick`. */
  readonly quick?: true;
  /** Part of `--full` only. */
  readonly full?: true;
  readonly run: (context: Context) => Promise<readonly CaseResult[]>;
}

export interface Description {
  readonly name: string;
  readonly title: string;
  readonly unit?: Unit;
  readonly better?: 'higher' | 'lower';
  readonly notes?: readonly string[];
}

export function resultOf(
  { missing }: Pick<Context, 'missing'>,
  { name, title, unit = 'ops/s', better = 'higher', notes = [] }: Description,
  measured: readonly Measured[],
): CaseResult {
  return { name, title, unit, better, measured, missing: [...missing], notes };
}
