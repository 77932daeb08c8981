/** Callers' promises: each call's number, its timeout and its signal. */
import type { CallId, CallResult, Failure, Input } from './core/effects.ts';
import { cancelled } from './core/failures.ts';
import { IdTable } from './core/id-table.ts';
import { ZiStoreError } from './errors.ts';
import type { CallOptions } from './node.ts';
import type { Clock } from './ports.ts';

/** A caller's operation. */
export type CallInput = Extract<Input, { type: 'get' | 'write' | 'inspect' }>;
/** What a call came to when it went well. */
export type Success = CallResult & { ok: true };

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly pick: (result: Success, read: unknown) => unknown;
  readonly read: unknown;
  readonly release: (() => void) | undefined;
}

export const toError = (failure: Failure): ZiStoreError => new ZiStoreError(failure.code, failure.message, failure);

/** The calls that one signal ends: with a listener for each, thousands on one signal would take their time, and Node warns. */
interface Signalled {
  readonly calls: Set<CallId>;
  readonly listener: () => void;
}

export class PendingCalls {
  private next = 1;
  private readonly signals = new Map<AbortSignal, Signalled>();
  private readonly pending = new IdTable<Pending>();
  private readonly clock: Clock;
  private readonly run: (input: Input) => void;

  constructor(clock: Clock, run: (input: Input) => void) {
    this.clock = clock;
    this.run = run;
  }

  /** A number for the next call. */
  number(): CallId {
    return this.next++;
  }

  /**
   * The one promise of a call: resolves with what `pick` makes of the result, given `read`; rejects with what that
   * throws, or with a ZiStoreError. (A second promise a call, chained to this one, cost as much as the core does.)
   */
  start<T, R>(
    input: CallInput,
    { signal, timeoutMs }: CallOptions,
    pick: (result: Success, read: R) => T,
    read: R,
  ): Promise<T> {
    if (signal?.aborted) {
      return Promise.reject(toError(cancelled('ZISTORE_ABORTED', input.type === 'write' ? 'notApplied' : undefined)));
    }
    const { call } = input;
    return new Promise((resolve, reject) => {
      const release = this.limit(call, signal, timeoutMs);
      this.pending.set(call, { resolve, reject, pick, read, release } as Pending);
      this.run(input);
    });
  }

  settle(call: CallId, result: CallResult): void {
    const pending = this.pending.get(call);
    if (pending === undefined) return;
    this.pending.delete(call);
    pending.release?.();
    if (!result.ok) {
      pending.reject(toError(result));
      return;
    }
    try {
      pending.resolve(pending.pick(result, pending.read));
    } catch (error) {
      pending.reject(error);
    }
  }

  private limit(
    call: CallId,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
  ): (() => void) | undefined {
    if (signal === undefined && timeoutMs === undefined) return undefined;
    const unlisten = signal && this.listen(signal, call);
    const cancelTimer =
      timeoutMs === undefined
        ? undefined
        : this.clock.setTimer(timeoutMs, () => this.run({ type: 'cancel', call, code: 'ZISTORE_TIMEOUT' }));
    return () => {
      unlisten?.();
      cancelTimer?.();
    };
  }

  private listen(signal: AbortSignal, call: CallId): () => void {
    let entry = this.signals.get(signal);
    if (entry === undefined) {
      const calls = new Set<CallId>();
      const listener = (): void => {
        for (const each of calls) this.run({ type: 'cancel', call: each, code: 'ZISTORE_ABORTED' });
      };
      entry = { calls, listener };
      this.signals.set(signal, entry);
      signal.addEventListener('abort', listener, { once: true });
    }
    const { calls, listener } = entry;
    calls.add(call);
    return () => {
      calls.delete(call);
      if (calls.size > 0) return;
      this.signals.delete(signal);
      signal.removeEventListener('abort', listener);
    };
  }
}
