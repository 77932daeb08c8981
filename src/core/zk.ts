/**
 * The core's side of one ZooKeeper session: numbers requests, remembers who waits for which reply and who watches
 * what, and runs again what failed because the connection did.
 */
import type { ZkOperation, ZkReply, ZkWatchKind } from './coordination.ts';
import type { Outbox } from './effects.ts';

/** How long a recipe waits before it tries again while the connection is broken; it also tries on every reconnect. */
const RETRY_MS = 200;

type OnReply = (reply: ZkReply, now: number) => void;
type OnWatch = (kind: ZkWatchKind, now: number) => void;
type Again = (now: number) => void;

export class ZkRequests {
  private next = 1;
  private readonly waiting = new Map<number, OnReply>();
  private readonly watchers = new Map<string, Set<OnWatch>>();
  private retries: Again[] = [];
  private retryAt = Number.POSITIVE_INFINITY;
  private readonly session: number;
  private readonly outbox: Outbox;

  constructor(session: number, outbox: Outbox) {
    this.session = session;
    this.outbox = outbox;
  }

  /** When `wake` wants to be called. */
  get wakeAt(): number {
    return this.retryAt;
  }

  submit(operation: ZkOperation, onReply: OnReply): void {
    const request = this.next++;
    this.waiting.set(request, onReply);
    this.outbox.push({ type: 'zk', session: this.session, request, operation });
  }

  reply(request: number, reply: ZkReply, now: number): void {
    const onReply = this.waiting.get(request);
    this.waiting.delete(request);
    onReply?.(reply, now);
  }

  /** Calls `onWatch` at the next watch event of this path, once. The same function is never listed twice. */
  onWatch(path: string, onWatch: OnWatch): void {
    const listed = this.watchers.get(path);
    if (listed === undefined) this.watchers.set(path, new Set([onWatch]));
    else listed.add(onWatch);
  }

  watch(path: string, kind: ZkWatchKind, now: number): void {
    const listed = this.watchers.get(path);
    this.watchers.delete(path);
    if (listed !== undefined) for (const onWatch of listed) onWatch(kind, now);
  }

  /** Runs `again` on the next reconnect or a moment from now, whichever is first. */
  retry(again: Again, now: number): void {
    if (!this.retries.includes(again)) this.retries.push(again);
    this.retryAt = Math.min(this.retryAt, now + RETRY_MS);
  }

  connected(now: number): void {
    this.runRetries(now);
  }

  wake(now: number): void {
    if (now >= this.retryAt) this.runRetries(now);
  }

  private runRetries(now: number): void {
    const due = this.retries;
    this.retries = [];
    this.retryAt = Number.POSITIVE_INFINITY;
    for (const again of due) again(now);
  }
}

/** Whether a failed operation is worth the same try again: only the connection, not the operation, was at fault. */
export function isConnectionFault(reply: ZkReply): boolean {
  return !reply.ok && (reply.code === 'CONNECTION_LOSS' || reply.code === 'NOT_SENT');
}
