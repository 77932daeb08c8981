/** `zistore shell`: see src/shell. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { environmentOptions } from '../environment.ts';
import { DEFAULTS } from '../options.ts';
import { runShell } from '../shell/run.ts';
import { type CommandContext, storeOptions } from './context.ts';
import {
  clusterOption,
  ENVIRONMENT_NOTE,
  parseClients,
  sessionTimeoutOption,
  tickTimeOption,
  zookeeperOption,
} from './options.ts';

/** The embedded coordinator is alone in its process, so it can tick fast: a kill is noticed within two seconds. */
const EMBEDDED_SESSION_TIMEOUT_MS = 2000;
const EMBEDDED_TICK_TIME_MS = 200;

interface ShellFlags {
  zookeeper?: string;
  cluster: string;
  clients: number;
  json?: true;
  sessionTimeout?: number;
  tickTime?: number;
  listen?: string;
  advertise?: string;
}

export function addShellCommand(program: Command, context: CommandContext): void {
  program
    .command('shell')
    .summary('interactive shell whose clients are processes of their own')
    .description(
      'An interactive shell. Each client is a process of its own that can be cut off, paused and killed.\n' +
        'Without --zookeeper it starts an embedded coordinator, for trying out: all in memory, gone at the end.\n' +
        'Without a terminal it reads commands from standard input and exits 1 if one failed.\n' +
        `${ENVIRONMENT_NOTE}\n` +
        'ZISTORE_HISTORY names the file of the lines typed earlier; empty: none.',
    )
    .addOption(zookeeperOption())
    .addOption(clusterOption().default(DEFAULTS.cluster))
    .addOption(
      new Option('--clients <n>', 'how many clients to start with, 1 to 16').argParser(parseClients).default(1),
    )
    .addOption(new Option('--json', 'one JSON object a command on standard output'))
    .addOption(sessionTimeoutOption())
    .addOption(tickTimeOption())
    .addOption(new Option('--listen <host>', 'where other nodes connect to the clients; 127.0.0.1 unless told'))
    .addOption(new Option('--advertise <host>', 'what other nodes are told, when it differs from --listen'))
    .action(async (flags: ShellFlags, command: Command) => {
      const embedded = flags.zookeeper === undefined;
      const sessionTimeoutMs =
        flags.sessionTimeout ?? (embedded ? EMBEDDED_SESSION_TIMEOUT_MS : DEFAULTS.sessionTimeoutMs);
      const tickTimeMs = flags.tickTime ?? (embedded ? EMBEDDED_TICK_TIME_MS : DEFAULTS.tickTimeMs);
      const { cluster, clients, zookeeper } = flags;
      const addresses = {
        ...(flags.listen === undefined ? {} : { listen: { host: flags.listen } }),
        ...(flags.advertise === undefined ? {} : { advertise: { host: flags.advertise } }),
      };
      // The clients read the environment for themselves; what is wrong with it is said once, here.
      storeOptions(command, () => ({
        ...environmentOptions(),
        zookeeper: zookeeper ?? '127.0.0.1',
        cluster,
        sessionTimeoutMs,
        tickTimeMs,
        ...addresses,
      }));
      const { version } = context;
      const json = flags.json === true;
      const joined = { zookeeper, cluster, sessionTimeoutMs, tickTimeMs, ...addresses };
      context.exitCode = await runShell({ ...joined, clients, json, version });
    });
}
