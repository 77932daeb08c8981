/**
 * Recorded histories: one JSON object a line, for any recorder to write and any checker to read.
 *
 * `{"c":client,"op":"get|put|del|cas","k":"key","v":"written","e":"expected","r":"read or null","ok":true,"s":ns,"t":ns}`
 *
 * `s` and `t` are one monotonic clock; `t` is −1 where the outcome is unknown: the operation may take effect at any
 * time after `s`, or never. What certainly did not happen is left out. A `cas` with `ok: false` and an end was carried
 * out and found another value than `e`.
 */

export interface RecordedOperation {
  readonly c: number | string;
  readonly op: 'get' | 'put' | 'del' | 'cas';
  readonly k: string;
  /** Written. */
  readonly v?: string;
  /** Expected by a `cas`; null or left out: absent. */
  readonly e?: string | null;
  /** Read; null: the key was absent. */
  readonly r?: string | null;
  readonly ok: boolean;
  readonly s: number;
  readonly t: number;
}

/** Between `s` and `t` the key may have become absent, because every node that held it crashed or lost its session. */
export interface RecordedLoss {
  readonly op: 'loss';
  readonly k: string;
  readonly s: number;
  readonly t: number;
}

export type Recorded = RecordedOperation | RecordedLoss;

/** Reads the lines; throws an Error that names the first bad one. Empty lines are passed over. */
export function parseHistory(text: string): Recorded[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    let entry: unknown;
    try {
      entry = JSON.parse(line);
    } catch {
      throw new Error(`line ${index + 1} is not JSON`);
    }
    const fault = faultOf(entry);
    if (fault !== undefined) throw new Error(`line ${index + 1}: ${fault}`);
    return [entry as Recorded];
  });
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrAbsent = (value: unknown): boolean => value === undefined || value === null || isText(value);

/** What keeps an object from being a line of a history; undefined: nothing. */
export function faultOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return 'not an object';
  const { c, op, k, v, e, r, ok, s, t } = entry as Record<string, unknown>;
  if (!isText(k)) return 'k, the key, must be a string';
  if (typeof s !== 'number' || typeof t !== 'number' || !Number.isFinite(s) || !Number.isFinite(t)) {
    return 's and t must be numbers';
  }
  if (t !== -1 && t < s) return 't is before s';
  if (op === 'loss') return undefined;
  if (op !== 'get' && op !== 'put' && op !== 'del' && op !== 'cas') return `unknown op ${JSON.stringify(op)}`;
  if (typeof c !== 'number' && !isText(c)) return 'c, the client, must be a number or a string';
  if (typeof ok !== 'boolean') return 'ok must be true or false';
  if ((op === 'put' || op === 'cas') && !isText(v)) return 'v, the value written, must be a string';
  if (!isTextOrAbsent(e) || !isTextOrAbsent(r)) return 'e and r must be strings or null';
  if (op === 'get' && ok && t !== -1 && r === undefined) return 'r, the value read, is missing';
  if ((op === 'put' || op === 'del') && !ok && t !== -1) {
    return 'a write that failed has t -1 if its outcome is unknown, and is left out if it did not happen';
  }
  return undefined;
}

export function byKey(history: readonly Recorded[]): Map<string, Recorded[]> {
  const keys = new Map<string, Recorded[]>();
  for (const entry of history) {
    const entries = keys.get(entry.k);
    if (entries === undefined) keys.set(entry.k, [entry]);
    else entries.push(entry);
  }
  return keys;
}

export const formatHistory = (history: readonly Recorded[]): string =>
  history.map((entry) => `${JSON.stringify(entry)}\n`).join('');
