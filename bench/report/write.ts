/** Puts a run into files: results.json, README.md (the tables), a chart of the goals and one for each case. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { judge } from '../goals.ts';
import type { Run } from '../model.ts';
import { chartOfCase, chartOfFigure } from './chart.ts';
import { chartOfGoals } from './goals-chart.ts';
import { markdownOf } from './markdown.ts';

export async function writeReport(run: Run, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(run, null, 1)}\n`);
  await writeFile(join(folder, 'README.md'), markdownOf(run));
  await writeFile(join(folder, 'goals.svg'), chartOfGoals(judge(run.cases)));
  for (const result of run.cases) await writeFile(join(folder, `${result.name}.svg`), chartOfCase(result));
  for (const figure of run.figures) await writeFile(join(folder, `${figure.name}.svg`), chartOfFigure(figure));
}
