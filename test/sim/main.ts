/** `npm run sim`: seeds by the thousand, or one again, or with the rules of the protocol taken out. See docs/testing.md. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { checkHistory } from './checker.ts';
import { formatHistory } from './checker-history.ts';
import { mutationNamed } from './mutations.ts';
import { playSeed, runMutations, workOnMutation } from './mutations-run.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { svgOf } from './picture.ts';
import { tableOf } from './picture-words.ts';
import { Progress, progressOf } from './progress.ts';
import { runSeed, type SeedResult } from './seed.ts';
import { Totals } from './totals.ts';
import { runPool, work } from './workers.ts';

/** Of as many seeds violations are shown. */
const SHOWN = 3;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const answer = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const secondsSince = (started: number): number => Math.round((performance.now() - started) / 100) / 10;

/** @param script what a further process of this program runs */
export async function main(args: readonly string[], script: string): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
    if (options.mutation !== undefined) for (const name of options.mutation.split(',')) mutationNamed(name);
  } catch (error) {
    say(`error: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    return 2;
  }
  if (options.replay !== undefined) return replay(options, options.replay);
  return options.mutations ? mutate(options, script) : runMany(options, script);
}

async function runMany({ seeds, from, profile, history, json }: Options, script: string): Promise<number> {
  const started = performance.now();
  const totals = new Totals();
  const file = history === undefined ? undefined : openSync(history, 'w');
  const progress = json ? undefined : new Progress();
  try {
    const onResult = (result: SeedResult): void => {
      totals.add(result);
      if (file !== undefined) writeSync(file, formatHistory(result.history));
      if (result.violations.length > 0 && totals.badSeeds <= SHOWN) show(result);
      progress?.show(() => progressOf(totals, seeds, started));
    };
    await runPool({ seeds, from, script, onResult, withHistory: file !== undefined, ...(profile && { profile }) });
  } finally {
    if (file !== undefined) closeSync(file);
    progress?.end();
  }
  const tooLittle = totals.tooLittle();
  for (const words of tooLittle) say(`error: this run means nothing: ${words}`);
  answer({ ...totals.toJSON(), seconds: secondsSince(started) });
  return totals.violations > 0 || tooLittle.length > 0 ? 1 : 0;
}

async function replay({ profile, mutation, history: file, svg, json }: Options, seed: number): Promise<number> {
  const started = performance.now();
  const log = json ? {} : { log: say };
  const totals = new Totals();
  let result: Pick<SeedResult, 'violations' | 'history'>;
  if (mutation === undefined) {
    const full = await runSeed({ seed, ...(profile && { profile }), ...log });
    totals.add(full);
    result = full;
  } else {
    mutationNamed(mutation).apply();
    result = await playSeed(seed, log.log);
  }
  const { violations, history } = result;
  for (const violation of violations) say(`violation: ${violation}`);
  const [first] = violations.length === 0 ? [] : checkHistory(history).counterExamples;
  if (first !== undefined) say(tableOf(first));
  if (first !== undefined && svg !== undefined) writeFileSync(svg, svgOf(first));
  if (file !== undefined) writeFileSync(file, formatHistory(history));
  if (mutation === undefined) answer({ ...totals.toJSON(), seconds: secondsSince(started) });
  else answer({ mutation, seed, violation: violations[0] ?? null });
  return violations.length > 0 ? 1 : 0;
}

async function mutate({ seeds, mutation, json }: Options, script: string): Promise<number> {
  const progress = json ? undefined : new Progress();
  const summary = await runMutations({
    seeds,
    script,
    ...(mutation && { names: mutation.split(',') }),
    onProgress: (name, seed) => progress?.show(() => `${name}: not noticed up to seed ${seed}`),
    onResult: (result) => {
      progress?.end();
      answer(result);
    },
  });
  progress?.end();
  answer(summary);
  return summary.survived > 0 ? 1 : 0;
}

function show({ seed, profile, violations }: SeedResult): void {
  say(`violation in seed ${seed} (${profile}):`);
  for (const violation of violations) say(`  ${violation}`);
  say(`again: npm run sim -- --replay ${seed} --profile ${profile}`);
}

const [, , role, ...rest] = process.argv;
if (process.send !== undefined && role === '--worker') work();
if (process.send !== undefined && role === '--mutant') await workOnMutation(rest[0] ?? '', Number(rest[1]));
