/** A run as Markdown: the goals first, then each case with all its contenders, losses like wins. */
import { type Goal, judge, type Verdict } from '../goals.ts';
import { type CaseResult, type Figure, isPeer, type Machine, OURS, type Run } from '../model.ts';
import { median, ratioOf, spreadOf } from '../statistics.ts';
import { amount, spread, times } from './format.ts';

export const MARKS = { met: 'met', missed: '**missed**', unknown: 'not measured' } as const;

export const markOf = ({ met }: Verdict): string =>
  met === undefined ? MARKS.unknown : met ? MARKS.met : MARKS.missed;

export const boundOf = ({ bound, goal }: Goal): string => `${bound === 'atLeast' ? '≥' : '≤'} ${goal}`;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return [row(head), row(rule), ...rows.map(row)];
}

export function markdownOf(run: Run): string {
  return [
    '# Benchmark results',
    '',
    ...machineLines(run),
    '',
    '## Goals',
    '',
    'Medians of paired rounds, in brackets the least and the greatest. Ratios are ours divided by theirs. Processor time is that of the client’s process for one operation, the harness included.',
    '',
    ...goalLines(run.cases),
    '',
    '![How far from its goal each figure is](goals.svg)',
    '',
    ...run.cases.flatMap(caseLines),
    ...run.figures.flatMap(figureLines),
    ...failureLines(run),
  ].join('\n');
}

function machineLines({ machine, mode, seconds }: Run): string[] {
  const { cpu, cores, memoryGiB, kernel, node, date, loadBefore, versions } = machine as Machine;
  const all = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date}, ${mode} run of ${Math.round(seconds)} s. ${cpu}, ${cores} cores, ${memoryGiB} GiB; ${kernel}; Node ${node}.`,
    `Load of the machine before: ${loadBefore.toFixed(1)}. ${all.join(', ')}.`,
  ];
}

export function goalLines(results: readonly CaseResult[]): string[] {
  return table(
    ['goal', 'seen', 'wanted', ''],
    judge(results).map((verdict) => [
      verdict.goal.says,
      verdict.seen === undefined ? '–' : spread(verdict.seen, times),
      boundOf(verdict.goal),
      markOf(verdict),
    ]),
  );
}

function caseLines(result: CaseResult): string[] {
  const withLatency = result.measured.some(({ samples }) => samples.some(({ latency }) => latency !== undefined));
  const withPeers = result.measured.some(({ contender }) => isPeer(contender));
  const head = [
    '',
    'median (least – greatest)',
    ...(withPeers ? ['ours / theirs'] : []),
    ...(withLatency ? ['p50', 'p99', 'p99.9', 'processor time'] : []),
  ];
  const rows = result.measured.map(({ contender, samples }) => {
    const ratio = isPeer(contender) ? ratioOf(result, OURS, contender, 'value') : undefined;
    const at = (which: 'p50' | 'p99' | 'p999'): string =>
      amount(median(samples.map(({ latency }) => latency?.[which] ?? Number.NaN)), 'us');
    const cpu = amount(median(samples.map(({ cpuUs }) => cpuUs ?? Number.NaN)), 'us');
    return [
      contender,
      spread(spreadOf(samples.map(({ value }) => value)), (value) => amount(value, result.unit)),
      ...(withPeers ? [ratio === undefined ? '' : spread(ratio, times)] : []),
      ...(withLatency ? [at('p50'), at('p99'), at('p999'), cpu] : []),
    ];
  });
  const notes = [...result.notes, ...result.missing.map((missing) => `Missing: ${missing}.`)];
  return [
    `### ${result.title}`,
    '',
    ...table(head, rows),
    '',
    ...(notes.length > 0 ? [notes.join(' '), ''] : []),
    `![${result.title}](${result.name}.svg)`,
    '',
  ];
}

function figureLines(figure: Figure): string[] {
  const all = [
    ...figure.measured.map((each) => ({ ...each, name: `${each.name} (measured here)` })),
    ...figure.quoted.map((each) => ({ ...each, name: `${each.name} (${figure.source}; not measured here)` })),
  ];
  const rows = all.map(({ name, values }) => [name, ...values.map(times)]);
  return [
    `### ${figure.title}`,
    '',
    ...table([figure.unit, ...figure.labels], rows),
    '',
    ...(figure.notes.length > 0 ? [figure.notes.join(' '), ''] : []),
    `![${figure.title}](${figure.name}.svg)`,
    '',
  ];
}

function failureLines({ failed }: Run): string[] {
  if (failed.length === 0) return [];
  return [
    '## Cases that did not end',
    '',
    ...failed.map(({ name, reason }) => `- ${name}: ${reason.split('\n')[0]}`),
    '',
  ];
}
