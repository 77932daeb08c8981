/** Checks that options and arguments have in common. Each failure says which one, what was expected and what came. */
import { ZiStoreError } from './errors.ts';

/** Milliseconds; what a timer of Node and a session timeout of ZooKeeper can hold. */
export const MAX_MS = 2 ** 31 - 1;

export function invalid(name: string, why: string, cause?: unknown): ZiStoreError {
  return new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `${name}: ${why}`, cause === undefined ? {} : { cause });
}

/** What came, for a message: short, and the type only where the value itself might be long or private. */
export function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 64 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return `${value}`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}

export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw invalid(name, `expected a whole number from ${min} to ${max}, got ${describe(value)}`);
}

export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(name, `expected true or false, got ${describe(value)}`);
}

/** The value is not repeated in the message: it may be a password. */
export function checkText(name: string, value: unknown, min: number, max: number): string {
  if (typeof value !== 'string') throw invalid(name, `expected a string, got a value of type ${typeof value}`);
  if (value.length >= min && value.length <= max) return value;
  throw invalid(name, `expected ${min} to ${max} characters, got ${value.length}`);
}

export function checkOneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  throw invalid(name, `expected one of ${allowed.map((one) => `'${one}'`).join(', ')}, got ${describe(value)}`);
}

/** An object that has no other properties than `known`; a misspelt option must not be silently ignored. */
export function checkObject(name: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(name, `expected an object, got ${describe(value)}`);
  }
  for (const property of Object.keys(value)) {
    if (known.includes(property)) continue;
    const meant = nearest(property, known);
    throw invalid(
      name,
      `unknown option ${describe(property)}${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
    );
  }
  return value as Record<string, unknown>;
}

/** The known name that was most likely meant, if any is near enough. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const short = name.slice(0, 64);
  const ranked = known
    .map((one) => ({ one, distance: editDistance(short.toLowerCase(), one.toLowerCase()) }))
    .filter(({ one, distance }) => distance <= Math.max(2, one.length / 2.5))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.one;
}

/** Levenshtein: how many characters must be inserted, deleted or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
