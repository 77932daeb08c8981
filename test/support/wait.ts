/** Waiting in tests: for a condition, with a deadline, never for luck. */
import { inspect } from 'node:util';

/** ZISTORE_TEST_TIME_SCALE: how much slower than usual this machine is. */
export const TIME_SCALE = Math.max(Number(process.env.ZISTORE_TEST_TIME_SCALE ?? 1) || 1, 0.1);

/** A duration of a test on this machine, in milliseconds. */
export const scaled = (ms: number): number => ms * TIME_SCALE;

/** Gives way to everything else that is due, `ms` later (unscaled: for polling). */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface UntilOptions {
  /** Before scaling. Default 10 s. */
  timeoutMs?: number;
  /** Default 10 ms. */
  intervalMs?: number;
}

/**
 * Resolves with the first truthy result of `condition`, which may be asynchronous and may throw while it does not hold
 * yet (an assertion, say). Rejects after `timeoutMs` with what was awaited and what was seen last; also when the
 * condition itself hangs.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 10 }: UntilOptions = {},
): Promise<NonNullable<T>> {
  let seen: unknown = 'nothing: the condition never answered';
  let over = false;
  const poll = async (): Promise<NonNullable<T>> => {
    for (;;) {
      try {
        const result = await condition();
        if (result) return result;
        seen = result;
      } catch (error) {
        seen = error;
      }
      if (over) throw seen;
      await pause(intervalMs);
    }
  };
  const limit = scaled(timeoutMs);
  const failure = new Error(`not within ${limit} ms: ${what}`);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      over = true;
      failure.message += `; last seen: ${seen instanceof Error ? seen.message : inspect(seen, { depth: 6 })}`;
      reject(failure);
    }, limit);
  });
  const polling = poll();
  polling.catch(() => {});
  try {
    return await Promise.race([polling, deadline]);
  } finally {
    clearTimeout(timer);
    over = true;
  }
}
