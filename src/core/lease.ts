/**
 * Until when, on this node's own monotonic clock, its ZooKeeper session surely lives (Z06 Z19 Z24 Z26).
 *
 * A server passes on what it heard from its clients only in its answers to the ZooKeeper leader's pings, every half
 * tick, so a committed transaction does not prove that the session was touched when it was sent. Three beats do:
 *
 * - beat j was answered;
 * - beat m, sent `margin` later, was answered: the leader server has sent a ping between their commits, and as it says
 *   everything to a server in one order, that ping came before m's answer. By then the server had said what it heard;
 * - beat k, sent after m's answer, was answered: it went the same way behind what the server had said.
 *
 * So the leader server has heard of j, however the network between the servers stalled, and j counts from its
 * **sending**. With j and m alone a link that stalls for about a session timeout and then goes on makes m overtake the
 * touch; renewing from a single beat, or from pings, outlived sessions by seconds (docs/protocol.md).
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
  /** Beats with a later one, and the answer of that one. */
  private paired: AnsweredBeat[] = [];

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

  /** From when on a beat, if answered, will prove one that is not proven yet. */
  get provableAt(): number {
    return this.unpaired.length === 0 ? Number.POSITIVE_INFINITY : this.pairableAt(this.unpaired[0]!.answeredAt);
  }

  /** Whether one more beat, sent now, would prove one more. */
  get wantsBeat(): boolean {
    return this.paired.length > 0;
  }

  /** A quorum transaction of this session, sent at `sentAt` or later, was answered with success by `now`. */
  answered(sentAt: number, now: number): void {
    const proven = this.paired.findLastIndex((beat) => beat.answeredAt <= sentAt);
    if (proven >= 0) {
      this.end = Math.max(this.end, this.paired[proven]!.sentAt + this.lengthMs);
      this.paired.splice(0, proven + 1);
    }
    const pair = this.unpaired.findLastIndex((beat) => beat.answeredAt + this.marginMs <= sentAt);
    if (pair >= 0) {
      this.paired.push({ sentAt: this.unpaired[pair]!.sentAt, answeredAt: now });
      this.unpaired.splice(0, pair + 1);
    }
    this.unpaired.push({ sentAt, answeredAt: now });
  }

  /** The session is over, or must be taken for over: nothing renews it any more. */
  revoke(): void {
    this.end = Number.NEGATIVE_INFINITY;
    this.lengthMs = Number.NEGATIVE_INFINITY;
    this.unpaired = [];
    this.paired = [];
  }
}
