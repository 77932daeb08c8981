/** Callers' promises: each call's number, its timeout and its signal. */
import type { CallId, CallResult, Input } from './core/effects.ts';
import { cancelled } from './core/failures.ts';
import type { CallOptions } from './node.ts';
import type { Clock } from './ports.ts';

/** An operation without its number. */
export type CallInput = Input extends infer Each
  ? Each extends { type: 'get' | 'write' | 'inspect' }
    ? Omit<Each, 'call'>
    : never
  : never;

interface Pending {
  readonly resolve: (result: CallResult) => void;
  readonly release: (() => void) | undefined;
}

/** The calls that one signal ends: with a listener for each, thousands on one signal would take their time, and Node warns. */
interface Signalled {
  readonly calls: Set<CallId>;
  readonly listener: () => void;
}

export class PendingCalls {
  private next = 1;
  private readonly signals = new Map<AbortSignal, Signalled>();
  private readonly pending = new Map<CallId, Pending>();
  private readonly clock: Clock;
  private readonly run: (input: Input) => void;

  constructor(clock: Clock, run: (input: Input) => void) {
    this.clock = clock;
    this.run = run;
  }

  /** Resolves with whatever the core settles the call with; never rejects. */
  start(input: CallInput, { signal, timeoutMs }: CallOptions): Promise<CallResult> {
    if (signal?.aborted) {
      return Promise.resolve(cancelled('ZISTORE_ABORTED', input.type === 'write' ? 'notApplied' : undefined));
    }
    const call = this.next++;
    return new Promise((resolve) => {
      this.pending.set(call, { resolve, release: this.limit(call, signal, timeoutMs) });
      this.run({ ...input, call } as Input);
    });
  }

  settle(call: CallId, result: CallResult): void {
    const pending = this.pending.get(call);
    if (pending === undefined) return;
    this.pending.delete(call);
    pending.release?.();
    pending.resolve(result);
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
