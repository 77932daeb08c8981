/** The lease from three beats (Z06 Z19 Z24 Z26; docs/protocol.md, Lease). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lease } from '../../../src/core/lease.ts';

const TICK = 1000;
const MARGIN = TICK / 2 + 50;

interface Beat {
  readonly sentAt: number;
  readonly answeredAt: number;
}

/**
 * The rule as it is stated: j the newest beat answered at least half a tick and 50 ms before a later one m was sent,
 * after the answer of which a third was sent and answered.
 */
function endByTheRule(beats: readonly Beat[], timeoutMs: number): number {
  const proven = beats.filter((j, index) =>
    beats
      .slice(index + 1)
      .some(
        (m, next) =>
          m.sentAt - j.answeredAt >= MARGIN && beats.slice(index + next + 2).some((k) => k.sentAt >= m.answeredAt),
      ),
  );
  return Math.max(Number.NEGATIVE_INFINITY, ...proven.map((j) => j.sentAt + timeoutMs * 0.99));
}

/** Beats are sent in order and answered in order, each after its sending. */
const beats = fc
  .array(fc.record({ gap: fc.integer({ min: 0, max: 900 }), delay: fc.integer({ min: 0, max: 1500 }) }), {
    maxLength: 25,
  })
  .map((steps) => {
    let sentAt = 0;
    let answeredAt = 0;
    return steps.map(({ gap, delay }): Beat => {
      sentAt += gap;
      answeredAt = Math.max(answeredAt, sentAt + delay);
      return { sentAt, answeredAt };
    });
  });

function leaseOf(timeoutMs: number): Lease {
  const lease = new Lease(TICK);
  lease.setSessionTimeout(timeoutMs);
  return lease;
}

describe('the lease', () => {
  it('Z19 Z24: is, after every answer, what the rule of three beats says', () => {
    fc.assert(
      fc.property(beats, fc.integer({ min: 1000, max: 10_000 }), (all, timeoutMs) => {
        const lease = leaseOf(timeoutMs);
        for (const [index, beat] of all.entries()) {
          lease.answered(beat.sentAt, beat.answeredAt);
          expect(lease.end).toBe(endByTheRule(all.slice(0, index + 1), timeoutMs));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('Z26: does not begin with a single beat, however long ago it was answered', () => {
    const lease = leaseOf(6000);
    lease.answered(0, 10);
    expect(lease.end).toBe(Number.NEGATIVE_INFINITY);
  });

  it('Z06: counts from the sending of the earlier beat of a pair, not from its answer nor from later ones', () => {
    const lease = leaseOf(6000);
    lease.answered(0, 200);
    lease.answered(200 + MARGIN, 900);
    expect(lease.end).toBe(Number.NEGATIVE_INFINITY);
    lease.answered(900, 1000);
    expect(lease.end).toBe(0 + 6000 * 0.99);
  });

  it('Z24: is not renewed by a third beat that was sent before the second was answered: it may have overtaken', () => {
    const lease = leaseOf(6000);
    lease.answered(0, 200);
    lease.answered(200 + MARGIN, 900);
    lease.answered(899, 1000);
    expect(lease.end).toBe(Number.NEGATIVE_INFINITY);
  });

  it('Z06: is not renewed by a beat that was sent before half a tick and 50 ms had passed since the answer', () => {
    const lease = leaseOf(6000);
    lease.answered(0, 200);
    lease.answered(200 + MARGIN - 0.001, 900);
    expect(lease.end).toBe(Number.NEGATIVE_INFINITY);
  });

  it('Z19: a beat answered after a pause is worth nothing until another one proves it', () => {
    const lease = leaseOf(6000);
    lease.answered(0, 10);
    lease.answered(1000, 1010);
    lease.answered(1010, 1020);
    expect(lease.end).toBe(5940);
    // Sent before the pause, answered after it, and the next ones sent at once.
    lease.answered(1500, 5900);
    lease.answered(5900, 5910);
    lease.answered(5910, 5920);
    expect(lease.end).toBe(1010 + 5940);
    lease.answered(5920 + MARGIN, 6500);
    expect(lease.end).toBe(1010 + 5940);
    lease.answered(6500, 6510);
    expect(lease.end).toBe(5910 + 5940);
  });

  it('Z24: says from when on a further beat proves the one that was answered', () => {
    const lease = leaseOf(6000);
    lease.answered(0, 10);
    expect(lease.pairableAt(10)).toBe(10 + MARGIN);
    lease.answered(lease.pairableAt(10), 700);
    expect(lease.wantsBeat).toBe(true);
    lease.answered(700, 710);
    expect(lease.wantsBeat).toBe(false);
    expect(lease.end).toBe(5940);
  });

  it('Z19: lasts as long as the timeout that was negotiated, less 1 % for the clocks', () => {
    const lease = new Lease(TICK);
    lease.setSessionTimeout(20_000);
    lease.setSessionTimeout(4000);
    lease.answered(0, 0);
    lease.answered(1000, 1000);
    lease.answered(1000, 1000);
    expect(lease.end).toBe(3960);
  });

  it('Z19: a longer timeout that is negotiated later does not lengthen what was proven before', () => {
    const lease = leaseOf(4000);
    lease.answered(0, 0);
    lease.answered(1000, 1000);
    lease.answered(1000, 1000);
    lease.setSessionTimeout(20_000);
    expect(lease.end).toBe(3960);
  });

  it('Z24: never goes back, and never comes back after it was revoked', () => {
    fc.assert(
      fc.property(beats, beats, (before, after) => {
        const lease = leaseOf(6000);
        let end = lease.end;
        for (const beat of before) {
          lease.answered(beat.sentAt, beat.answeredAt);
          expect(lease.end).toBeGreaterThanOrEqual(end);
          end = lease.end;
        }
        lease.revoke();
        for (const beat of after) {
          lease.answered(beat.sentAt + 50_000, beat.answeredAt + 50_000);
          expect(lease.end).toBe(Number.NEGATIVE_INFINITY);
        }
      }),
    );
  });

  it('Z19: nothing at all is proven while no timeout is known', () => {
    const lease = new Lease(TICK);
    lease.answered(0, 0);
    lease.answered(5000, 5000);
    expect(lease.end).toBeLessThanOrEqual(0);
  });
});
