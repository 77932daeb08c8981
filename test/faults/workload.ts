/**
 * A steady load: so many operations a second, whatever becomes of those before. Few hot keys, which change all the
 * time, and many cold ones; no key is used often enough to be hard to judge.
 */
import { SeededRandom } from '../sim/seeded-random.ts';
import type { LoadShape } from './wire.ts';
import type { Operation } from './worker-recorder.ts';

const TICK_MS = 5;
const NS_PER_MS = 1e6;
/** A tick that comes later than this follows a pause: somebody stopped the process, or it had no time. */
const PAUSE_NS = 100 * NS_PER_MS;
/** What a late tick makes up for. */
const MAX_OPERATIONS_A_TICK = 50;

export type FullShape = Required<LoadShape>;

export const fullShape = (shape: LoadShape): FullShape => ({
  generationMs: 5000,
  hotKeys: 8,
  coldKeys: 500,
  coldShare: 0.1,
  readShare: 0.8,
  deleteShare: 0.02,
  timeoutMs: 5000,
  maxInFlight: 256,
  valueSize: 0,
  ...shape,
});

/** The generation of hot keys at this moment: the same for every process of the machine. */
export const generationAt = (nowNs: number, generationMs: number): number =>
  Math.floor(nowNs / (generationMs * NS_PER_MS));

export const hotKey = (generation: number, index: number): string => `h${generation}-${index}`;

export const isHot = (key: string): boolean => /^h\d+-\d+$/.test(key);

/** What to do next, drawn from a seed. */
export class Workload {
  readonly shape: FullShape;
  readonly #client: number;
  readonly #random: SeededRandom;
  #values: number;

  /** `values`: how many this client has written before, so that none is written twice. */
  constructor(client: number, shape: LoadShape, values = 0) {
    this.shape = fullShape(shape);
    this.#client = client;
    this.#random = SeededRandom.stream(shape.seed, `client ${client}`);
    this.#values = values;
  }

  get values(): number {
    return this.#values;
  }

  next(generation: number): Operation {
    const { hotKeys, coldKeys, coldShare, readShare, deleteShare } = this.shape;
    const random = this.#random;
    const k = random.chance(coldShare) ? `c${random.below(coldKeys)}` : hotKey(generation, random.below(hotKeys));
    if (random.chance(readShare)) return { op: 'get', k };
    if (random.chance(deleteShare)) return { op: 'del', k };
    this.#values += 1;
    return { op: 'put', k, v: `${this.#client}-${this.#values}`.padEnd(this.shape.valueSize, '.') };
  }
}

export interface LoadParts {
  /** Nanoseconds of the clock that all processes share. */
  readonly now: () => number;
  /** Begins it, in this turn. */
  readonly run: (operation: Operation, timeoutMs: number) => void;
  readonly inFlight: () => number;
  /** Whether a read of this key would end at once, from memory or with an error. */
  readonly isInstant: (key: string) => boolean;
  readonly skipped: () => void;
}

export class Load {
  readonly #workload: Workload;
  readonly #parts: LoadParts;
  readonly #timer: NodeJS.Timeout;
  #last: number;
  #due = 0;

  constructor(workload: Workload, parts: LoadParts) {
    this.#workload = workload;
    this.#parts = parts;
    this.#last = parts.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = this.#parts.now();
    const elapsed = now - this.#last;
    if (elapsed > PAUSE_NS) this.#readWhatWasHot(this.#last);
    this.#last = now;
    const { rate, generationMs } = this.#workload.shape;
    this.#due = Math.min(this.#due + (elapsed * rate) / 1e9, MAX_OPERATIONS_A_TICK);
    const generation = generationAt(now, generationMs);
    const operations: Operation[] = [];
    for (; this.#due >= 1; this.#due -= 1) operations.push(this.#workload.next(generation));
    // Reads first: whatever a process does before it has heard of anything has to be a read, or it shows nothing.
    for (const operation of operations) if (operation.op === 'get') this.#begin(operation);
    for (const operation of operations) if (operation.op !== 'get') this.#begin(operation);
  }

  /** After a pause, what this node had copies of before it, which others have overwritten since. */
  #readWhatWasHot(before: number): void {
    const { hotKeys, generationMs } = this.#workload.shape;
    const generation = generationAt(before, generationMs);
    for (let i = 0; i < hotKeys; i++) this.#begin({ op: 'get', k: hotKey(generation, i) });
  }

  #begin(operation: Operation): void {
    const { maxInFlight, timeoutMs } = this.#workload.shape;
    const isFull = this.#parts.inFlight() >= maxInFlight;
    // Reads from memory go on, whatever hangs.
    if (isFull && !(operation.op === 'get' && this.#parts.isInstant(operation.k))) this.#parts.skipped();
    else this.#parts.run(operation, timeoutMs);
  }
}
