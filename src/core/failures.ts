/** The failures that the core settles calls with; one place for their words. */
import type { WriteOutcome } from '../errors.ts';
import type { Failure } from './effects.ts';

const withOutcome = (failure: Failure, outcome: WriteOutcome | undefined): Failure =>
  outcome === undefined ? failure : { ...failure, outcome };

export const sessionLost = (outcome?: WriteOutcome): Failure =>
  withOutcome(
    {
      ok: false,
      code: 'ZISTORE_SESSION_LOST',
      message: 'This node cannot prove that its ZooKeeper session lives; it answers again once it can.',
    },
    outcome,
  );

export const outcomeUnknown = (): Failure => ({
  ok: false,
  code: 'ZISTORE_OUTCOME_UNKNOWN',
  message:
    'The leader went away while the write was in flight; it may or may not have happened. Read the key to find out.',
  outcome: 'unknown',
});

export const closed = (outcome?: WriteOutcome): Failure =>
  withOutcome({ ok: false, code: 'ZISTORE_CLOSED', message: 'This store is closed.' }, outcome);

export const limitExceeded = (message: string, outcome?: WriteOutcome): Failure =>
  withOutcome({ ok: false, code: 'ZISTORE_LIMIT_EXCEEDED', message }, outcome);

/** A queue is full; unlike what is too large, that passes by itself. */
export const queueFull = (message: string, outcome?: WriteOutcome): Failure => ({
  ...limitExceeded(message, outcome),
  retryable: true,
});

export const cancelled = (code: 'ZISTORE_TIMEOUT' | 'ZISTORE_ABORTED', outcome?: WriteOutcome, why = ''): Failure => {
  const what = code === 'ZISTORE_TIMEOUT' ? 'The operation took longer than its timeout' : 'The operation was aborted';
  const rest =
    outcome === 'unknown'
      ? '; it had been sent and may still happen.'
      : outcome === 'notApplied'
        ? '; it will not happen.'
        : '.';
  return withOutcome({ ok: false, code, message: what + rest + why }, outcome);
};
