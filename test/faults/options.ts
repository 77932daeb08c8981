/** What `npm run faults` and `npm run soak` can be asked for. */
import { Command, InvalidArgumentError } from 'commander';
import { mutationNamed } from '../sim/mutations.ts';
import { MAX_HOSTS } from './namespaces.ts';

export interface FaultOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly nodes: number;
  readonly sessionTimeoutMs: number;
  readonly tickTimeMs: number;
  /** Operations a second, of all nodes together. */
  readonly rate: number;
  /** File to write. */
  readonly history: string | undefined;
  /** Also with root: the lab that everybody can have. */
  readonly proxies: boolean;
  /** Only these kinds of faults. */
  readonly only: readonly string[] | undefined;
  /** A rule to take out of the nodes (test/sim/mutations.ts): the run has to notice. */
  readonly mutation: string | undefined;
  readonly table: boolean;
  readonly keep: boolean;
}

export interface SoakOptions extends Omit<FaultOptions, 'minutes' | 'table' | 'mutation' | 'only'> {
  readonly hours: number;
  /** Seconds between two faults. */
  readonly everySeconds: number;
  /** Folder for the chart. */
  readonly out: string;
}

const above0 = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
};

/** With less there are too few samples to see growth, and too few faults. */
const LEAST_HOURS = 0.1;

const longEnough = (text: string): number => {
  const value = above0(text);
  if (value >= LEAST_HOURS) return value;
  throw new InvalidArgumentError(`Expected ${LEAST_HOURS} or more: in less time no growth can be seen.`);
};

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };

const MAX_SEED = 2 ** 31;
const MAX_MS = 600_000;

/** What both have. */
function common(name: string): Command {
  return new Command(name)
    .option('--seed <S>', 'what the faults and the load are drawn from', whole(0, MAX_SEED), 1)
    .option('--nodes <K>', 'nodes', whole(2, MAX_HOSTS), 4)
    .option('--session-timeout <MS>', 'session timeout of the nodes', whole(100, MAX_MS), 1000)
    .option('--tick-time <MS>', 'tickTime of the ensemble', whole(50, MAX_MS), 500)
    .option('--history <FILE>', 'write the history, one JSON object a line')
    .option('--proxies', 'freezing proxies, as for users who are not root, though this one is', false)
    .option('--keep', 'keep logs and history of a run that passed, too', false)
    .allowExcessArguments(false)
    .showHelpAfterError();
}

/** Exits the process with 0 for --help and 2 for wrong usage. */
function parse<T>(command: Command, args: readonly string[]): T {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse(args as string[], { from: 'user' });
  return command.opts() as T;
}

const mutation = (name: string): string => {
  try {
    return mutationNamed(name).name;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

const list = (text: string): string[] => text.split(',').filter((word) => word !== '');

interface Given {
  readonly sessionTimeout: number;
  readonly tickTime: number;
  readonly history?: string;
}

const timing = ({ sessionTimeout, tickTime, history }: Given) => ({
  sessionTimeoutMs: sessionTimeout,
  tickTimeMs: tickTime,
  history,
});

export function readFaultOptions(args: readonly string[], kinds: readonly string[]): FaultOptions {
  const only = (text: string): string[] => {
    const unknown = list(text).find((kind) => !kinds.includes(kind));
    if (unknown === undefined) return list(text);
    throw new InvalidArgumentError(`There is no kind ${JSON.stringify(unknown)}.`);
  };
  const command = common('npm run faults --')
    .description(
      'Runs nodes on a ZooKeeper ensemble, does to them all that can be done to processes and networks, and checks that no read was ever out of date.',
    )
    .option('--minutes <N>', 'how long; fractions are allowed', above0, 10)
    .option('--rate <N>', 'operations a second, of all nodes together', above0, 600)
    .option('--only <KINDS>', 'only these kinds of faults, with commas between them', only)
    .option('--mutation <NAME>', 'take this rule of the protocol out of the nodes: the run has to notice', mutation)
    .option('--table', 'measure what a caller sees of each fault, and write it into docs/faults.md', false)
    .addHelpText('after', `\nKinds of faults: ${kinds.join(', ')}.`);
  const given = parse<FaultOptions & Given>(command, args);
  return { ...given, ...timing(given), only: given.only, mutation: given.mutation };
}

export function readSoakOptions(args: readonly string[]): SoakOptions {
  const command = common('npm run soak --')
    .description('Runs nodes under steady load and rare faults for long, and fails when something in them grows.')
    .option('--hours <N>', `how long, ${LEAST_HOURS} at least; fractions are allowed`, longEnough, 1)
    .option('--rate <N>', 'operations a second, of all nodes together', above0, 200)
    .option('--every <SECONDS>', 'peace between two faults', above0, 60)
    .option('--out <FOLDER>', 'where the chart is written', 'soak');
  const given = parse<SoakOptions & Given & { every: number }>(command, args);
  return { ...given, ...timing(given), everySeconds: given.every };
}
