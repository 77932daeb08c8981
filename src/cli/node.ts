/** `zistore node`: one node in the foreground. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { environmentOptions } from '../environment.ts';
import { ZiStoreError } from '../errors.ts';
import { createConsoleLogger, type LogLevel } from '../logger.ts';
import { DEFAULTS, type ZiStoreOptions } from '../options.ts';
import { openStore } from '../store.ts';
import { type CommandContext, storeOptions } from './context.ts';
import {
  clusterOption,
  ENVIRONMENT_NOTE,
  type HostPort,
  parseHostPort,
  sessionTimeoutOption,
  tickTimeOption,
  zookeeperOption,
} from './options.ts';
import { aborted, withSignals } from './signals.ts';

interface NodeFlags {
  zookeeper: string;
  cluster: string;
  listen: HostPort;
  advertise?: HostPort;
  sessionTimeout: number;
  tickTime: number;
  logLevel: LogLevel;
}

export function addNodeCommand(program: Command, context: CommandContext): void {
  program
    .command('node')
    .summary('run one node in the foreground')
    .description(
      'Runs one node until SIGTERM or SIGINT, which leave cleanly: a leader hands its data over first.\n' +
        'Prints one line, "ready ADDRESS", when it serves. A second signal ends it at once.\n' +
        ENVIRONMENT_NOTE,
    )
    .addOption(zookeeperOption().makeOptionMandatory())
    .addOption(clusterOption().makeOptionMandatory())
    .addOption(
      new Option('--listen <host:port>', 'where peers connect to; port 0 is any free one')
        .argParser(parseHostPort)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--advertise <host:port>', 'what peers are told, when it differs from --listen').argParser(
        parseHostPort,
      ),
    )
    .addOption(sessionTimeoutOption().default(DEFAULTS.sessionTimeoutMs))
    .addOption(tickTimeOption().default(DEFAULTS.tickTimeMs))
    .addOption(
      new Option('--log-level <level>', 'what to log on standard error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn'),
    )
    .action(async (flags: NodeFlags, command: Command) => {
      const options = storeOptions(command, () => ({
        ...environmentOptions(),
        zookeeper: flags.zookeeper,
        cluster: flags.cluster,
        listen: flags.listen,
        ...(flags.advertise === undefined ? {} : { advertise: flags.advertise }),
        sessionTimeoutMs: flags.sessionTimeout,
        tickTimeMs: flags.tickTime,
        logger: createConsoleLogger({ level: flags.logLevel }),
      }));
      context.exitCode = await withSignals((signal) => runNode(options, signal));
    });
}

async function runNode(options: ZiStoreOptions, signal: AbortSignal): Promise<number> {
  // Whoever read the line may close the pipe; the node goes on.
  process.stdout.on('error', () => {});
  try {
    await using store = await openStore(options, {}, { signal });
    process.stdout.write(`ready ${store.status().address}\n`);
    await aborted(signal);
    return 0;
  } catch (error) {
    if (signal.aborted && error instanceof ZiStoreError && error.code === 'ZISTORE_ABORTED') return 0;
    throw error;
  }
}
