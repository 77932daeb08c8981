/** The open requests of a session: each is answered exactly once, in the order in which they were submitted. */
import type { ZkReply } from '../ports.ts';

interface Entry {
  readonly request: number;
  readonly at: number;
  reply: ZkReply | undefined;
}

/** Most requests that may be open at once; the next one is answered NOT_SENT. */
export const MOST_OPEN_REQUESTS = 1000;

export class OpenRequests {
  private readonly entries = new Map<number, Entry>();
  private readonly deliver: (request: number, reply: ZkReply) => void;
  private lastTicket = 0;

  constructor(deliver: (request: number, reply: ZkReply) => void) {
    this.deliver = deliver;
  }

  get size(): number {
    return this.entries.size;
  }

  /** When the oldest unanswered one was submitted. */
  get oldestAt(): number | undefined {
    return this.oldest()?.[1].at;
  }

  /** Returns the ticket to settle it with. Callers' numbers are not trusted to be unique. */
  open(request: number, at: number): number {
    this.lastTicket += 1;
    this.entries.set(this.lastTicket, { request, at, reply: undefined });
    return this.lastTicket;
  }

  /** A second reply to the same ticket is ignored. An early one (bad arguments) waits for those submitted before it. */
  settle(ticket: number, reply: ZkReply): void {
    const entry = this.entries.get(ticket);
    if (entry === undefined || entry.reply !== undefined) return;
    entry.reply = reply;
    this.flush();
  }

  settleAll(reply: ZkReply): void {
    for (const entry of this.entries.values()) entry.reply ??= reply;
    this.flush();
  }

  private flush(): void {
    for (let first = this.oldest(); first?.[1].reply !== undefined; first = this.oldest()) {
      const [ticket, { request, reply }] = first;
      this.entries.delete(ticket);
      this.deliver(request, reply as ZkReply);
    }
  }

  private oldest(): [number, Entry] | undefined {
    return this.entries.entries().next().value;
  }
}
