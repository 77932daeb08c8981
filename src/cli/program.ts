/** The program: arguments in, exit code out. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type CommandContext, failureLine } from './context.ts';
import { addNodeCommand } from './node.ts';
import { addOperationCommands } from './operation.ts';
import { addShellCommand } from './shell.ts';
import { addStatusCommand } from './status.ts';

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version: unknown }).version);
}

function createProgram(context: CommandContext, streams: CliStreams): Command {
  const program = new Command('zistore')
    .description('A key-value store whose reads come from local memory and are never stale.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    // Subcommands inherit these, so they come first.
    .exitOverride()
    .configureOutput({ writeOut: streams.out, writeErr: streams.err })
    .helpCommand(false);
  addShellCommand(program, context);
  addNodeCommand(program, context);
  addOperationCommands(program, context);
  addStatusCommand(program, context);
  addHelpCommand(program);
  for (const command of [program, ...program.commands]) {
    const usage = command.createHelp().commandUsage(command);
    command.showHelpAfterError(
      `Usage: ${usage}\nFor more: zistore ${command === program ? '' : `${command.name()} `}--help`,
    );
  }
  return program;
}

/** Commander's own shows the whole help for a command that does not exist, and does not say so. */
function addHelpCommand(program: Command): void {
  program
    .command('help')
    .summary('print help about a command')
    .description('Prints help about a command, or about all.')
    .argument('[command]')
    .action((name: string | undefined) => {
      if (name === undefined) program.help();
      const command = program.commands.find((each) => each.name() === name);
      if (command === undefined)
        program.error(`error: unknown command '${name}'`, { code: 'commander.unknownCommand' });
      command.help();
    });
}

/** Where help and messages about usage go. */
export interface CliStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command line (without the program's name). Resolves to the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCli(argv: readonly string[], streams: CliStreams): Promise<number> {
  const context: CommandContext = { version: readVersion(), exitCode: 0 };
  try {
    await createProgram(context, streams).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    streams.err(`${failureLine(error)}\n`);
    return 1;
  }
}
