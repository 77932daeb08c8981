import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { judge } from '../../../bench/goals.ts';
import type { Figure, Run } from '../../../bench/model.ts';
import { chartOfCase, chartOfFigure } from '../../../bench/report/chart.ts';
import { chartOfGoals } from '../../../bench/report/goals-chart.ts';
import { markdownOf } from '../../../bench/report/markdown.ts';
import { withSummary } from '../../../bench/report/readme.ts';

const figure: Figure = {
  name: 'figure',
  title: 'A figure',
  unit: 'µs',
  labels: ['one', 'two'],
  measured: [{ name: 'ours', values: [1, 2] }],
  quoted: [{ name: 'theirs', values: [1000, 2000] }],
  source: 'a document',
  notes: [],
};

const run: Run = {
  machine: { cpu: 'a cpu', cores: 2, memoryGiB: 4, kernel: 'k', node: 'v', date: 'd', loadBefore: 0, versions: {} },
  mode: 'quick',
  seconds: 1,
  cases: [
    {
      name: 'get-256-16B',
      title: 'A <case>',
      unit: 'ops/s',
      better: 'higher',
      measured: [
        { contender: 'ZiStore', samples: [{ value: 100 }, { value: 110 }] },
        { contender: 'node-redis', samples: [{ value: 200 }, { value: 210 }] },
      ],
      missing: ['etcd: not installed'],
      notes: [],
    },
  ],
  figures: [figure],
  failed: [{ name: 'peek', reason: 'Error: no value\n at somewhere' }],
};

describe('a report', () => {
  it('shows a loss as plainly as a win, what is missing, and what did not end', () => {
    const text = markdownOf(run);
    expect(text).toContain(
      '| uncached get, 256 in flight, 16 B, against GET | 0.51 (0.50 – 0.52) | ≥ 1.5 | **missed** |',
    );
    expect(text).toContain('Missing: etcd: not installed.');
    expect(text).toContain('- peek: Error: no value');
    expect(text).toContain('not measured');
  });

  it('draws each goal against what was seen of it', () => {
    const chart = chartOfGoals(judge(run.cases));
    expect(chart.match(/class="missed"/g)).toHaveLength(1);
    expect(chart).not.toContain('class="met"');
    expect(chart).toContain('uncached get, 256 in flight, 16 B, against GET');
    expect(chart).not.toMatch(/NaN|undefined/);
  });

  it('puts the table of goals between its marks in a README, and touches nothing else', () => {
    const text =
      'before\n<!-- benchmark: written by `npm run bench -- --publish` -->\nthe one before\n<!-- end of benchmark -->\nafter\n';
    const written = withSummary(text, run);
    expect(written).toMatch(/^before\n<!-- benchmark/);
    expect(written).toMatch(/<!-- end of benchmark -->\nafter\n$/);
    expect(written).toContain('| 0.51 (0.50 – 0.52) | ≥ 1.5 | **missed** |');
    expect(written).not.toContain('the one before');
    expect(withSummary(written, run)).toBe(written);
    expect(() => withSummary('no marks', run)).toThrow('no place');
  });

  it('is in the README as it was measured', async () => {
    const results = JSON.parse(await readFile('bench/results/results.json', 'utf8')) as Run;
    const readme = await readFile('README.md', 'utf8');
    expect(withSummary(readme, results)).toBe(readme);
    expect(results.mode).toBe('normal');
    expect(results.failed).toEqual([]);
  });

  it("labels a document's values as the document's", () => {
    expect(markdownOf(run)).toContain('| theirs (a document; not measured here) | 1,000 | 2,000 |');
    expect(chartOfFigure(figure)).toContain('theirs, a document');
    expect(chartOfFigure(figure)).toContain('ours, measured here');
  });

  it('has charts for light and dark pages, with every text escaped', () => {
    const chart = chartOfCase(run.cases[0]!);
    expect(chart).toContain('prefers-color-scheme: dark');
    expect(chart).toContain('A &lt;case&gt;');
    expect(chart).not.toMatch(/NaN|undefined/);
  });
});
