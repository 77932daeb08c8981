/** Puts a run into files: results.json, README.md (the table) and a chart for each case. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../model.ts';
import { chartOfCase, chartOfFigure } from './chart.ts';
import { markdownOf } from './markdown.ts';

export async function writeReport(run: Run, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(run, null, 1)}\n`);
  await writeFile(join(folder, 'README.md'), markdownOf(run));
  for (const result of run.cases) await writeFile(join(folder, `${result.name}.svg`), chartOfCase(result));
  for (const figure of run.figures) await writeFile(join(folder, `${figure.name}.svg`), chartOfFigure(figure));
}
