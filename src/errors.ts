/**
 * The one error class of ZiStore and its stable codes. Match on `code`, never on the message.
 * Imports nothing, so that every other file may import it.
 */

/** Every code that an error of ZiStore can carry; what each means and what to do next is in the README. */
export type ZiStoreErrorCode =
  | 'ZISTORE_SESSION_LOST'
  | 'ZISTORE_OUTCOME_UNKNOWN'
  | 'ZISTORE_TIMEOUT'
  | 'ZISTORE_ABORTED'
  | 'ZISTORE_NOT_LEADER'
  | 'ZISTORE_INVALID_ARGUMENT'
  | 'ZISTORE_LIMIT_EXCEEDED'
  | 'ZISTORE_INCOMPATIBLE'
  | 'ZISTORE_UNAUTHORIZED'
  | 'ZISTORE_COORDINATION_UNAVAILABLE'
  | 'ZISTORE_CLOSED';

/**
 * What is known about a write that failed (Z08): `notApplied` it surely did not and will not happen, `unknown` it may
 * have happened or may still happen.
 */
export type WriteOutcome = 'notApplied' | 'unknown';

/**
 * Codes after which the same call may succeed later without a change by the caller. ZISTORE_LIMIT_EXCEEDED is one only
 * for a full queue, which empties by itself; what is too large stays so.
 */
const RETRYABLE: ReadonlySet<ZiStoreErrorCode> = new Set([
  'ZISTORE_SESSION_LOST',
  'ZISTORE_OUTCOME_UNKNOWN',
  'ZISTORE_TIMEOUT',
  'ZISTORE_NOT_LEADER',
  'ZISTORE_COORDINATION_UNAVAILABLE',
]);

export interface ZiStoreErrorOptions {
  cause?: unknown;
  /** Set on every error of a write. */
  outcome?: WriteOutcome;
  /** Where it is not what the code alone says. */
  retryable?: boolean;
}

/** Thrown (or rejected with) by every operation of ZiStore. */
export class ZiStoreError extends Error {
  readonly code: ZiStoreErrorCode;
  /** Whether the same call may succeed later. For a write with outcome `unknown`, repeating may apply it twice. */
  readonly retryable: boolean;
  /** Only on errors of writes. */
  readonly outcome?: WriteOutcome;

  constructor(code: ZiStoreErrorCode, message: string, options: ZiStoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ZiStoreError';
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
    if (options.outcome !== undefined) this.outcome = options.outcome;
  }
}

/** The same error as one of a write; an outcome that it already names stays. */
export function withOutcome(error: ZiStoreError, outcome: WriteOutcome): ZiStoreError {
  if (error.outcome !== undefined) return error;
  const { code, message, cause, retryable } = error;
  const copy = new ZiStoreError(code, message, { cause, outcome, retryable });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/**
 * getMany or setMany failed for at least one of its keys. The keys are independent: `errors` says what failed and why,
 * `results` what succeeded. `code` is that of the first key that failed. For setMany, `outcome` is about the keys in
 * `errors` alone: `notApplied` if none of them was written, `unknown` if that is not known of one.
 */
export class ZiStoreBatchError<K = unknown, R = unknown> extends ZiStoreError {
  readonly errors: ReadonlyMap<K, ZiStoreError>;
  /** getMany: the values read; setMany: true for each key written. */
  readonly results: ReadonlyMap<K, R>;
  /** Whether every one of the errors is. */
  override readonly retryable: boolean;

  constructor(errors: ReadonlyMap<K, ZiStoreError>, results: ReadonlyMap<K, R>) {
    const all = [...errors.values()];
    const first = all[0] as ZiStoreError;
    const total = errors.size + results.size;
    super(first.code, `${errors.size} of ${total} keys failed, the first with: ${first.message}`, {
      cause: first,
      ...outcomeOfAll(all),
    });
    this.name = 'ZiStoreBatchError';
    this.errors = errors;
    this.results = results;
    this.retryable = all.every((error) => error.retryable);
  }
}

function outcomeOfAll(errors: readonly ZiStoreError[]): { outcome?: WriteOutcome } {
  if (errors.some((error) => error.outcome === 'unknown')) return { outcome: 'unknown' };
  return errors.every((error) => error.outcome === 'notApplied') ? { outcome: 'notApplied' } : {};
}
