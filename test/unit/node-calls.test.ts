/** Callers' timeouts and signals: each call hears of its own end only, and nothing is left of it. */
import { describe, expect, it } from '@jest/globals';
import type { CallId, Input } from '../../src/core/effects.ts';
import { cancelled } from '../../src/core/failures.ts';
import type { Key } from '../../src/core/types.ts';
import type { ZiStoreError } from '../../src/errors.ts';
import { PendingCalls } from '../../src/node-calls.ts';

const key = 'k' as Key;

describe('signals', () => {
  /** Cancelled calls are settled, as the core does; others stay. */
  function rig() {
    const inputs: Input[] = [];
    const calls: PendingCalls = new PendingCalls({ now: () => 0, setTimer: () => () => {} }, (input) => {
      inputs.push(input);
      if (input.type === 'cancel') calls.settle(input.call, cancelled(input.code));
    });
    /** A read, and what it came to. */
    const start = (signal: AbortSignal): Promise<unknown> =>
      calls
        .start({ type: 'get', call: calls.number(), key }, { signal }, ({ value }) => value, undefined)
        .catch((error: ZiStoreError) => error.code);
    const ofType = (type: Input['type']) =>
      inputs.flatMap((input) => (input.type === type && 'call' in input ? input.call : []));
    return { calls, start, ofType };
  }

  /** Counts what is listened to. */
  function counted(signal: AbortSignal): { listeners: number } {
    const count = { listeners: 0 };
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      count.listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      count.listeners -= 1;
      remove(...args);
    };
    return count;
  }

  it('one that many calls share is listened to once, ends all of them, and is let go of', async () => {
    const { calls, start, ofType } = rig();
    const [abort, other] = [new AbortController(), new AbortController()];
    const count = counted(abort.signal);
    const shared = Array.from({ length: 100 }, () => start(abort.signal));
    void start(other.signal);
    expect(count.listeners).toBe(1);
    const started = ofType('get');
    calls.settle(started[0] as CallId, { ok: true, value: 'v' });
    abort.abort();
    const results = await Promise.all(shared);
    expect(results[0]).toBe('v');
    expect(results.slice(1)).toEqual(results.slice(1).map(() => 'ZISTORE_ABORTED'));
    expect(ofType('cancel')).toEqual(started.slice(1, 100));
    expect(count.listeners).toBe(0);
  });

  it('one is let go of when its last call has ended, and may be used again', async () => {
    const { calls, start, ofType } = rig();
    const abort = new AbortController();
    const count = counted(abort.signal);
    for (let round = 0; round < 3; round += 1) {
      const two = [start(abort.signal), start(abort.signal)];
      for (const call of ofType('get').slice(-2)) calls.settle(call, { ok: true });
      await Promise.all(two);
      expect(count.listeners).toBe(0);
    }
    abort.abort();
    expect(ofType('cancel')).toEqual([]);
    expect(await start(abort.signal)).toBe('ZISTORE_ABORTED');
  });
});
