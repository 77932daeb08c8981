/** The summary in the project's README: the table of goals, and where it was measured. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Machine, Run } from '../model.ts';
import { goalLines } from './markdown.ts';

const BEGIN = '<!-- benchmark: written by `npm run bench -- --publish` -->';
const END = '<!-- end of benchmark -->';

export function summaryOfRun({ cases, machine }: Run): string {
  const { cpu, cores, node, date } = machine as Machine;
  return [
    BEGIN,
    `Measured on ${date.slice(0, 10)}, ${cpu} with ${cores} cores, Node ${node}; medians of paired rounds, in brackets the least`,
    'and the greatest. Ratios are ours divided by theirs.',
    '',
    ...goalLines(cases),
    END,
  ].join('\n');
}

/** @throws if the marks are not there. */
export function withSummary(readme: string, run: Run): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('README.md has no place for the benchmark any more');
  return readme.slice(0, begin) + summaryOfRun(run) + readme.slice(end + END.length);
}

export async function publish(run: Run, file: string): Promise<void> {
  await writeFile(file, withSummary(await readFile(file, 'utf8'), run));
}
