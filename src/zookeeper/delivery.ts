/** Calls of a handler, in order, from a fresh stack, and isolated: what a handler throws is logged and harms nobody. */
import type { Logger, ZkSessionEnd, ZooKeeperHandler } from '../ports.ts';

export class Delivery {
  private readonly handler: ZooKeeperHandler;
  private readonly logger: Logger;
  private waiting: ((handler: ZooKeeperHandler) => void)[] = [];
  private scheduled = false;
  private end: { readonly reason: ZkSessionEnd; readonly done: () => void } | undefined;
  private finished = false;

  constructor(handler: ZooKeeperHandler, logger: Logger) {
    this.handler = handler;
    this.logger = logger;
  }

  push(call: (handler: ZooKeeperHandler) => void): void {
    if (this.finished) return;
    this.waiting.push(call);
    this.schedule();
  }

  /** `ended` is the last call of all, also after what is pushed between here and there; then `done` is called. */
  finish(reason: ZkSessionEnd, done: () => void): void {
    this.end ??= { reason, done };
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.finished) return;
    this.scheduled = true;
    queueMicrotask(() => this.drain());
  }

  private drain(): void {
    this.scheduled = false;
    const batch = this.waiting;
    this.waiting = [];
    for (const call of batch) this.isolated(call);
    if (this.waiting.length > 0) this.schedule();
    else if (this.end !== undefined) this.deliverEnd(this.end);
  }

  private deliverEnd(end: { reason: ZkSessionEnd; done: () => void }): void {
    this.finished = true;
    this.isolated((handler) => handler.ended(end.reason));
    end.done();
  }

  private isolated(call: (handler: ZooKeeperHandler) => void): void {
    try {
      call(this.handler);
    } catch (error) {
      this.logger.error('A handler of ZooKeeper events threw.', { error: String(error) });
    }
  }
}
