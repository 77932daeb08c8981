/**
 * Which session timeouts leave room for a lease (docs/protocol.md, Lease). A node beats every T/6. A beat counts once a
 * later one was sent at least tickTime/2 + 50 ms after its answer and a third, at once, after the answer of that; the
 * lease ends 0.99 T after the counting beat was *sent*. So just before the next beat is answered, on a network without
 * delay, the counting beat is floor((tickTime/2 + 50) / beat) + 2 beats old; what is left of 0.99 T then is the slack.
 */
import { invalid } from './check.ts';

const BEATS_PER_SESSION_TIMEOUT = 6;
/** How far the rates of two clocks may differ. */
const CLOCK_DRIFT = 0.01;
/** On top of tickTime / 2, for what a ZooKeeper server passes on late. Milliseconds. */
const RELAY_MARGIN_MS = 50;
/** ZooKeeper gives no less unless minSessionTimeout says so, and the relay bound above holds only then. */
const MIN_TICKS = 2;

export function beatIntervalMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs / BEATS_PER_SESSION_TIMEOUT;
}

/** Milliseconds that beats may be late, in all, before the lease lapses. Not above 0: it lapses between any two beats. */
export function leaseSlackMs(sessionTimeoutMs: number, tickTimeMs: number): number {
  const beat = beatIntervalMs(sessionTimeoutMs);
  const relay = tickTimeMs / 2 + RELAY_MARGIN_MS;
  return sessionTimeoutMs * (1 - CLOCK_DRIFT) - beat * (Math.floor(relay / beat) + 2);
}

/** Refuses timeouts with which a node could never answer, or would stop answering whenever one beat is late. */
export function checkLeaseTiming(sessionTimeoutMs: number, tickTimeMs: number): void {
  if (sessionTimeoutMs < MIN_TICKS * tickTimeMs) {
    throw invalid(
      'sessionTimeoutMs',
      `${sessionTimeoutMs} is less than two ticks of the ensemble (tickTimeMs ${tickTimeMs}), the least that ZooKeeper grants; ` +
        `set it to at least ${MIN_TICKS * tickTimeMs}, or tickTimeMs to what the ensemble's zoo.cfg says`,
    );
  }
  const beat = beatIntervalMs(sessionTimeoutMs);
  const slack = leaseSlackMs(sessionTimeoutMs, tickTimeMs);
  if (slack >= beat) return;
  const consequence =
    slack > 0
      ? `a single beat (one every ${beat.toFixed(0)} ms) that is late would suspend the node: only ${slack.toFixed(0)} ms are left`
      : 'the lease would be over before the next beat could renew it, so the node could never answer';
  throw invalid(
    'sessionTimeoutMs',
    `${sessionTimeoutMs} leaves no room for a lease with tickTimeMs ${tickTimeMs}: ${consequence}; raise sessionTimeoutMs`,
  );
}
