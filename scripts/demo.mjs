/**
 * The cluster of docker-compose.yml, partitioned and healed, as a transcript:
 *   node scripts/demo.mjs            prints it
 *   node scripts/demo.mjs --write    puts it into README.md
 *   node scripts/demo.mjs --check    exits 1 if README.md tells anything else (names of nodes, epochs and the like aside)
 * Needs Docker with compose, version 2 or 1.29. The cluster is a project of its own and is gone at the end.
 */
import { fileURLToPath } from 'node:url';
import { Compose } from './demo/compose.mjs';
import { differences, readPublished, writePublished } from './demo/published.mjs';
import { play } from './demo/story.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const mode = process.argv[2] ?? '--print';
if (!['--print', '--write', '--check'].includes(mode) || process.argv.length > 3) {
  console.error('usage: node scripts/demo.mjs [--write | --check]');
  process.exit(2);
}

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => stopping.abort(new Error(name)));

const compose = await Compose.find(stopping.signal);
let transcript;
try {
  transcript = await play(compose);
} catch (error) {
  console.error(`error: ${error.message}`);
  console.error(await compose.logs());
  process.exitCode = 1;
} finally {
  await compose.remove();
}

if (transcript !== undefined) {
  if (mode === '--write') writePublished(README, transcript);
  else console.log(transcript);
}
if (transcript !== undefined && mode === '--check') {
  const found = differences(readPublished(README), transcript);
  if (found.length > 0) {
    console.error(`error: README.md tells something else; node scripts/demo.mjs --write mends it\n${found.join('\n')}`);
    process.exitCode = 1;
  }
}
