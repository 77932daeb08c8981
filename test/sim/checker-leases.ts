/**
 * Watches every step of every node for what no history shows: past its lease a node ends no operation with success,
 * and a leader applies no write (Z24 Z26). `lease.end` is what the core believes; the clock is the node's own.
 */
import { Group } from '../../src/core/group.ts';

interface Watched {
  readonly session: { readonly lease: { readonly end: number } } | undefined;
  readonly counters: { readonly writesApplied: number };
}

type Step = typeof Group.prototype.step;

/** Returns the way to stop watching. */
export function watchLeases(tell: (violation: string) => void): () => void {
  const original: Step = Group.prototype.step;
  Group.prototype.step = function (this: Group, input, now) {
    const node = this as unknown as Watched;
    const end = node.session?.lease.end ?? Number.NEGATIVE_INFINITY;
    const applied = node.counters.writesApplied;
    const effects = original.call(this, input, now);
    if (now < end || now < (node.session?.lease.end ?? end)) return effects;
    if (node.counters.writesApplied > applied) tell(`a write was applied ${now - end} ms past the lease, at ${now}`);
    for (const effect of effects) {
      if (effect.type === 'settle' && effect.result.ok) {
        tell(`call ${effect.call} succeeded ${now - end} ms past the lease, at ${now}, by ${input.type}`);
      }
    }
    return effects;
  };
  return () => {
    Group.prototype.step = original;
  };
}
