/**
 * Pings and the read timeout of one connection. The library pings only while nothing arrives and never notices that
 * nothing arrives (pitfalls 1 and 5).
 */
import type { Clock } from '../ports.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
  /** Submission time of the oldest unanswered request of the session. */
  readonly oldestRequestAt: () => number | undefined;
  readonly sendPing: () => void;
  /** The server has not answered for a third of the session timeout. Called at most once. */
  readonly silent: () => void;
}

export class Heartbeat {
  private readonly options: HeartbeatOptions;
  private readonly pingEveryMs: number;
  private readonly patienceMs: number;
  private lastPingAt: number;
  private pingAnswered = true;
  private cancel: (() => void) | undefined;

  /** Starts at once; `stop` when the connection is gone. */
  constructor(options: HeartbeatOptions) {
    this.options = options;
    this.pingEveryMs = options.sessionTimeoutMs / 6;
    this.patienceMs = options.sessionTimeoutMs / 3;
    this.lastPingAt = options.clock.now();
    this.schedule();
  }

  /** A ping was answered. */
  pong(): void {
    this.pingAnswered = true;
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private schedule(): void {
    const oldest = this.oldestAt();
    const pingDue = this.pingAnswered ? this.lastPingAt + this.pingEveryMs : Number.POSITIVE_INFINITY;
    const nextLook = this.options.clock.now() + this.pingEveryMs;
    const silentDue = oldest === undefined ? Number.POSITIVE_INFINITY : oldest + this.patienceMs;
    this.after(Math.min(pingDue, silentDue, nextLook) - this.options.clock.now(), () => this.look());
  }

  private look(): void {
    const now = this.options.clock.now();
    if (this.overdue(now)) {
      // A process that was paused runs its timers before it reads what has arrived meanwhile: give that one chance.
      this.after(Math.min(this.patienceMs / 10, 20), () => this.confirm());
      return;
    }
    if (this.pingAnswered && now - this.lastPingAt >= this.pingEveryMs) {
      this.lastPingAt = now;
      this.pingAnswered = false;
      this.options.sendPing();
    }
    this.schedule();
  }

  private confirm(): void {
    if (this.overdue(this.options.clock.now())) this.options.silent();
    else this.schedule();
  }

  private overdue(now: number): boolean {
    const oldest = this.oldestAt();
    return oldest !== undefined && now - oldest >= this.patienceMs;
  }

  private oldestAt(): number | undefined {
    const request = this.options.oldestRequestAt();
    if (this.pingAnswered) return request;
    return request === undefined ? this.lastPingAt : Math.min(request, this.lastPingAt);
  }

  private after(delayMs: number, callback: () => void): void {
    this.cancel = this.options.clock.setTimer(Math.max(0, delayMs), callback);
  }
}
