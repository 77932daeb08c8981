/** The mutations by themselves, without a bundle: `npx tsx test/sim/mutate.ts`, arguments as in mutations-command.ts. */
import { fileURLToPath } from 'node:url';
import { mutationsCommand } from './mutations-command.ts';

if (process.argv[2] !== '--mutant') {
  process.exitCode = await mutationsCommand(process.argv.slice(2), fileURLToPath(import.meta.url));
}
