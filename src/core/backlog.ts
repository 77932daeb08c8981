/**
 * How many operations wait at the leader for each member's acknowledgement (Z23): writes under way, and what is queued
 * behind them. Bounded member by member, so that one which cannot be reached holds up only the keys that it holds.
 */
import type { Peer } from './peers.ts';

export class Backlog {
  private readonly most: number;

  /** `most`: operations that may wait for one member. */
  constructor(most: number) {
    this.most = most;
  }

  /** Whether no more may wait for all of these members. */
  isFull(members: readonly Peer[]): boolean {
    for (const member of members) if (member.backlog >= this.most) return true;
    return false;
  }

  add(members: readonly Peer[], operations = 1): void {
    for (const member of members) member.backlog += operations;
  }

  remove(members: readonly Peer[], operations = 1): void {
    for (const member of members) member.backlog -= operations;
  }
}
