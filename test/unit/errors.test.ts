/** Errors: stable codes, retryable, cause, and the outcome of writes (contract: Errors; Z08). */
import { describe, expect, it } from '@jest/globals';
import { withOutcome, ZiStoreBatchError, ZiStoreError, type ZiStoreErrorCode } from '../../src/errors.ts';

describe('ZiStoreError', () => {
  it.each<[ZiStoreErrorCode, retryable: boolean]>([
    ['ZISTORE_SESSION_LOST', true],
    ['ZISTORE_OUTCOME_UNKNOWN', true],
    ['ZISTORE_TIMEOUT', true],
    ['ZISTORE_NOT_LEADER', true],
    ['ZISTORE_COORDINATION_UNAVAILABLE', true],
    ['ZISTORE_ABORTED', false],
    ['ZISTORE_INVALID_ARGUMENT', false],
    ['ZISTORE_LIMIT_EXCEEDED', false],
    ['ZISTORE_INCOMPATIBLE', false],
    ['ZISTORE_UNAUTHORIZED', false],
    ['ZISTORE_CLOSED', false],
  ])('%s: retryable %p', (code, retryable) => {
    const error = new ZiStoreError(code, 'what to do next');
    expect(error).toMatchObject({ name: 'ZiStoreError', code, retryable, message: 'what to do next' });
    expect(error).toBeInstanceOf(Error);
    expect('cause' in error).toBe(false);
    expect(error.outcome).toBeUndefined();
  });

  it('ZISTORE_LIMIT_EXCEEDED is retryable where its thrower says so: a full queue empties by itself', () => {
    const full = new ZiStoreError('ZISTORE_LIMIT_EXCEEDED', 'queue full', { retryable: true });
    expect(full.retryable).toBe(true);
    expect(withOutcome(full, 'notApplied')).toMatchObject({ retryable: true, outcome: 'notApplied' });
  });

  it('carries its cause and the outcome of a write', () => {
    const cause = new Error('below');
    const error = new ZiStoreError('ZISTORE_TIMEOUT', 'x', { cause, outcome: 'unknown' });
    expect(error).toMatchObject({ cause, outcome: 'unknown' });
  });
});

describe('an error that becomes one of a write', () => {
  it('stays the same but for its outcome', () => {
    const plain = new ZiStoreError('ZISTORE_CLOSED', 'closed', { cause: 1 });
    const error = withOutcome(plain, 'notApplied');
    expect(error).toMatchObject({ code: 'ZISTORE_CLOSED', message: 'closed', cause: 1, outcome: 'notApplied' });
    expect(error.stack).toBe(plain.stack);
  });

  it('keeps an outcome that it has: nothing may turn unknown into notApplied', () => {
    const unknown = new ZiStoreError('ZISTORE_TIMEOUT', 'x', { outcome: 'unknown' });
    expect(withOutcome(unknown, 'notApplied')).toBe(unknown);
  });
});

describe('ZiStoreBatchError', () => {
  const timeout = new ZiStoreError('ZISTORE_TIMEOUT', 'late', { outcome: 'unknown' });
  const badKey = new ZiStoreError('ZISTORE_INVALID_ARGUMENT', 'key: bad', { outcome: 'notApplied' });
  const batch = (...errors: ZiStoreError[]) =>
    new ZiStoreBatchError<unknown, number>(new Map(errors.entries()), new Map([['ok', 1]]));

  it('has errors and results by key, and the code of the first that failed', () => {
    const error = batch(timeout, badKey);
    expect(error).toBeInstanceOf(ZiStoreError);
    expect(error).toMatchObject({ name: 'ZiStoreBatchError', code: 'ZISTORE_TIMEOUT', cause: timeout });
    expect([...error.errors.values()]).toEqual([timeout, badKey]);
    expect(error.results).toEqual(new Map([['ok', 1]]));
    expect(error.message).toBe('2 of 3 keys failed, the first with: late');
  });

  it('is retryable only if all its errors are', () => {
    expect(batch(timeout, timeout).retryable).toBe(true);
    expect(batch(timeout, badKey).retryable).toBe(false);
  });

  it('knows that nothing of what failed was written only if that is known of every key (Z08)', () => {
    expect(batch(badKey, badKey).outcome).toBe('notApplied');
    expect(batch(badKey, timeout).outcome).toBe('unknown');
    expect(batch(new ZiStoreError('ZISTORE_TIMEOUT', 'a read')).outcome).toBeUndefined();
  });
});
