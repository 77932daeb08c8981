/** What a worker does and sees, told to its parent: writes before they are called, everything when it has ended. */
import { inspect } from 'node:util';
import { ZiStoreError } from '../../src/errors.ts';
import type { ZiStore } from '../../src/store.ts';
import type { RecordedOperation } from '../sim/checker-history.ts';
import type { Stamps } from './clock.ts';
import type { Done, Intent, WorkerEvent } from './wire.ts';

const FLUSH_MS = 50;
/** Ended operations that are told at once, without waiting for the next flush. */
const FLUSH_AT = 500;

export interface Operation {
  readonly op: 'get' | 'put' | 'del';
  readonly k: string;
  readonly v?: string;
}

type Codes = { -readonly [code in keyof (WorkerEvent & { ev: 'done' })['codes']]: number };

/** Named of those in flight, the oldest first. */
const MOST_NAMED = 10;

export class WorkerRecorder {
  readonly #inFlight = new Set<Operation & { readonly s: number }>();
  readonly #client: number;
  readonly #store: ZiStore;
  readonly #stamps: Stamps;
  readonly #tell: (event: WorkerEvent) => void;
  #ended: Done[] = [];
  #held: number[] = [];
  #codes: Codes = {};
  #evictions = 0;
  #hasComplained = false;
  readonly #timer: NodeJS.Timeout;
  #idle: (() => void)[] = [];

  constructor(client: number, store: ZiStore, stamps: Stamps, tell: (event: WorkerEvent) => void) {
    this.#client = client;
    this.#store = store;
    this.#stamps = stamps;
    this.#tell = tell;
    this.#timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** The oldest in flight, with their ages. */
  underWay(): string[] {
    const now = this.#stamps.after();
    const oldest = [...this.#inFlight].slice(0, MOST_NAMED);
    return oldest.map(({ op, k, s }) => `${op} ${k} for ${((now - s) / 1e9).toFixed(1)} s`);
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  skipped(): void {
    this.#count('skipped');
  }

  /** Calls it in the same turn; resolves to what was read, rejects as the store does. */
  async run(operation: Operation, timeoutMs: number): Promise<string | boolean | null> {
    const { op, k, v } = operation;
    const s = this.#stamps.before();
    const words = { c: this.#client, op, k, ...(v === undefined ? {} : { v }) };
    if (op !== 'get') this.#tell({ ev: 'intent', e: { ...words, s } as Intent });
    // A node that does not live refuses at once, and it does not begin to live within this turn.
    const unsent = op !== 'get' && !this.#store.status().live;
    const underWay = { ...operation, s };
    this.#inFlight.add(underWay);
    try {
      const result = await this.#call(operation, timeoutMs);
      const t = this.#stamps.after();
      if (op === 'get') this.#add({ ...words, r: result as string | null, ok: true, s, t });
      else this.#add({ ...words, ok: true, s, t });
      return result;
    } catch (error) {
      this.#failed({ ...words, s }, error, unsent);
      throw error;
    } finally {
      this.#inFlight.delete(underWay);
      if (this.inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Everything that has ended, before whatever is told next. */
  flush(): void {
    const { evictions } = this.#store.status().counters;
    if (this.#ended.length > 0 || Object.keys(this.#codes).length > 0) {
      this.#tell({ ev: 'done', h: this.#ended, held: this.#held, codes: this.#codes });
      this.#ended = [];
      this.#held = [];
      this.#codes = {};
    }
    if (evictions === this.#evictions) return;
    this.#evictions = evictions;
    this.#tell({ ev: 'session', what: 'evicted', at: this.#stamps.after() });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.flush();
  }

  async #call({ op, k, v }: Operation, timeoutMs: number): Promise<string | boolean | null> {
    if (op === 'get') return (await this.#store.get(k, { timeoutMs })) ?? null;
    if (op === 'del') return this.#store.delete(k, { timeoutMs });
    await this.#store.set(k, v ?? '', { timeoutMs });
    return null;
  }

  #add(done: RecordedOperation): void {
    if (this.#hasCopy(done.k)) this.#held.push(this.#ended.length);
    this.#push(done);
  }

  /** An answer alone does not show it: a leader that cannot reach this node lists no holder. */
  #hasCopy(key: string): boolean {
    try {
      return this.#store.peek(key) !== undefined;
    } catch {
      return false;
    }
  }

  #failed(words: Omit<RecordedOperation, 'ok' | 't'>, error: unknown, unsent: boolean): void {
    if (error instanceof ZiStoreError) this.#count(error.code);
    else this.#unexpected(error);
    if (words.op === 'get') return;
    if (error instanceof ZiStoreError && error.outcome === undefined) this.#count('withoutOutcome');
    const certainlyNot = error instanceof ZiStoreError && error.outcome === 'notApplied';
    const t = this.#stamps.after();
    if (certainlyNot) this.#push({ ...(words as Intent), notApplied: true, t, ...(unsent ? { unsent } : {}) });
    else this.#push({ ...words, ok: false, t: -1 });
  }

  #count(code: keyof Codes): void {
    this.#codes[code] = (this.#codes[code] ?? 0) + 1;
  }

  /** The first one is told in full, to the log. */
  #unexpected(error: unknown): void {
    if (!this.#hasComplained) process.stderr.write(`an error that is none of ZiStore: ${inspect(error)}\n`);
    this.#hasComplained = true;
    this.#count('unexpected');
  }

  #push(done: Done): void {
    this.#ended.push(done);
    if (this.#ended.length >= FLUSH_AT) this.flush();
  }
}
