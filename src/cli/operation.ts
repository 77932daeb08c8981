/** `zistore get`, `put`, `delete`: one operation each. */
import { Argument, type Command } from 'commander';
import type { CommandContext } from './context.ts';
import { ENVIRONMENT_NOTE, parseKey } from './options.ts';
import { writeOut } from './output.ts';
import { addShortLivedOptions, type ShortLivedFlags, withShortLivedStore } from './short-lived.ts';

const NOTE = 'Runs as a short-lived node that never leads. Put -- before a key or value that starts with a dash.';

function operation(program: Command, name: string, summary: string, description: string): Command {
  const command = program
    .command(name)
    .summary(summary)
    .description(`${description}\n${NOTE}\n${ENVIRONMENT_NOTE}`)
    .addArgument(new Argument('<key>', 'text').argParser(parseKey));
  return addShortLivedOptions(command);
}

/** A key without a value: exit code 1, nothing on standard output. */
function missing(): number {
  process.stderr.write('(none)\n');
  return 1;
}

export function addOperationCommands(program: Command, context: CommandContext): void {
  operation(program, 'get', 'read a key', 'Prints the value. A key without one: exit code 1, nothing printed.').action(
    async (key: string, flags: ShortLivedFlags, command: Command) => {
      const value = await withShortLivedStore(command, flags, (store, call) => store.get(key, call));
      if (value === undefined) context.exitCode = missing();
      else await writeOut(`${value}\n`);
    },
  );
  operation(program, 'put', 'write a key', 'Prints ok when no node can read the value before it any more.')
    .argument('<value>', 'text, may be empty')
    .action(async (key: string, value: string, flags: ShortLivedFlags, command: Command) => {
      await withShortLivedStore(command, flags, (store, call) => store.set(key, value, call));
      await writeOut('ok\n');
    });
  operation(
    program,
    'delete',
    'delete a key',
    'Prints ok. A key without a value: exit code 1, nothing printed.',
  ).action(async (key: string, flags: ShortLivedFlags, command: Command) => {
    const existed = await withShortLivedStore(command, flags, (store, call) => store.delete(key, call));
    if (existed) await writeOut('ok\n');
    else context.exitCode = missing();
  });
}
