/** `npm run sim`: seeds by the thousand, or one again. See docs/testing.md. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatHistory } from './checker-history.ts';
import { runSeed, type SeedResult } from './seed.ts';
import { Totals } from './totals.ts';
import { runPool, work } from './workers.ts';

const USAGE = `usage: npm run sim -- [--seeds N] [--from S] [--profile NAME] [--replay SEED] [--history FILE] [--json]`;
const PROGRESS_MS = 1000;
const SHOWN_VIOLATIONS = 3;

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly profile: string | undefined;
  readonly replay: number | undefined;
  readonly history: string | undefined;
  readonly json: boolean;
}

/** @param script what a further process of this program runs */
export async function main(args: readonly string[], script: string): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    return 2;
  }
  return options.replay === undefined ? runMany(options, script) : replay(options, options.replay);
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '500' },
      from: { type: 'string', default: '1' },
      profile: { type: 'string' },
      replay: { type: 'string' },
      history: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { profile, replay, history, json } = values;
  return {
    seeds: whole('--seeds', values.seeds),
    from: whole('--from', values.from),
    profile,
    replay: replay === undefined ? undefined : whole('--replay', replay),
    history,
    json,
  };
}

function whole(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0)
    throw new Error(`${name}: expected a whole number above 0, got ${text}`);
  return Number(text);
}

async function runMany({ seeds, from, profile, history, json }: Options, script: string): Promise<number> {
  const started = performance.now();
  const totals = new Totals();
  const file = history === undefined ? undefined : openSync(history, 'w');
  const progress = json ? undefined : new Progress(seeds, totals, started);
  try {
    const onResult = (result: SeedResult): void => {
      totals.add(result);
      if (result.violations.length > 0 && totals.violations - result.violations.length < SHOWN_VIOLATIONS) show(result);
      if (file !== undefined) writeSync(file, formatHistory(result.history));
      progress?.show();
    };
    await runPool({ seeds, from, script, onResult, ...(profile && { profile }) });
  } finally {
    if (file !== undefined) closeSync(file);
    progress?.end();
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const tooLittle = totals.tooLittle();
  for (const words of tooLittle) process.stderr.write(`error: this run means nothing: ${words}\n`);
  process.stdout.write(`${JSON.stringify({ ...totals.toJSON(), seconds })}\n`);
  return totals.violations > 0 || tooLittle.length > 0 ? 1 : 0;
}

async function replay({ profile, history, json }: Options, seed: number): Promise<number> {
  const started = performance.now();
  const log = json ? undefined : (line: string) => process.stderr.write(`${line}\n`);
  const result = await runSeed({ seed, ...(profile && { profile }), ...(log && { log }) });
  if (history !== undefined) {
    const file = openSync(history, 'w');
    writeSync(file, formatHistory(result.history));
    closeSync(file);
  }
  const totals = new Totals();
  totals.add(result);
  if (result.violations.length > 0) show(result);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  process.stdout.write(`${JSON.stringify({ ...totals.toJSON(), seconds })}\n`);
  return result.violations.length > 0 ? 1 : 0;
}

function show({ seed, profile, violations }: SeedResult): void {
  process.stderr.write(`\nviolation in seed ${seed} (${profile}):\n`);
  for (const violation of violations) process.stderr.write(`  ${violation}\n`);
  process.stderr.write(`again: npm run sim -- --replay ${seed} --profile ${profile}\n`);
}

class Progress {
  private readonly seeds: number;
  private readonly totals: Totals;
  private readonly started: number;
  private shownAt = 0;

  constructor(seeds: number, totals: Totals, started: number) {
    this.seeds = seeds;
    this.totals = totals;
    this.started = started;
  }

  show(): void {
    const now = performance.now();
    if (now - this.shownAt < PROGRESS_MS) return;
    this.shownAt = now;
    const { seeds, operations, violations } = this.totals;
    const left = ((now - this.started) / seeds / 1000) * (this.seeds - seeds);
    const line = `${seeds} of ${this.seeds} seeds, ${operations} operations, ${violations} violations, about ${left.toFixed(0)} s left`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

if (process.argv[2] === '--worker') work();
