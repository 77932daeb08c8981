/** The command line of `npm run bench`. */
import { Command, Option } from 'commander';
import type { Effort } from './context.ts';

export interface Options {
  readonly effort: Effort;
  readonly list: boolean;
  readonly out: string;
  readonly profiles: string | undefined;
  readonly publish: boolean;
}

const QUICK = { rounds: 5, ms: 150 };
const NORMAL = { rounds: 5, ms: 400 };

interface Given {
  quick?: true;
  full?: true;
  only: string[];
  list?: true;
  out?: string;
  profile?: string;
  publish?: true;
  ms?: number;
}

/** @throws commander's CommanderError; the text is printed already. */
export function readOptions(args: readonly string[], defaultFolder: string): Options {
  const program = new Command('npm run bench --')
    .description('Measures ZiStore side by side with what else one could take, each in processes of its own.')
    .addOption(new Option('--quick', 'the goals only, with short rounds: under three minutes').conflicts('full'))
    .option('--full', 'also how cost grows with nodes and keys; takes as long as it takes')
    .option(
      '--only <name>',
      'cases with this in their names (may be repeated)',
      (name, all: string[]) => [...all, name],
      [],
    )
    .option('--list', 'the names of the cases')
    .option('--out <folder>', 'where the report goes', defaultFolder)
    .option('--ms <number>', 'of one contender in one round', Number)
    .option('--publish', "also put the table of goals into the project's README.md")
    .option('--profile <folder>', 'have every process leave a CPU profile there')
    .exitOverride()
    .parse(args, { from: 'user' });
  const { quick = false, full = false, only, list = false, out, profile, publish = false, ms } = program.opts<Given>();
  const effort = { quick, full, only, ...(quick ? QUICK : NORMAL), ...(ms !== undefined && { ms }) };
  return { effort, list, out: out ?? defaultFolder, profiles: profile, publish };
}
