/** What clients did and saw, in virtual time, in the contract's format. */
import { ZiStoreError } from '../../src/errors.ts';
import type { Clock } from '../../src/ports.ts';
import type { Recorded, RecordedOperation } from './checker-history.ts';

const NS_PER_MS = 1e6;

type Words = Pick<RecordedOperation, 'c' | 'op' | 'k' | 'v'>;
/** The value read; for writes it is not looked at. */
type Outcome = { readonly read: string | null } | { readonly error: unknown };

interface Open {
  readonly words: Words;
  readonly s: number;
}

export class Recorder {
  readonly history: Recorded[] = [];
  operations = 0;
  /** Anything that a caller must never see. */
  readonly faults: string[] = [];
  readonly #clock: Clock;
  readonly #open = new Set<Open>();
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Those that are not finished, in words. */
  describeOpen(): string {
    return [...this.#open].map(({ words, s }) => JSON.stringify({ ...words, s })).join(' ');
  }

  /**
   * Nanoseconds, never the same twice: virtual time stands still while things happen one after the other, and what
   * would be stamped alike would be taken for concurrent.
   */
  now(): number {
    this.#last = Math.max(Math.round(this.#clock.now() * NS_PER_MS), this.#last + 1);
    return this.#last;
  }

  run(words: Words, run: () => Promise<unknown>): void {
    const open: Open = { words, s: this.now() };
    this.#open.add(open);
    run().then(
      (value) => this.#end(open, { read: (value as string | undefined) ?? null }),
      (error: unknown) => this.#end(open, { error }),
    );
  }

  loss(k: string, s: number): void {
    this.history.push({ op: 'loss', k, s, t: this.now() });
  }

  /** The process of this client is gone: its callers will never know. */
  abandon(client: number): void {
    for (const open of [...this.#open]) {
      if (open.words.c !== client) continue;
      this.#open.delete(open);
      if (open.words.op !== 'get') this.#add({ ...open.words, ok: false, s: open.s, t: -1 });
    }
  }

  /** To be called once nothing more can end. */
  abandonAll(): void {
    for (const { words } of [...this.#open]) this.abandon(words.c as number);
  }

  #end(open: Open, outcome: Outcome): void {
    if (!this.#open.delete(open)) return;
    const { words, s } = open;
    if ('error' in outcome) this.#failed(words, s, outcome.error);
    else if (words.op === 'get') this.#add({ ...words, r: outcome.read, ok: true, s, t: this.now() });
    else this.#add({ ...words, ok: true, s, t: this.now() });
  }

  #failed(words: Words, s: number, error: unknown): void {
    if (!(error instanceof ZiStoreError)) this.faults.push(`not a ZiStoreError: ${String(error)}`);
    else if (words.op === 'get') return;
    else if (error.outcome === 'unknown') this.#add({ ...words, ok: false, s, t: -1 });
    else if (error.outcome === undefined) this.faults.push(`a write failed without an outcome: ${error.code}`);
  }

  #add(entry: RecordedOperation): void {
    this.history.push(entry);
    this.operations += 1;
  }
}
