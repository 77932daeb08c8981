/**
 * Takes out the rules of docs/protocol.md one at a time and waits for the simulation to notice.
 *
 * `npx tsx test/sim/mutate.ts [--seeds MAX] [--mutation NAME,…]`
 * `npx tsx test/sim/mutate.ts --replay SEED [--mutation NAME] [--log] [--history FILE] [--svg FILE]`
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkHistory } from './checker.ts';
import { formatHistory } from './checker-history.ts';
import { mutationNamed } from './mutations.ts';
import { playSeed, runMutations, workOnMutation } from './mutations-run.ts';
import { svgOf } from './picture.ts';
import { tableOf } from './picture-words.ts';

export interface ReplayOptions {
  readonly seed: number;
  readonly mutation?: string | undefined;
  readonly log?: boolean | undefined;
  /** Files to write. */
  readonly history?: string | undefined;
  readonly svg?: string | undefined;
}

/** Shows what a seed makes of a mutation: its violations, and the shortest part of its history that cannot be. */
export async function replay({ seed, mutation, log, history: file, svg }: ReplayOptions): Promise<number> {
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

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20000' },
      mutation: { type: 'string' },
      replay: { type: 'string' },
      log: { type: 'boolean', default: false },
      history: { type: 'string' },
      svg: { type: 'string' },
      mutant: { type: 'string' },
    },
  });
  const { mutation, log, history, svg, mutant } = values;
  const seeds = Number(values.seeds);
  if (mutant !== undefined) {
    await workOnMutation(mutant, seeds);
    return 0;
  }
  if (values.replay !== undefined) return replay({ seed: Number(values.replay), mutation, log, history, svg });
  const summary = await runMutations({
    seeds,
    script: fileURLToPath(import.meta.url),
    ...(mutation && { names: mutation.split(',') }),
    onResult: (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
  });
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.survived > 0 ? 1 : 0;
}

process.exitCode = await main();
