#!/usr/bin/env node
/** The command `zistore`. */
import { runCli } from './program.ts';

const exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
// What still holds the event loop must not keep a finished command alive.
process.stdout.write('', () => process.exit(exitCode));
