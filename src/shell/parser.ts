/** From a line of text to a checked command. Pure. */
import type { Role } from '../core/status.ts';
import { ZiStoreError } from '../errors.ts';
import { COMMANDS, type CommandName, isCommandName } from './catalogue.ts';
import { splitLine } from './words.ts';

export const ROLES = [
  'joining',
  'recovering',
  'leader',
  'follower',
  'suspended',
  'lost',
  'closed',
] as const satisfies readonly Role[];

export type ClientCommand = 'zk-down' | 'zk-up' | 'rmi-down' | 'rmi-up' | 'kill' | 'pause' | 'resume';

export type Command =
  | { readonly name: 'get' | 'delete'; readonly client: number; readonly key: string }
  | { readonly name: 'put'; readonly client: number; readonly key: string; readonly value: string }
  | { readonly name: 'list' | 'new-client' }
  | { readonly name: ClientCommand; readonly client: number }
  | { readonly name: 'wait'; readonly client: number; readonly role: Role; readonly seconds: number }
  | { readonly name: 'wait-all' | 'timeout'; readonly seconds: number }
  | { readonly name: 'help'; readonly about?: CommandName }
  | { readonly name: 'exit'; readonly force: boolean };

export type ParsedLine =
  | { readonly ok: true; readonly command: Command; readonly background: boolean }
  /** `name` is the line's first word, known or not. */
  | { readonly ok: false; readonly name: string; readonly background: boolean; readonly error: ZiStoreError };

/** Characters of a line; more than the largest value needs, quoted. */
export const MAX_LINE_LENGTH = 4 * 1024 * 1024;
export const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 24 * 3600;

const invalid = (message: string): ZiStoreError => new ZiStoreError('ZISTORE_INVALID_ARGUMENT', message);

function parseClient(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw invalid(`'${shorten(text)}' is not the number of a client, such as 1`);
  return Number(text);
}

function parseSeconds(text: string): number {
  const seconds = /^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw invalid(`'${shorten(text)}' is not a number of seconds above 0 and up to ${MAX_SECONDS}`);
  }
  return seconds;
}

function parseRole(text: string): Role {
  const role = ROLES.find((each) => each === text);
  if (role === undefined) throw invalid(`'${shorten(text)}' is not a role; roles are ${ROLES.join(', ')}`);
  return role;
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** How many words each command takes, its name included. */
const ARITY: Readonly<Record<CommandName, readonly [least: number, most: number]>> = {
  get: [3, 3],
  put: [4, 4],
  delete: [3, 3],
  list: [1, 1],
  'new-client': [1, 1],
  'zk-down': [2, 2],
  'zk-up': [2, 2],
  'rmi-down': [2, 2],
  'rmi-up': [2, 2],
  kill: [2, 2],
  pause: [2, 2],
  resume: [2, 2],
  wait: [3, 4],
  'wait-all': [1, 2],
  timeout: [2, 2],
  help: [1, 2],
  exit: [1, 2],
};

function checkArity(name: CommandName, count: number): void {
  const [least, most] = ARITY[name];
  if (count < least) throw invalid(`something is missing; usage: ${COMMANDS[name].usage}`);
  if (count > most) throw invalid(`too many words; usage: ${COMMANDS[name].usage}`);
}

function parseHelp(about: string | undefined): Command {
  if (about === undefined) return { name: 'help' };
  if (!isCommandName(about)) throw invalid(`there is no command '${shorten(about)}'; try help`);
  return { name: 'help', about };
}

function parseExit(option: string | undefined): Command {
  if (option !== undefined && option !== '--force') {
    throw invalid(`'${shorten(option)}' is not known; usage: ${COMMANDS.exit.usage}`);
  }
  return { name: 'exit', force: option === '--force' };
}

/** `words` without the command's name; their number has been checked. */
function parseArguments(name: CommandName, words: readonly string[]): Command {
  const [first = '', second = '', third = ''] = words;
  switch (name) {
    case 'get':
    case 'delete':
      return { name, client: parseClient(first), key: second };
    case 'put':
      return { name, client: parseClient(first), key: second, value: third };
    case 'list':
    case 'new-client':
      return { name };
    case 'wait': {
      const seconds = words.length > 2 ? parseSeconds(third) : DEFAULT_SECONDS;
      return { name, client: parseClient(first), role: parseRole(second), seconds };
    }
    case 'wait-all':
      return { name, seconds: words.length > 0 ? parseSeconds(first) : DEFAULT_SECONDS };
    case 'timeout':
      return { name, seconds: parseSeconds(first) };
    case 'help':
      return parseHelp(words[0]);
    case 'exit':
      return parseExit(words[0]);
    default:
      return { name, client: parseClient(first) };
  }
}

/** Parses one line; null for an empty one or a comment (first character `#`). Never throws. */
export function parseLine(line: string): ParsedLine | null {
  const trimmed = line.replace(/^[ \t]+/, '').replace(/\r$/, '');
  if (trimmed === '' || trimmed.startsWith('#') || /^[ \t]+$/.test(trimmed)) return null;
  let name = /^[^ \t]*/.exec(trimmed)?.[0] ?? '';
  let background = false;
  try {
    if (trimmed.length > MAX_LINE_LENGTH) throw invalid(`a line may have ${MAX_LINE_LENGTH} characters at most`);
    const split = splitLine(trimmed, name === 'put' ? 3 : Number.POSITIVE_INFINITY);
    background = split.background;
    const words = split.rest === null ? split.words : [...split.words, split.rest];
    name = words[0] ?? '';
    if (!isCommandName(name)) throw invalid(`there is no command '${shorten(name)}'; try help`);
    checkArity(name, words.length);
    if (background && COMMANDS[name].foregroundOnly) throw invalid(`${name} cannot run in the background`);
    return { ok: true, command: parseArguments(name, words.slice(1)), background };
  } catch (error) {
    if (!(error instanceof ZiStoreError)) throw error;
    return { ok: false, name: shorten(name), background, error };
  }
}
