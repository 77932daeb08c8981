/**
 * How many operations wait at the leader for each member's acknowledgement (Z23): writes under way, and what is queued
 * behind them. Bounded member by member, so that one which cannot be reached holds up only the keys that it holds.
 */
import type { MemberId } from './types.ts';

export class Backlog {
  private readonly operations = new Map<MemberId, number>();
  private readonly most: number;

  /** `most`: operations that may wait for one member. */
  constructor(most: number) {
    this.most = most;
  }

  /** Whether no more may wait for all of these members. */
  isFull(members: Iterable<MemberId>): boolean {
    for (const member of members) if ((this.operations.get(member) ?? 0) >= this.most) return true;
    return false;
  }

  add(members: Iterable<MemberId>, operations = 1): void {
    for (const member of members) this.operations.set(member, (this.operations.get(member) ?? 0) + operations);
  }

  remove(members: Iterable<MemberId>, operations = 1): void {
    for (const member of members) {
      const left = (this.operations.get(member) ?? 0) - operations;
      if (left > 0) this.operations.set(member, left);
      else this.operations.delete(member);
    }
  }
}
