/** The arguments of ZiStore's methods that are neither keys nor values. */
import { checkObject, describe, invalid, MAX_MS } from './check.ts';
import type { CallOptions } from './node.ts';

export const NO_OPTIONS: CallOptions = {};

/** @throws ZiStoreError ZISTORE_INVALID_ARGUMENT; a misspelt `timeoutMs` must not become a wait without end. */
export function checkCallOptions(options: unknown): CallOptions {
  if (options === undefined) return NO_OPTIONS;
  const { signal, timeoutMs } = checkObject('options', options, ['signal', 'timeoutMs']);
  checkSignal(signal);
  if (timeoutMs !== undefined) checkTimeout(timeoutMs);
  return options as CallOptions;
}

export function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return;
  throw invalid('options.signal', `expected an AbortSignal, got ${describe(signal)}`);
}

function checkTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= MAX_MS) return;
  throw invalid(
    'options.timeoutMs',
    `expected milliseconds, more than 0 and at most ${MAX_MS}, got ${describe(timeoutMs)}; leave it out to wait without limit`,
  );
}

/** The items of whatever can be iterated over. */
export function checkIterable(name: string, value: unknown): unknown[] {
  const iterator = (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator];
  if (typeof value === 'string' || typeof iterator !== 'function') {
    throw invalid(name, `expected an array or another iterable, got ${describe(value)}`);
  }
  try {
    return [...(value as Iterable<unknown>)];
  } catch (error) {
    throw invalid(name, 'iterating over it failed; see cause', error);
  }
}

/** A `[key, value]` of setMany. */
export function checkEntry(entry: unknown): readonly [key: unknown, value: unknown] {
  if (Array.isArray(entry) && entry.length === 2) return entry as unknown as readonly [unknown, unknown];
  throw invalid('entries', `expected pairs [key, value], got ${describe(entry)}`);
}
