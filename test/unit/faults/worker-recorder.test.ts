/** What a worker tells of its operations, and when. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ZiStoreError } from '../../../src/errors.ts';
import type { ZiStore } from '../../../src/store.ts';
import type { WorkerEvent } from '../../faults/wire.ts';
import { WorkerRecorder } from '../../faults/worker-recorder.ts';

let told: (WorkerEvent | string)[];
let answer: () => Promise<unknown>;
let copy: () => string | undefined;
let evictions: number;
let live: boolean;
let recorder: WorkerRecorder;

beforeEach(() => {
  [told, evictions, live] = [[], 0, true];
  answer = async () => 'v1';
  copy = () => undefined;
  let now = 0;
  const called = (what: string) => () => {
    told.push(what);
    return answer();
  };
  const store = {
    get: called('get'),
    set: called('set'),
    delete: called('delete'),
    peek: () => copy(),
    status: () => ({ counters: { evictions }, live }),
  };
  const tick = (): number => ++now;
  recorder = new WorkerRecorder(1, store as unknown as ZiStore, { before: tick, after: tick }, (event) =>
    told.push(event),
  );
});

afterEach(() => recorder.stop());

/** What it tells in all, once these have ended. */
async function toldAfter(...operations: Promise<unknown>[]): Promise<(WorkerEvent | string)[]> {
  await Promise.allSettled(operations);
  recorder.flush();
  return told;
}

const refused = (error: unknown) => async () => {
  throw error;
};

describe('the recorder', () => {
  it('tells a write before it is called, and that it has ended', async () => {
    const all = await toldAfter(recorder.run({ op: 'put', k: 'k', v: 'v' }, 100));
    expect(all).toEqual([
      { ev: 'intent', e: { c: 1, op: 'put', k: 'k', v: 'v', s: 1 } },
      'set',
      { ev: 'done', h: [{ c: 1, op: 'put', k: 'k', v: 'v', ok: true, s: 1, t: 2 }], held: [], codes: {} },
    ]);
  });

  it('calls in the same turn: a read of a process that comes back is made before it hears of anything', () => {
    void recorder.run({ op: 'get', k: 'k' }, 100);
    expect(told).toEqual(['get']);
  });

  it('says after which operations the node had a copy', async () => {
    const first = recorder.run({ op: 'get', k: 'a' }, 100);
    await first;
    copy = () => 'v1';
    const all = await toldAfter(recorder.run({ op: 'get', k: 'b' }, 100));
    expect(all.at(-1)).toMatchObject({
      h: [
        { k: 'a', r: 'v1' },
        { k: 'b', r: 'v1' },
      ],
      held: [1],
    });
  });

  it('does not take a node without a lease for one that has a copy', async () => {
    copy = () => {
      throw new ZiStoreError('ZISTORE_SESSION_LOST', '');
    };
    expect((await toldAfter(recorder.run({ op: 'get', k: 'a' }, 100))).at(-1)).toMatchObject({ held: [] });
  });

  it('tells writes that failed by what is known of them (Z08), and of reads only the code', async () => {
    answer = refused(new ZiStoreError('ZISTORE_TIMEOUT', '', { outcome: 'unknown' }));
    const unknown = recorder.run({ op: 'put', k: 'k', v: 'v' }, 100);
    answer = refused(new ZiStoreError('ZISTORE_SESSION_LOST', '', { outcome: 'notApplied' }));
    const not = recorder.run({ op: 'del', k: 'k' }, 100);
    answer = refused(new ZiStoreError('ZISTORE_SESSION_LOST', ''));
    const all = await toldAfter(unknown, not, recorder.run({ op: 'get', k: 'k' }, 100));
    expect(all.at(-1)).toEqual({
      ev: 'done',
      h: [
        { c: 1, op: 'put', k: 'k', v: 'v', s: 1, ok: false, t: -1 },
        { c: 1, op: 'del', k: 'k', s: 2, notApplied: true, t: expect.any(Number) },
      ],
      held: [],
      codes: { ZISTORE_TIMEOUT: 1, ZISTORE_SESSION_LOST: 2 },
    });
  });

  it('does not believe an error that is none of ZiStore, nor one without an outcome', async () => {
    answer = refused(new TypeError('a defect'));
    const first = recorder.run({ op: 'put', k: 'k', v: 'v' }, 100);
    answer = refused(new ZiStoreError('ZISTORE_SESSION_LOST', ''));
    const all = await toldAfter(first, recorder.run({ op: 'put', k: 'k', v: 'w' }, 100));
    expect(all.at(-1)).toMatchObject({
      h: [
        { v: 'v', t: -1 },
        { v: 'w', t: -1 },
      ],
      codes: { unexpected: 1, ZISTORE_SESSION_LOST: 1, withoutOutcome: 1 },
    });
  });

  it('demands no outcome of reads', async () => {
    answer = refused(new ZiStoreError('ZISTORE_TIMEOUT', ''));
    const all = await toldAfter(recorder.run({ op: 'get', k: 'k' }, 100));
    expect(all.at(-1)).toMatchObject({ codes: { ZISTORE_TIMEOUT: 1 } });
    expect(all.at(-1)).not.toMatchObject({ codes: { withoutOutcome: 1 } });
  });

  it('knows of a write that was never sent: its node did not live when it was called, and refused it', async () => {
    const not = new ZiStoreError('ZISTORE_SESSION_LOST', '', { outcome: 'notApplied' });
    answer = refused(not);
    const sent = recorder.run({ op: 'put', k: 'a', v: 'v' }, 100);
    live = false;
    const unsent = recorder.run({ op: 'put', k: 'b', v: 'v' }, 100);
    answer = refused(new ZiStoreError('ZISTORE_SESSION_LOST', '', { outcome: 'unknown' }));
    const all = await toldAfter(sent, unsent, recorder.run({ op: 'put', k: 'c', v: 'v' }, 100));
    const { h } = all.at(-1) as WorkerEvent & { ev: 'done' };
    expect(h.map((done) => ('notApplied' in done ? done.unsent === true : 'unknown'))).toEqual([
      false,
      true,
      'unknown',
    ]);
  });

  it('names what is under way', async () => {
    let end: (value: unknown) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const read = recorder.run({ op: 'get', k: 'k' }, 100);
    expect(recorder.underWay()).toEqual([expect.stringMatching(/^get k for [\d.]+ s$/)]);
    end('v');
    await read;
    expect(recorder.underWay()).toEqual([]);
  });

  it('says that copies were evicted, after what it tells of copies', async () => {
    copy = () => 'v1';
    const read = recorder.run({ op: 'get', k: 'k' }, 100);
    await read;
    evictions = 3;
    const all = await toldAfter();
    expect(all.slice(-2)).toMatchObject([
      { ev: 'done', held: [0] },
      { ev: 'session', what: 'evicted' },
    ]);
    const { length } = told;
    recorder.flush();
    expect(told).toHaveLength(length);
  });

  it('is idle when nothing is in flight', async () => {
    let end: (value: unknown) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    const read = recorder.run({ op: 'get', k: 'k' }, 100);
    let isIdle = false;
    const idle = recorder.idle().then(() => {
      isIdle = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isIdle).toBe(false);
    end('v');
    await Promise.all([read, idle]);
    expect(recorder.inFlight).toBe(0);
    await recorder.idle();
  });
});
