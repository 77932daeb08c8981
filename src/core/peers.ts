/**
 * What a leader knows of each other member: how it is reached, how much waits for its acknowledgements, and which of
 * its writes have been answered and how, so that a write sent again on a new connection is not carried out twice.
 */
import type { ChannelId } from './channels.ts';
import type { CallId } from './effects.ts';
import { IdTable } from './id-table.ts';
import type { Action, Answer } from './messages.ts';
import { type Key, type Member, type MemberId, memberId, type Version } from './types.ts';

/** A write that waits: for its turn, or, once it has a version, for acknowledgements. */
export interface PendingWrite {
  readonly type: 'pending';
  /** Undefined: this node's own. */
  readonly peer: Peer | undefined;
  /** Of the member's operation, or of this node's call. */
  readonly id: number | CallId;
  readonly key: Key;
  readonly action: Action;
  version: Version | undefined;
  /** Holders that have not acknowledged. */
  waiting: Peer[];
}

/** While it waits, the answer goes to the newest channel when it is there. */
export type KnownWrite = PendingWrite | Answer;

export interface Peer {
  readonly member: Member;
  readonly id: MemberId;
  /** Whether ZooKeeper has not reported it gone. */
  isMember: boolean;
  /** The newest open channels with it: the one that we dialled, and the one that it did. */
  out: ChannelId | undefined;
  into: ChannelId | undefined;
  /** Its number in the directory; -1: none yet. */
  slot: number;
  /** Operations that wait for its acknowledgements. */
  backlog: number;
  /** By operation id. The member says below which id it has settled everything. */
  readonly writes: IdTable<KnownWrite>;
  settled: number;
  /** From how many on the known writes are looked through for settled ones. */
  crowded: number;
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
      peer = {
        member,
        id,
        isMember: true,
        out: undefined,
        into: undefined,
        slot: -1,
        backlog: 0,
        writes: new IdTable(),
        settled: 0,
        crowded: CROWD,
        abandoned: new Set(),
      };
      this.peers.set(id, peer);
    }
    return peer;
  }

  delete(id: MemberId): void {
    const peer = this.peers.get(id);
    if (peer === undefined) return;
    peer.isMember = false;
    this.peers.delete(id);
  }

  *[Symbol.iterator](): Iterator<Peer> {
    yield* this.peers.values();
  }
}

/** So many writes of a member may be known, beyond twice those that matter, before they are looked through. */
const CROWD = 32;

/**
 * Forgets the results of writes that their sender has settled: some at a time, for every write says anew what is
 * settled, and to look for the few that it names each time took longer than the write.
 */
export function settleWrites(peer: Peer, settled: number): void {
  if (settled <= peer.settled) return;
  peer.settled = settled;
  if (peer.writes.size < peer.crowded) return;
  for (const [id, known] of peer.writes) {
    if (id >= settled) break;
    if (known.type !== 'pending') peer.writes.delete(id);
  }
  peer.crowded = 2 * peer.writes.size + CROWD;
}
