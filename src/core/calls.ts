/** Callers' operations that are not finished. Each is settled once; whoever comes second is not heard. */
import type { CallId, CallResult, Failure, Outbox } from './effects.ts';
import type { Flight, PendingWrite } from './flights.ts';
import { IdTable } from './id-table.ts';

type CallKind = 'read' | 'write';

export interface Call {
  readonly kind: CallKind;
  /** The request to another node that it waits for, if there is one. */
  awaits: Flight | PendingWrite | undefined;
}

export class Calls {
  private readonly open = new IdTable<Call>();
  private readonly outbox: Outbox;

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  get size(): number {
    return this.open.size;
  }

  begin(id: CallId, kind: CallKind): void {
    this.open.set(id, { kind, awaits: undefined });
  }

  get(id: CallId): Call | undefined {
    return this.open.get(id);
  }

  kind(id: CallId): CallKind | undefined {
    return this.open.get(id)?.kind;
  }

  /** From here on this call, if it is still open, waits for that request, or (undefined) for none. */
  awaits(id: CallId, request: Flight | PendingWrite | undefined): void {
    const call = this.open.get(id);
    if (call !== undefined) call.awaits = request;
  }

  /** Open calls that wait for requests. */
  awaiting(): [CallId, Flight | PendingWrite][] {
    return [...this.open].flatMap(([id, { awaits }]) => (awaits === undefined ? [] : [[id, awaits]]));
  }

  settle(id: CallId, result: CallResult): void {
    if (this.open.delete(id)) this.outbox.push({ type: 'settle', call: id, result });
  }

  /** Settles whatever is still open; of the writes among it nothing is known any more. */
  failAll(failure: (outcome?: 'unknown') => Failure): void {
    for (const [id, { kind }] of this.open) this.settle(id, failure(kind === 'write' ? 'unknown' : undefined));
  }
}
