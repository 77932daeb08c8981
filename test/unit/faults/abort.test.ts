/** Runs that are interrupted, at whatever stage. */
import { describe, expect, it } from '@jest/globals';
import { orAborted } from '../../faults/abort.ts';

const forever = new Promise<never>(() => {});
const reason = new Error('ended by SIGINT');

describe('work that may be given up', () => {
  it('is given up when the signal says so, whatever it waits for', async () => {
    const stop = new AbortController();
    const work = orAborted(forever, stop.signal);
    stop.abort(reason);
    await expect(work).rejects.toBe(reason);
  });

  it('is given up where the signal has said so long before', async () => {
    await expect(orAborted(forever, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(orAborted(Promise.resolve(1), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('ends as it does else', async () => {
    const { signal } = new AbortController();
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });
});
