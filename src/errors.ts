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

/** Codes after which the same call may succeed later without a change by the caller. */
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
    this.retryable = RETRYABLE.has(code);
    if (options.outcome !== undefined) this.outcome = options.outcome;
  }
}
