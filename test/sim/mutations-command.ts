/**
 * `npm run sim -- --mutations [--seeds MAX] [--mutation NAME,…]`: takes out the rules of docs/protocol.md one at a time
 * and waits for the simulation to notice. `--replay SEED --mutation NAME` shows again what a seed makes of one.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkHistory } from './checker.ts';
import { formatHistory } from './checker-history.ts';
import { mutationNamed, mutations } from './mutations.ts';
import { playSeed, runMutations, workOnMutation } from './mutations-run.ts';
import { svgOf } from './picture.ts';
import { tableOf } from './picture-words.ts';

const USAGE =
  'usage: npm run sim -- --mutations [--seeds MAX] [--mutation NAME,…]\n' +
  '       npm run sim -- --replay SEED --mutation NAME [--log] [--history FILE] [--svg FILE]';
const PROGRESS_MS = 1000;

interface ReplayOptions {
  readonly seed: number;
  readonly mutation: string | undefined;
  readonly log: boolean;
  /** Files to write. */
  readonly history: string | undefined;
  readonly svg: string | undefined;
}

/** @param script what a further process of this program runs: it has to import this file */
export async function mutationsCommand(args: readonly string[], script: string): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        mutations: { type: 'boolean', default: false },
        seeds: { type: 'string', default: '20000' },
        mutation: { type: 'string' },
        replay: { type: 'string' },
        log: { type: 'boolean', default: false },
        history: { type: 'string' },
        svg: { type: 'string' },
      },
    });
    const { mutation, log, history, svg } = values;
    if (values.replay !== undefined) {
      return await replay({ seed: whole('--replay', values.replay), mutation, log, history, svg });
    }
    const names = mutation?.split(',') ?? mutations.map(({ name }) => name);
    for (const name of names) mutationNamed(name);
    return await runAll(names, whole('--seeds', values.seeds), script);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    return 2;
  }
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name}: expected a whole number above 0, got ${text}`);
  return Number(text);
}

async function runAll(names: readonly string[], seeds: number, script: string): Promise<number> {
  let shownAt = 0;
  const summary = await runMutations({
    seeds,
    names,
    script,
    onProgress: (mutation, seed) => {
      const now = performance.now();
      if (now - shownAt < PROGRESS_MS) return;
      shownAt = now;
      process.stderr.write(`${mutation}: not noticed in ${seed} of ${seeds} seeds\n`);
    },
    onResult: (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
  });
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.survived > 0 ? 1 : 0;
}

/** Shows what a seed makes of a mutation: its violations, and the shortest part of its history that cannot be. */
async function replay({ seed, mutation, log, history: file, svg }: ReplayOptions): Promise<number> {
  if (mutation !== undefined) {
    const { rule, apply } = mutationNamed(mutation);
    process.stdout.write(`without: ${rule}\n`);
    apply();
  }
  const { violations, history } = await playSeed(seed, log ? (line) => process.stderr.write(`${line}\n`) : undefined);
  for (const violation of violations) process.stdout.write(`violation: ${violation}\n`);
  const { counterExamples } = checkHistory(history);
  for (const example of counterExamples) process.stdout.write(`\n${tableOf(example)}`);
  if (file !== undefined) writeFileSync(file, formatHistory(history));
  if (svg !== undefined && counterExamples[0] !== undefined) writeFileSync(svg, svgOf(counterExamples[0]));
  if (violations.length === 0) process.stdout.write('no violation\n');
  return violations.length > 0 ? 1 : 0;
}

if (process.argv[2] === '--mutant') void workOnMutation(process.argv[3] ?? '', Number(process.argv[4]));
