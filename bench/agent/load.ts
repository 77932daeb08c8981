/** Closed loops over one contender, each read checked. */
import { performance } from 'node:perf_hooks';
import { isValueOf, keyOf, keysOf, valueFor, WrongValueError } from '../data.ts';
import { Latencies } from '../histogram.ts';
import type { Sample } from '../model.ts';
import type { Store } from '../stores/store.ts';
import type { LoadShape, LocalShape, Operation, PassShape } from './jobs.ts';

/** Answers from memory come as microtasks: without a turn of the event loop now and then timers would starve. */
const TURN_EVERY_MS = 10;
/** Of answers from memory, which are much faster. */
const READS_A_TURN = 4096;

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * What a loop does again and again. In two halves, so that nothing but the contender's own promise stands between the
 * beginning of an operation and its end.
 */
export interface Task {
  begin(n: number): Promise<unknown>;
  /** Throws if the answer is wrong. */
  end?(n: number, answer: unknown): void;
}

interface Bounds {
  readonly inFlight: number;
  readonly ms?: number;
  readonly count?: number;
}

/** As many loops as `inFlight`, each starting an operation when its last one has ended. */
export async function closedLoop(task: Task, { inFlight, ms = Infinity, count = Infinity }: Bounds): Promise<Sample> {
  const latencies = new Latencies();
  const spent = process.cpuUsage();
  const begun = performance.now();
  const deadline = begun + ms;
  let started = 0;
  let done = 0;
  let turnAt = begun + TURN_EVERY_MS;
  // One for all loops: each with an immediate of its own, they would run one after the other before anything is read.
  let turning: Promise<void> | undefined;
  const takeTurn = (): Promise<void> => {
    turning ??= turn().then(() => {
      turnAt = performance.now() + TURN_EVERY_MS;
      turning = undefined;
    });
    return turning;
  };
  const worker = async (): Promise<void> => {
    let before = performance.now();
    while (before < deadline && started < count) {
      const n = started++;
      const answer = await task.begin(n);
      task.end?.(n, answer);
      const after = performance.now();
      latencies.record(after - before);
      done += 1;
      before = after;
      if (after >= turnAt) {
        await takeTurn();
        before = performance.now();
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const value = (done * 1000) / (performance.now() - begun);
  const { user, system } = process.cpuUsage(spent);
  return { value, latency: latencies.summary(), cpuUs: (user + system) / Math.max(1, done) };
}

/** Where reads and writes of one process go on: the next run does not begin with the keys that the last one began with. */
export class Load {
  readonly #store: Store;
  readonly #names = new Map<string, string[]>();
  #cursor = 0;
  #edition = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async run({ op, inFlight, ms, keys, size, unchecked = false, once = false }: LoadShape): Promise<Sample> {
    this.#edition += 1;
    if (once) this.#cursor = 0;
    const task = this.#task(op, keys.from, keys.count, size, this.#cursor, this.#edition);
    let begun = 0;
    const begin = (n: number): Promise<unknown> => {
      begun += 1;
      return task.begin(n);
    };
    const sample = await closedLoop({ ...task, begin }, { inFlight, ms, ...(once && { count: keys.count }) });
    this.#cursor = (this.#cursor + begun) % keys.count;
    if (op === 'set' && !unchecked) await this.#check(keys.from, Math.min(keys.count, 100), size);
    return sample;
  }

  async pass({ op, inFlight, keys, size, forget = false }: PassShape): Promise<Sample> {
    const task = this.#task(op, keys.from, keys.count, size, 0, 0);
    const sample = await closedLoop(task, { inFlight, count: keys.count });
    if (forget) this.#names.clear();
    return sample;
  }

  /** Answers from memory, one after the other. The keys must have been read before. */
  local({ how, ms, keys, size }: LocalShape): Promise<Sample> {
    const names = this.#namesOf(keys.from, keys.count);
    const values = names.map((_, i) => valueFor(keys.from + i, size));
    return how === 'peek' ? this.#peeks(names, values, ms) : this.#gets(names, values, ms);
  }

  async #gets(names: readonly string[], values: readonly string[], ms: number): Promise<Sample> {
    const store = this.#store;
    return timed(ms, names.length, async (from, to) => {
      let right = 0;
      for (let i = from; i < to; i++) if ((await store.get(names[i]!)) === values[i]) right++;
      return right;
    });
  }

  async #peeks(names: readonly string[], values: readonly string[], ms: number): Promise<Sample> {
    const store = this.#store;
    return timed(ms, names.length, async (from, to) => {
      let right = 0;
      for (let i = from; i < to; i++) if (store.peek!(names[i]!) === values[i]) right++;
      return right;
    });
  }

  #task(op: Operation, from: number, count: number, size: number, start: number, edition: number): Task {
    const store = this.#store;
    const names = this.#namesOf(from, count);
    if (op === 'get') {
      return {
        begin: (n) => store.get(names[(start + n) % count]!),
        end: (n, value) => {
          const i = (start + n) % count;
          if (!isValueOf(value as string, from + i, size)) throw new WrongValueError(names[i]!, value);
        },
      };
    }
    const values = names.map((_, i) => valueFor(from + i, size, edition));
    return {
      begin: (n) => {
        const i = (start + n) % count;
        return store.set(names[i]!, values[i]!);
      },
    };
  }

  async #check(from: number, count: number, size: number): Promise<void> {
    for (let i = from; i < from + count; i++) {
      const value = await this.#store.get(keyOf(i));
      if (!isValueOf(value, i, size)) throw new WrongValueError(keyOf(i), value);
    }
  }

  /** Names are made once: making them again would be measured as garbage collection. */
  #namesOf(from: number, count: number): string[] {
    const range = `${from} ${count}`;
    let names = this.#names.get(range);
    if (names === undefined) {
      names = keysOf({ from, count });
      this.#names.set(range, names);
    }
    return names;
  }
}

/** `read` does those from `from` up to `to` and says how many were right. */
async function timed(ms: number, count: number, read: (from: number, to: number) => Promise<number>): Promise<Sample> {
  let spent = 0;
  let done = 0;
  let at = 0;
  while (spent < ms) {
    const to = Math.min(at + READS_A_TURN, count);
    const before = performance.now();
    const right = await read(at, to);
    spent += performance.now() - before;
    if (right !== to - at) throw new Error(`${to - at - right} of ${to - at} reads gave no or a wrong value`);
    done += right;
    at = to === count ? 0 : to;
    await turn();
  }
  return { value: (done * 1000) / spent };
}
