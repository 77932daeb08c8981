/** Takes out the rules of docs/protocol.md one at a time and waits for the simulation to notice. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutationNamed } from './mutations.ts';
import { runMutations, violationsOf, workOnMutation } from './mutations-run.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20000' },
      mutation: { type: 'string' },
      replay: { type: 'string' },
      mutant: { type: 'string' },
    },
  });
  const { mutation, replay, mutant } = values;
  const seeds = Number(values.seeds);
  if (mutant !== undefined) return workOnMutation(mutant, seeds);
  if (replay !== undefined) {
    if (mutation !== undefined) mutationNamed(mutation).apply();
    const violations = await violationsOf(Number(replay), (line) => process.stderr.write(`${line}\n`));
    for (const violation of violations) console.log(violation);
    process.exitCode = violations.length > 0 ? 1 : 0;
    return;
  }
  const summary = await runMutations({
    seeds,
    script: fileURLToPath(import.meta.url),
    ...(mutation && { names: mutation.split(',') }),
    onResult: (result) => console.log(JSON.stringify(result)),
  });
  console.log(JSON.stringify(summary));
  process.exitCode = summary.survived > 0 ? 1 : 0;
}

await main();
