/** The directory as a leader uses it: with its peers in the place of names and slots (Z18). */
import type { Directory } from './directory.ts';
import type { Peer, Peers } from './peers.ts';
import type { Key } from './types.ts';

export class Holders {
  private readonly directory: Directory;
  /** By their slots in the directory. */
  private readonly peerAt: Peer[] = [];

  constructor(directory: Directory, peers: Peers) {
    this.directory = directory;
    // Whoever kept copies through the takeover is a peer already; others get their slots with their first copies.
    for (const peer of peers) this.giveSlot(peer);
  }

  /** Keys with at least one holder. */
  get size(): number {
    return this.directory.size;
  }

  /** Undefined: nobody. */
  of(key: Key): Peer[] | undefined {
    return this.directory.pick(key, this.peerAt);
  }

  /** Lists a member, if it may be. */
  register(key: Key, peer: Peer): boolean {
    if (!this.mayHold(peer)) return false;
    this.directory.addSlot(key, peer.slot);
    return true;
  }

  /** Nobody holds this key any more but this member, if it may. */
  leaveTo(key: Key, peer: Peer | undefined): boolean {
    if (peer === undefined || !this.mayHold(peer)) {
      this.directory.clear(key);
      return false;
    }
    this.directory.leaveTo(key, peer.slot);
    return true;
  }

  /** ZooKeeper says that this incarnation is over. */
  gone(peer: Peer): void {
    this.directory.removeMember(peer.id);
  }

  /** If there is a channel to invalidate it by and ZooKeeper has not reported it gone. */
  private mayHold(peer: Peer): boolean {
    if (peer.out === undefined || !peer.isMember) return false;
    if (peer.slot < 0) this.giveSlot(peer);
    return true;
  }

  private giveSlot(peer: Peer): void {
    peer.slot = this.directory.slotOf(peer.id);
    this.peerAt[peer.slot] = peer;
  }
}
