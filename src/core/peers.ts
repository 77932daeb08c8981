/**
 * What a leader knows of each other member: which invalidations it has yet to acknowledge, and which of its writes
 * have been answered and how, so that a write sent again on a new connection is not carried out twice.
 */
import type { Answer } from './messages.ts';
import { type Key, type Member, type MemberId, memberId, type Version } from './types.ts';

/** `pending`: being carried out; the answer goes to the newest channel when it is there. */
export type KnownWrite = 'pending' | Answer;

export interface Peer {
  readonly member: Member;
  readonly id: MemberId;
  /** Sent, or to be sent once there is a channel, and not acknowledged. */
  readonly unacknowledged: Map<Key, Version>;
  /** By operation id. The member says below which id it has settled everything. */
  readonly writes: Map<number, KnownWrite>;
  settled: number;
  /** Writes under way whose sender waits no longer: their results are for nobody. */
  readonly abandoned: Set<number>;
}

export class Peers {
  private readonly peers = new Map<MemberId, Peer>();

  get(id: MemberId): Peer | undefined {
    return this.peers.get(id);
  }

  add(member: Member): Peer {
    const id = memberId(member);
    let peer = this.peers.get(id);
    if (peer === undefined) {
      peer = { member, id, unacknowledged: new Map(), writes: new Map(), settled: 0, abandoned: new Set() };
      this.peers.set(id, peer);
    }
    return peer;
  }

  delete(id: MemberId): void {
    this.peers.delete(id);
  }

  *[Symbol.iterator](): Iterator<Peer> {
    yield* this.peers.values();
  }
}

/** Forgets the results of writes that their sender has settled. */
export function settleWrites(peer: Peer, settled: number): void {
  if (settled <= peer.settled) return;
  peer.settled = settled;
  // Ids come in ascending order, so what is settled stands first.
  for (const [id, known] of peer.writes) {
    if (id >= settled) break;
    if (known !== 'pending') peer.writes.delete(id);
  }
}
