/** What is printed at the end. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { judge } from '../goals.ts';
import { type CaseResult, type Figure, isPeer, OURS } from '../model.ts';
import { ratioOf, spreadOf } from '../statistics.ts';
import { amount, spread, times } from './format.ts';
import { boundOf } from './markdown.ts';

/** One line for a case that has ended. */
export function summaryOf(result: CaseResult): string {
  const all = result.measured.map(({ contender, samples }) => {
    const seen = amount(spreadOf(samples.map(({ value }) => value)).median, result.unit);
    const ratio = isPeer(contender) ? ratioOf(result, OURS, contender, 'value') : undefined;
    return `${contender} ${seen}${ratio === undefined ? '' : ` (× ${times(ratio.median)})`}`;
  });
  return `${result.name}: ${all.join(', ')}`;
}

export function summaryOfFigure({ name, unit, measured }: Figure): string {
  return `${name}: ${measured.map((series) => `${series.name} ${series.values.map(times).join('/')}`).join(', ')} ${unit}`;
}

/** Goals about what was measured; empty where there are none. */
export function goalTable(results: readonly CaseResult[]): string {
  const table = new Table({ head: ['goal', 'seen', 'wanted', ''], style: { head: [], border: [] } });
  for (const { goal, seen, met } of judge(results)) {
    if (seen === undefined) continue;
    const verdict = met ? pc.green('met') : pc.red('missed');
    table.push([goal.says, spread(seen, times), boundOf(goal), verdict]);
  }
  return table.length === 0 ? '' : table.toString();
}
