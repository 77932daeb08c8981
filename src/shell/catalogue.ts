/** The shell's commands: what help shows, completion offers and the parser checks. */

export type CommandName =
  | 'get'
  | 'put'
  | 'delete'
  | 'list'
  | 'new-client'
  | 'zk-down'
  | 'zk-up'
  | 'rmi-down'
  | 'rmi-up'
  | 'kill'
  | 'pause'
  | 'resume'
  | 'wait'
  | 'wait-all'
  | 'timeout'
  | 'help'
  | 'exit';

export interface CommandEntry {
  readonly usage: string;
  readonly summary: string;
  readonly details?: string;
  /** Whether the first argument is the number of a client. */
  readonly client: boolean;
  /** Whether ` &` makes no sense here. */
  readonly foregroundOnly?: boolean;
}

export const COMMANDS: Readonly<Record<CommandName, CommandEntry>> = {
  get: { usage: 'get ID KEY', summary: 'read KEY at client ID', client: true },
  put: {
    usage: 'put ID KEY VALUE',
    summary: 'write KEY at client ID',
    details:
      'The rest of the line is the value. Quotes and backslashes work as in a POSIX shell; nothing else is special.',
    client: true,
  },
  delete: { usage: 'delete ID KEY', summary: 'delete KEY at client ID', client: true },
  list: {
    usage: 'list',
    summary: 'show all clients',
    details: 'Never waits for a client that does not answer: it shows what was last known of it, marked as stale.',
    client: false,
  },
  'new-client': { usage: 'new-client', summary: 'start one more client', client: false },
  'zk-down': {
    usage: 'zk-down ID',
    summary: 'cut client ID off from ZooKeeper',
    details: 'As a partition does it: bytes stop, connections stay open, new ones hang.',
    client: true,
  },
  'zk-up': { usage: 'zk-up ID', summary: 'heal that cut', client: true },
  'rmi-down': {
    usage: 'rmi-down ID',
    summary: 'hold what other nodes ask of client ID',
    details: 'Requests, invalidations and fences of others are held, not answered; its own calls go on.',
    client: true,
  },
  'rmi-up': { usage: 'rmi-up ID', summary: 'let them through again', client: true },
  kill: { usage: 'kill ID', summary: 'end the process of client ID at once (SIGKILL)', client: true },
  pause: { usage: 'pause ID', summary: 'stop the process of client ID (SIGSTOP)', client: true },
  resume: { usage: 'resume ID', summary: 'let it run again (SIGCONT)', client: true },
  wait: {
    usage: 'wait ID ROLE [SECONDS]',
    summary: 'wait until client ID has ROLE (30 s unless told)',
    details: 'ROLE is one of joining, recovering, leader, follower, suspended, lost, closed.',
    client: true,
  },
  'wait-all': {
    usage: 'wait-all [SECONDS]',
    summary: 'wait for the lines in the background (30 s unless told)',
    client: false,
    foregroundOnly: true,
  },
  timeout: {
    usage: 'timeout SECONDS',
    summary: 'for get, put and delete from here on (30 s at the start)',
    client: false,
    foregroundOnly: true,
  },
  help: { usage: 'help [COMMAND]', summary: 'show this, or more about a command', client: false, foregroundOnly: true },
  exit: {
    usage: 'exit [--force]',
    summary: 'close all clients and leave',
    details: 'On a terminal it asks before it drops the only copy of data; --force does not.',
    client: false,
    foregroundOnly: true,
  },
};

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export const isCommandName = (word: string): word is CommandName => Object.hasOwn(COMMANDS, word);

/** The text of `help` and `help COMMAND`. */
export function helpText(name?: CommandName): string {
  if (name !== undefined) {
    const { usage, summary, details } = COMMANDS[name];
    return [usage, `  ${summary}`, ...(details === undefined ? [] : [`  ${details}`])].join('\n');
  }
  const width = Math.max(...COMMAND_NAMES.map((each) => COMMANDS[each].usage.length));
  const lines = COMMAND_NAMES.map((each) => `  ${COMMANDS[each].usage.padEnd(width)}  ${COMMANDS[each].summary}`);
  return [...lines, '', '  A line that ends in " &" runs in the background.'].join('\n');
}
