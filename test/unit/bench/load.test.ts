import { describe, expect, it } from '@jest/globals';
import { closedLoop, Load } from '../../../bench/agent/load.ts';
import { Ycsb } from '../../../bench/agent/ycsb.ts';
import { isValueOf, KEY_BYTES, keyOf, valueFor } from '../../../bench/data.ts';
import { paired } from '../../../bench/paired.ts';
import { MapStore } from '../../../bench/stores/memory.ts';

const KEYS = { from: 0, count: 50 };

describe('keys and values of benchmarks', () => {
  it('have exactly the size that is asked for', () => {
    expect(Buffer.byteLength(keyOf(123_456))).toBe(KEY_BYTES);
    expect(Buffer.byteLength(valueFor(9_999_999, 16, 3))).toBe(16);
    expect(Buffer.byteLength(valueFor(1, 1024))).toBe(1024);
  });

  it('tell whose value they are', () => {
    expect(isValueOf(valueFor(7, 16, 9), 7, 16)).toBe(true);
    expect(isValueOf(valueFor(7, 16), 8, 16)).toBe(false);
    expect(isValueOf(valueFor(7, 16), 7, 32)).toBe(false);
    expect(isValueOf(undefined, 7, 16)).toBe(false);
  });
});

describe('a closed loop', () => {
  it('has as many operations in flight as it is told, does each once, and ends after the last', async () => {
    let inFlight = 0;
    let most = 0;
    const seen = new Set<number>();
    const begin = async (n: number): Promise<void> => {
      seen.add(n);
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((done) => setImmediate(done));
      inFlight -= 1;
    };
    await closedLoop({ begin }, { inFlight: 4, count: 100 });
    expect(most).toBe(4);
    expect(inFlight).toBe(0);
    expect(seen).toEqual(new Set(Array.from({ length: 100 }, (_, i) => i)));
  });

  it('lets timers have their turn although all answers come from memory', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await closedLoop({ begin: async () => {} }, { inFlight: 2, ms: 50 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });
});

describe('a load', () => {
  it('fails when a value is wrong, whichever way it is read', async () => {
    const store = new MapStore();
    const load = new Load(store);
    await load.pass({ op: 'set', inFlight: 8, keys: KEYS, size: 16 });
    await store.set(keyOf(30), valueFor(31, 16));
    await expect(load.pass({ op: 'get', inFlight: 8, keys: KEYS, size: 16 })).rejects.toThrow('wrong value');
    await expect(load.local({ how: 'get', ms: 1, keys: KEYS, size: 16 })).rejects.toThrow('wrong value');
    await expect(load.local({ how: 'peek', ms: 1, keys: KEYS, size: 16 })).rejects.toThrow('wrong value');
  });

  it('fails when what it has written cannot be read back', async () => {
    const forgetful = new MapStore();
    forgetful.set = async () => {};
    const load = new Load(forgetful);
    await expect(load.run({ op: 'set', inFlight: 1, ms: 1, keys: KEYS, size: 16 })).rejects.toThrow('wrong value');
  });
});

describe('YCSB', () => {
  it('runs each workload with many operations in flight, and reads what was inserted last', async () => {
    const store = new MapStore();
    const slow = {
      get: (key: string) => store.get(key),
      // Inserts that overlap: each must have an index of its own.
      set: async (key: string, value: string) => {
        await new Promise((done) => setImmediate(done));
        await store.set(key, value);
      },
      close: () => store.close(),
    };
    await new Load(slow).pass({ op: 'set', inFlight: 8, keys: { from: 0, count: 200 }, size: 100 });
    const ycsb = new Ycsb(slow);
    for (const workload of ['A', 'B', 'C', 'D', 'F'] as const) {
      const shape = { records: 200, size: 100, inFlight: 16, ms: 20, seed: 1, insertAt: 100_000 };
      await expect(ycsb.run({ ...shape, workload })).resolves.toMatchObject({ value: expect.any(Number) });
    }
  });
});

describe('paired rounds', () => {
  it('warm every contender up, then alternate: A B B A A B', async () => {
    const order: string[] = [];
    const entrant = (contender: string) => ({
      contender,
      run: async () => {
        order.push(contender);
        return { value: order.length };
      },
    });
    const effort = { quick: false, full: false, rounds: 3, ms: 1, only: [] };
    const measured = await paired({ effort, progress: { step: () => {} } as never }, [entrant('A'), entrant('B')]);
    expect(order.join('')).toBe('ABABBAAB');
    expect(measured.map(({ samples }) => samples.map(({ value }) => value))).toEqual([
      [3, 6, 7],
      [4, 5, 8],
    ]);
  });
});
