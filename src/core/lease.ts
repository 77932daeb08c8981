/**
 * Until when, on this node's own monotonic clock, its ZooKeeper session surely lives (Z06 Z19 Z24 Z26).
 *
 * A server passes on what it heard from its clients only in its replies to the ZooKeeper leader's pings, every half
 * tick, so a committed transaction does not prove that the session was touched when it was sent. But when a **later**
 * beat is committed that was sent half a tick after this beat's answer had come, the touch has been passed on. Hence
 * the pair: the newest beat j whose answer had arrived `margin` before the sending of a later, answered beat counts
 * from its *sending*. Renewing from a single beat, or from pings, outlived sessions by seconds (docs/protocol.md).
 */

/** How much faster than ours another clock may run: the lease ends this fraction of the timeout early. */
const CLOCK_RATE_BOUND = 0.01;

/** Allowance beyond half a tick for the relay of touches, in milliseconds. */
const RELAY_ALLOWANCE_MS = 50;

interface AnsweredBeat {
  readonly sentAt: number;
  readonly answeredAt: number;
}

export class Lease {
  /** Milliseconds on the caller's clock; the lease holds while now < end. */
  end = Number.NEGATIVE_INFINITY;
  private readonly marginMs: number;
  private lengthMs = 0;
  private unpaired: AnsweredBeat[] = [];

  constructor(tickTimeMs: number) {
    this.marginMs = tickTimeMs / 2 + RELAY_ALLOWANCE_MS;
  }

  /** The session timeout as negotiated. A shorter one on a reconnect shortens what was proven before, too. */
  setSessionTimeout(sessionTimeoutMs: number): void {
    const lengthMs = sessionTimeoutMs * (1 - CLOCK_RATE_BOUND);
    if (lengthMs < this.lengthMs) this.end -= this.lengthMs - lengthMs;
    this.lengthMs = lengthMs;
  }

  /** After which time a further beat, if answered, will prove the one answered at `now`. */
  pairableAt(now: number): number {
    return now + this.marginMs;
  }

  /** A quorum transaction of this session, sent at `sentAt` or later, was answered with success by `now`. */
  answered(sentAt: number, now: number): void {
    const proven = this.unpaired.findLastIndex((beat) => beat.answeredAt + this.marginMs <= sentAt);
    if (proven >= 0) {
      this.end = Math.max(this.end, this.unpaired[proven]!.sentAt + this.lengthMs);
      this.unpaired.splice(0, proven + 1);
    }
    this.unpaired.push({ sentAt, answeredAt: now });
  }

  /** The session is over, or must be taken for over: nothing renews it any more. */
  revoke(): void {
    this.end = Number.NEGATIVE_INFINITY;
    this.lengthMs = Number.NEGATIVE_INFINITY;
    this.unpaired = [];
  }
}
