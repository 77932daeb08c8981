/** The lines typed in earlier sessions: a file of bounded size that only its owner may read. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const MAX_HISTORY_LINES = 500;
const MAX_HISTORY_LINE = 1000;
const MAX_HISTORY_BYTES = MAX_HISTORY_LINES * MAX_HISTORY_LINE * 4;

/** ZISTORE_HISTORY names another file; empty, it asks for none. */
export function historyFile(env: NodeJS.ProcessEnv): string | undefined {
  if (env.ZISTORE_HISTORY !== undefined) return env.ZISTORE_HISTORY || undefined;
  return join(homedir(), '.zistore_history');
}

/** Newest first, as readline has it. A file that cannot be read is no history. */
export function loadHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    const lines = readFileSync(file, 'utf8').slice(-MAX_HISTORY_BYTES).split('\n').filter(Boolean);
    return lines.slice(-MAX_HISTORY_LINES).reverse();
  } catch {
    return [];
  }
}

/** Very long lines are left out. A file that cannot be written costs the history, nothing else. */
export function saveHistory(file: string | undefined, newestFirst: readonly string[]): void {
  if (file === undefined) return;
  const lines = newestFirst
    .filter((line) => line !== '' && line.length <= MAX_HISTORY_LINE)
    .slice(0, MAX_HISTORY_LINES);
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(
      temporary,
      lines
        .reverse()
        .map((line) => `${line}\n`)
        .join(''),
      { mode: 0o600 },
    );
    renameSync(temporary, file);
  } catch {
    // A read-only home directory is no reason to complain at every exit.
  }
}
