/** What Tab offers. Pure. */
import { COMMAND_NAMES, COMMANDS, isCommandName } from './catalogue.ts';
import { ROLES } from './parser.ts';

function candidates(words: readonly string[], clients: readonly number[]): readonly string[] {
  const [name = ''] = words;
  if (words.length === 0) return COMMAND_NAMES;
  if (!isCommandName(name)) return [];
  if (words.length === 1 && COMMANDS[name].client) return clients.map(String);
  if (words.length === 1 && name === 'help') return COMMAND_NAMES;
  if (words.length === 1 && name === 'exit') return ['--force'];
  if (words.length === 2 && name === 'wait') return ROLES;
  return [];
}

/** Completes the last word of `line`, in the form that Node's readline wants. */
export function complete(line: string, clients: readonly number[]): [hits: string[], word: string] {
  const words = line.trimStart().split(/[ \t]+/);
  const last = words.pop() ?? '';
  const hits = candidates(words, clients).filter((candidate) => candidate.startsWith(last));
  return [hits.map((hit) => `${hit} `), last];
}
