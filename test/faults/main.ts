/** `npm run faults`: see docs/faults.md. One JSON line on standard output; exit code 0 only for a run without a fault of ours. */
import { runFaults } from './faults-run.ts';
import { allFaults } from './nemesis.ts';
import { readFaultOptions } from './options.ts';
import { measureTable } from './table.ts';

async function main(args: readonly string[]): Promise<number> {
  const kinds = allFaults.map(({ kind }) => kind);
  const options = readFaultOptions(args, kinds);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  }
  if (options.table) {
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    await measureTable({ say, signal: stop.signal, tickTimeMs: options.tickTimeMs });
    return 0;
  }
  const { only } = options;
  const faults = only === undefined ? allFaults : allFaults.filter(({ kind }) => only.includes(kind));
  const { line, problems } = await runFaults(options, faults, stop.signal);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  for (const problem of problems) process.stderr.write(`error: ${problem}\n`);
  if (line.kept !== undefined) process.stderr.write(`history, logs and pictures are in ${line.kept}\n`);
  // What was given up may still be waiting for something.
  if (stop.signal.aborted) process.exit(1);
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
