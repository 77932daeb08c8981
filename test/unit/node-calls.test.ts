/** Callers' timeouts and signals: each call hears of its own end only, and nothing is left of it. */
import { describe, expect, it } from '@jest/globals';
import type { CallId, Input } from '../../src/core/effects.ts';
import { cancelled } from '../../src/core/failures.ts';
import type { Key } from '../../src/core/types.ts';
import { PendingCalls } from '../../src/node-calls.ts';

const get = { type: 'get', key: 'k' as Key } as const;

describe('signals', () => {
  /** Cancelled calls are settled, as the core does; others stay. */
  function rig() {
    const inputs: Input[] = [];
    const calls: PendingCalls = new PendingCalls({ now: () => 0, setTimer: () => () => {} }, (input) => {
      inputs.push(input);
      if (input.type === 'cancel') calls.settle(input.call, cancelled(input.code));
    });
    const ofType = (type: Input['type']) =>
      inputs.flatMap((input) => (input.type === type && 'call' in input ? input.call : []));
    return { calls, ofType };
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
    const { calls, ofType } = rig();
    const [abort, other] = [new AbortController(), new AbortController()];
    const count = counted(abort.signal);
    const shared = Array.from({ length: 100 }, () => calls.start(get, { signal: abort.signal }));
    void calls.start(get, { signal: other.signal });
    expect(count.listeners).toBe(1);
    const started = ofType('get');
    calls.settle(started[0] as CallId, { ok: true });
    abort.abort();
    const results = await Promise.all(shared);
    expect(results[0]).toEqual({ ok: true });
    expect(results.slice(1)).toEqual(results.slice(1).map(() => cancelled('ZISTORE_ABORTED')));
    expect(ofType('cancel')).toEqual(started.slice(1, 100));
    expect(count.listeners).toBe(0);
  });

  it('one is let go of when its last call has ended, and may be used again', async () => {
    const { calls, ofType } = rig();
    const abort = new AbortController();
    const count = counted(abort.signal);
    for (let round = 0; round < 3; round += 1) {
      const two = [calls.start(get, { signal: abort.signal }), calls.start(get, { signal: abort.signal })];
      for (const call of ofType('get').slice(-2)) calls.settle(call, { ok: true });
      await Promise.all(two);
      expect(count.listeners).toBe(0);
    }
    abort.abort();
    expect(ofType('cancel')).toEqual([]);
    expect(await calls.start(get, { signal: abort.signal })).toEqual(cancelled('ZISTORE_ABORTED'));
  });
});
