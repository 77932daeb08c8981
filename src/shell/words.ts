/**
 * Splits a line of the shell as a POSIX shell would quote it: single quotes, double quotes, backslash. Nothing else is
 * special: `$HOME`, `*`, `#x`, `a;b` and `a & b` are text (which is why shell-quote, that reads them as variables,
 * globs, comments and operators, is not used here).
 */
import { ZiStoreError } from '../errors.ts';

/** A run of text. Only unquoted runs can separate words. An empty quoted run is what `''` leaves. */
interface Run {
  readonly text: string;
  readonly quoted: boolean;
}

const invalid = (message: string): ZiStoreError => new ZiStoreError('ZISTORE_INVALID_ARGUMENT', message);

/** What a backslash may protect inside double quotes; before anything else it is an ordinary character. */
const ESCAPED_IN_DOUBLE_QUOTES = /\\([$`"\\])/g;

function closingDoubleQuote(line: string, from: number): number {
  for (let i = from; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === '"') return i;
  }
  return -1;
}

function toRuns(line: string): Run[] {
  const runs: Run[] = [];
  const special = /['"\\]/g;
  let at = 0;
  while (at < line.length) {
    special.lastIndex = at;
    const next = special.exec(line)?.index ?? line.length;
    if (next > at) runs.push({ text: line.slice(at, next), quoted: false });
    if (next === line.length) break;
    const mark = line[next];
    if (mark === '\\') {
      if (next + 1 === line.length) throw invalid('the line ends with a backslash; write \\\\ for a backslash');
      runs.push({ text: line.slice(next + 1, next + 2), quoted: true });
      at = next + 2;
      continue;
    }
    const end = mark === "'" ? line.indexOf("'", next + 1) : closingDoubleQuote(line, next + 1);
    if (end < 0) throw invalid(`the ${mark === "'" ? 'single' : 'double'} quote at column ${next + 1} is not closed`);
    const inside = line.slice(next + 1, end);
    runs.push({ text: mark === "'" ? inside : inside.replace(ESCAPED_IN_DOUBLE_QUOTES, '$1'), quoted: true });
    at = end + 1;
  }
  return runs;
}

/** Cuts unquoted blanks off the end. */
function trimEnd(runs: Run[]): Run[] {
  const trimmed = [...runs];
  for (let last = trimmed.at(-1); last !== undefined && !last.quoted; last = trimmed.at(-1)) {
    const text = last.text.replace(/[ \t]+$/, '');
    trimmed.pop();
    if (text === '') continue;
    trimmed.push({ text, quoted: false });
    break;
  }
  return trimmed;
}

/** Takes an unquoted ` &` off the end: only a word of its own asks for the background. */
function takeBackground(runs: Run[]): { runs: Run[]; background: boolean } {
  const last = runs.at(-1);
  if (last === undefined || last.quoted || !/(^|[ \t])&$/.test(last.text)) return { runs, background: false };
  if (last.text === '&' && runs.length > 1) return { runs, background: false };
  return { runs: trimEnd([...runs.slice(0, -1), { text: last.text.slice(0, -1), quoted: false }]), background: true };
}

export interface SplitLine {
  readonly words: readonly string[];
  /** What stands after `limit` words, quotes removed, blanks within it kept; null where nothing does. */
  readonly rest: string | null;
  readonly background: boolean;
}

/**
 * Splits off at most `limit` words; the rest of the line stays one text.
 * @throws ZISTORE_INVALID_ARGUMENT for a quote that is not closed or a backslash at the end.
 */
export function splitLine(line: string, limit: number): SplitLine {
  const { runs, background } = takeBackground(trimEnd(toRuns(line)));
  const words: string[] = [];
  let word: string | null = null;
  let rest: string | null = null;
  for (const run of runs) {
    if (run.quoted) {
      if (words.length === limit) rest = (rest ?? '') + run.text;
      else word = (word ?? '') + run.text;
      continue;
    }
    let text = run.text;
    while (text !== '') {
      if (words.length === limit) {
        const kept = rest === null ? text.replace(/^[ \t]+/, '') : text;
        if (kept !== '') rest = (rest ?? '') + kept;
        break;
      }
      const blank = text.search(/[ \t]/);
      if (blank < 0) {
        word = (word ?? '') + text;
        break;
      }
      if (blank > 0) word = (word ?? '') + text.slice(0, blank);
      if (word !== null) words.push(word);
      word = null;
      text = text.slice(blank).replace(/^[ \t]+/, '');
    }
  }
  if (word !== null) words.push(word);
  return { words, rest, background };
}
