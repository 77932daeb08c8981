/** The load of a worker: what it does, in which order, and that it goes on whatever hangs. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LoadShape } from '../../faults/wire.ts';
import type { Operation } from '../../faults/worker-recorder.ts';
import { generationAt, Load, Workload } from '../../faults/workload.ts';

const SHAPE: LoadShape = { rate: 1000, seed: 7 };
const NS_PER_MS = 1_000_000;

const many = (workload: Workload, count: number, generation = 3): Operation[] =>
  Array.from({ length: count }, () => workload.next(generation));

describe('the workload', () => {
  it('is the same for the same seed and client, and another for another', () => {
    const drawn = (client: number, seed: number) => many(new Workload(client, { ...SHAPE, seed }), 20);
    expect(drawn(1, 7)).toEqual(drawn(1, 7));
    expect(drawn(1, 8)).not.toEqual(drawn(1, 7));
    expect(drawn(2, 7).map(({ k }) => k)).not.toEqual(drawn(1, 7).map(({ k }) => k));
  });

  it('writes each value once, also when the load is changed', () => {
    const first = new Workload(1, { ...SHAPE, readShare: 0 });
    const before = many(first, 500);
    const after = many(new Workload(1, { ...SHAPE, readShare: 0 }, first.values), 500);
    const values = [...before, ...after].flatMap(({ v }) => v ?? []);
    expect(new Set(values).size).toBe(values.length);
  });

  it('has the shares it was given', () => {
    const shape = {
      ...SHAPE,
      readShare: 0.7,
      deleteShare: 0.2,
      coldShare: 0.3,
      hotKeys: 4,
      coldKeys: 50,
      valueSize: 30,
    };
    const all = many(new Workload(1, shape), 20_000);
    const share = (of: (operation: Operation) => boolean): number => all.filter(of).length / all.length;
    expect(share(({ op }) => op === 'get')).toBeCloseTo(0.7, 1);
    expect(share(({ op }) => op === 'del')).toBeCloseTo(0.06, 1);
    expect(share(({ k }) => k.startsWith('c'))).toBeCloseTo(0.3, 1);
    expect(new Set(all.map(({ k }) => k))).toEqual(
      new Set([...Array.from({ length: 50 }, (_, i) => `c${i}`), 'h3-0', 'h3-1', 'h3-2', 'h3-3']),
    );
    expect(all.every(({ v }) => v === undefined || v.length === 30)).toBe(true);
  });

  it('has hot keys that change by the clock of the machine', () => {
    expect(generationAt(14_999 * NS_PER_MS, 5000)).toBe(2);
    expect(generationAt(15_000 * NS_PER_MS, 5000)).toBe(3);
  });
});

describe('the load', () => {
  let now: number;
  let begun: Operation[];
  let inFlight: number;
  let skipped: number;
  let instant: boolean;
  let load: Load | undefined;

  beforeEach(() => {
    jest.useFakeTimers();
    [now, begun, inFlight, skipped, instant] = [1_000_000 * NS_PER_MS, [], 0, 0, false];
  });

  afterEach(() => {
    load?.stop();
    jest.useRealTimers();
  });

  function start(shape: Partial<LoadShape> = {}): void {
    load = new Load(new Workload(1, { ...SHAPE, ...shape }), {
      now: () => now,
      run: (operation) => begun.push(operation),
      inFlight: () => inFlight,
      isInstant: () => instant,
      skipped: () => {
        skipped += 1;
      },
    });
  }

  /** One turn of its timer. */
  function tick(afterMs = 5): Operation[] {
    begun = [];
    now += afterMs * NS_PER_MS;
    jest.advanceTimersByTime(5);
    return begun;
  }

  it('begins so many operations a second, by the clock, whatever becomes of them', () => {
    start();
    let count = 0;
    for (let i = 0; i < 200; i++) count += tick(i % 2 === 0 ? 3 : 7).length;
    expect(count).toBe(1000);
  });

  it('reads before it writes, in every turn', () => {
    start({ readShare: 0.5 });
    for (let i = 0; i < 50; i++) {
      const kinds = tick(20).map(({ op }) => op === 'get');
      expect(kinds).toEqual([...kinds].sort((a, b) => Number(b) - Number(a)));
      expect(new Set(kinds).size).toBe(2);
    }
  });

  it('reads what it had copies of first when it comes back from a pause, and makes up for little of it', () => {
    start({ readShare: 0, generationMs: 1000, hotKeys: 3 });
    tick();
    const after = tick(10_000);
    expect(after.slice(0, 3).map(({ op, k }) => `${op} ${k}`)).toEqual(['get h1000-0', 'get h1000-1', 'get h1000-2']);
    expect(after.length).toBeLessThanOrEqual(53);
    expect(after.slice(3).every(({ k }) => k.startsWith('h1010-') || k.startsWith('c'))).toBe(true);
  });

  it('begins nothing more while too much is in flight, and says how much it has left out', () => {
    start({ maxInFlight: 10 });
    inFlight = 10;
    expect(tick()).toEqual([]);
    expect(skipped).toBe(5);
    inFlight = 9;
    expect(tick()).toHaveLength(5);
  });

  it('but goes on reading what needs nobody', () => {
    start({ maxInFlight: 10, readShare: 0.5 });
    [inFlight, instant] = [10, true];
    const operations = Array.from({ length: 20 }, () => tick()).flat();
    expect(operations.length).toBeGreaterThan(20);
    expect(operations.every(({ op }) => op === 'get')).toBe(true);
  });
});
