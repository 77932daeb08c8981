/** Checks a history recorded anywhere: `npx tsx test/sim/check.ts FILE [--svg OUT] [--budget N]`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkHistory } from './checker.ts';
import { parseHistory } from './checker-history.ts';
import { svgOf } from './picture.ts';
import { tableOf } from './picture-words.ts';

const USAGE = 'usage: npx tsx test/sim/check.ts FILE [--svg OUT] [--budget N]';

interface Output {
  write(text: string): unknown;
}

/**
 * One JSON line on standard output; for a violation, the operations that show it on standard error.
 * Exit codes: 0 linearizable, 1 not or undecided, 2 wrong usage or an unreadable history.
 */
export function check(args: readonly string[], out: Output, error: Output): number {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { svg: { type: 'string' }, budget: { type: 'string' } },
    });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) throw new Error('one FILE is expected');
    const budget = values.budget === undefined ? undefined : Number(values.budget);
    if (budget !== undefined && !(Number.isSafeInteger(budget) && budget > 0)) {
      throw new Error(`--budget: expected a whole number above 0, got ${values.budget}`);
    }
    const report = checkHistory(parseHistory(readFileSync(file, 'utf8')), budget === undefined ? {} : { budget });
    const [first] = report.counterExamples;
    for (const example of report.counterExamples) error.write(`${tableOf(example)}\n`);
    if (first !== undefined && values.svg !== undefined) writeFileSync(values.svg, svgOf(first));
    out.write(`${JSON.stringify(report)}\n`);
    return report.verdict === 'linearizable' ? 0 : 1;
  } catch (problem) {
    error.write(`error: ${problem instanceof Error ? problem.message : problem}\n${USAGE}\n`);
    return 2;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = check(process.argv.slice(2), process.stdout, process.stderr);
}
