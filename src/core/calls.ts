/** Callers' operations that are not finished. Each is settled once; whoever comes second is not heard. */
import type { CallId, CallResult, Failure, Outbox } from './effects.ts';

type CallKind = 'read' | 'write';

export class Calls {
  private readonly open = new Map<CallId, CallKind>();
  private readonly outbox: Outbox;

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  get size(): number {
    return this.open.size;
  }

  begin(call: CallId, kind: CallKind): void {
    this.open.set(call, kind);
  }

  kind(call: CallId): CallKind | undefined {
    return this.open.get(call);
  }

  settle(call: CallId, result: CallResult): void {
    if (this.open.delete(call)) this.outbox.push({ type: 'settle', call, result });
  }

  /** Settles whatever is still open; of the writes among it nothing is known any more. */
  failAll(failure: (outcome?: 'unknown') => Failure): void {
    for (const [call, kind] of [...this.open]) this.settle(call, failure(kind === 'write' ? 'unknown' : undefined));
  }
}
