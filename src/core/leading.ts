/** What a node does from the moment its turn comes: taking over, then leading, with every member as a peer. */
import { Holding } from './cache.ts';
import type { Calls } from './calls.ts';
import type { Channel, Channels } from './channels.ts';
import type { CallId, Outbox } from './effects.ts';
import type { Head } from './election.ts';
import { cancelled, closed, sessionLost } from './failures.ts';
import type { Following } from './following.ts';
import { hashOf } from './key-table.ts';
import { Leader } from './leader.ts';
import type { Lease } from './lease.ts';
import type { Members } from './members.ts';
import type { Invalidation, RefusalReason, Request, Settled, Takeover as TakeoverMessage } from './messages.ts';
import type { Paths } from './paths.ts';
import { type Peer, Peers } from './peers.ts';
import type { Session } from './session.ts';
import type { Counters } from './status.ts';
import { Takeover } from './takeover.ts';
import { type Member, sameMember } from './types.ts';

export interface LeadingOptions {
  readonly store: { readonly maxBytes: number };
  readonly maxPending: number;
  /** Random. */
  readonly nodeId: string;
}

export interface LeadingEvents {
  lost(why: string, now: number): void;
}

export class Leading {
  leader: Leader | undefined;
  private takeover: Takeover | undefined;
  private self: Member | undefined;
  private peers = new Peers();
  /** What the members' writes came to while this node led, after it has stepped down. */
  private former = new Peers();
  private readonly options: LeadingOptions;
  private readonly paths: Paths;
  private readonly outbox: Outbox;
  private readonly calls: Calls;
  private readonly channels: Channels;
  private readonly counters: Counters;
  private readonly following: Following;
  private readonly events: LeadingEvents;

  constructor(
    options: LeadingOptions,
    paths: Paths,
    outbox: Outbox,
    calls: Calls,
    channels: Channels,
    counters: Counters,
    following: Following,
    events: LeadingEvents,
  ) {
    this.options = options;
    this.paths = paths;
    this.outbox = outbox;
    this.calls = calls;
    this.channels = channels;
    this.counters = counters;
    this.following = following;
    this.events = events;
  }

  /** Taking over or leading. */
  get active(): boolean {
    return this.takeover !== undefined || this.leader !== undefined;
  }

  /** The own election znode is the head: our turn. */
  elected(session: Session, self: Member, head: Head, now: number): void {
    if (this.active) return;
    if (this.following.highest > head.epoch) {
      this.events.lost('a higher epoch than the own is known', now);
      return;
    }
    this.self = self;
    this.following.learn(head.epoch);
    this.channels.hangupAll('leader');
    const takeover = new Takeover(
      { epoch: head.epoch, self, znode: head.znode, paths: this.paths },
      session.zk,
      this.channels,
      session.lease,
      this.following.cache,
      {
        finished: (at) => this.lead(takeover, session.lease, at),
        failed: (why, at) => this.events.lost(why, at),
        conflict: () => {
          this.counters.conflicts += 1;
          this.outbox.push({ type: 'log', level: 'error', message: 'takeover found two values for one key' });
        },
      },
    );
    this.takeover = takeover;
    takeover.start(() => session.members.watch());
  }

  membersRead(members: Members, now: number): void {
    if (!this.active) return;
    for (const member of members.list) this.admit(member);
    // Takeover strikes those who are gone from its books itself.
    this.takeover?.members(members.list, (member) => members.isGone(member), now);
    for (const peer of [...this.peers]) {
      if (!members.isGone(peer.member)) continue;
      this.peers.delete(peer.id);
      this.channels.hangup(peer.id, 'member');
      this.leader?.gone(peer, now);
    }
  }

  channelUp(channel: Channel, members: Members): void {
    const { member, peer, direction, id } = channel;
    // The list may not show it yet; but one that it no longer shows is not to be listed as a holder again.
    if (members.isGone(peer)) {
      this.outbox.push({ type: 'drop', channel: id, reason: 'this member is gone' });
      return;
    }
    const known = this.admit(peer);
    this.takeover?.channelUp(member, id, direction === 'out');
    if (this.leader === undefined || direction !== 'out' || known === undefined) return;
    this.channels.send(id, { type: 'leading', epoch: this.leader.epoch });
    this.leader.channelUp(known, id);
  }

  channelDown(channel: Channel): void {
    const peer = this.peers.get(channel.member);
    if (peer !== undefined) this.noteChannels(peer);
    this.leader?.channelDown(channel.id);
  }

  request(channel: Channel, message: Request, now: number): void {
    const peer = this.peers.get(channel.member);
    if (this.leader !== undefined && peer !== undefined) this.leader.request(peer, channel.id, message, now);
    else this.refuse(channel, message, 'notLeader');
  }

  /**
   * A leader that has stepped down lives on as a member, and a write whose answer was lost may be sent to it again: what
   * it carried out it must not call refused, or the sender would have it done twice (Z08).
   */
  refuse(channel: Channel, message: Request, reason: RefusalReason): void {
    const known = message.type === 'write' ? this.former.get(channel.member)?.writes.get(message.id) : undefined;
    if (known !== undefined && known.type !== 'pending') this.channels.send(channel.id, known);
    else this.channels.send(channel.id, { type: 'refused', epoch: this.following.highest, id: message.id, reason });
  }

  message(channel: Channel, message: Settled | Invalidation | TakeoverMessage, now: number): void {
    if (message.type === 'invalidated') {
      const peer = this.peers.get(channel.member);
      if (peer !== undefined) this.leader?.invalidated(peer, message.key, message.version, now);
    } else if (message.type === 'settled') {
      const peer = this.peers.get(channel.member);
      if (peer !== undefined) this.leader?.settled(peer, message.ids);
    } else if (message.type !== 'invalidate') this.takeover?.message(channel.member, channel.id, message, now);
  }

  /** A caller gives up on a write at this leader: one that has begun runs to its end, a queued one is taken out. */
  cancel(call: CallId, code: 'ZISTORE_TIMEOUT' | 'ZISTORE_ABORTED'): void {
    const kind = this.calls.kind(call);
    if (kind === undefined) return;
    const begun = kind === 'write' && this.leader?.withdraw(call) !== true;
    this.calls.settle(call, cancelled(code, kind === 'read' ? undefined : begun ? 'unknown' : 'notApplied'));
  }

  /** The lease holds (again): a takeover may have waited for it, and so may those whom the leader had to refuse. */
  leaseHeld(now: number): void {
    this.takeover?.wake(now);
    this.announce();
  }

  leaseLapsed(): void {
    this.leader?.leaseLapsed();
  }

  /** The store as it is goes to the cache, hidden, for the next takeover to find; this node is a member like others. */
  stepDown(): void {
    const { leader } = this;
    if (leader === undefined) return;
    leader.end(closed);
    this.setAside(leader);
    this.following.stepDown();
    const { peers } = this;
    this.clear();
    this.former = peers;
  }

  /**
   * A leader's store, and the one of a takeover that may have gone through, outlive the session (Z41). A takeover's
   * counts with the label that it was collected under as well: nobody can have written since.
   */
  sessionLost(): void {
    const { leader, takeover } = this;
    takeover?.abandon();
    leader?.end(sessionLost);
    if (leader !== undefined) this.setAside(leader);
    else if (takeover?.committing) {
      const { holding, base, epoch } = takeover;
      this.following.cache.setAside(holding, [base, epoch], epoch);
    }
    this.clear();
  }

  private setAside({ store, gauges, epoch }: Leader): void {
    this.following.cache.setAside(new Holding(store, gauges.bytes), [epoch], epoch);
  }

  private clear(): void {
    this.leader = undefined;
    this.takeover = undefined;
    this.peers = new Peers();
    this.former = new Peers();
    this.channels.hangupAll('member');
  }

  private admit(member: Member): Peer | undefined {
    if (this.self === undefined || sameMember(member, this.self)) return undefined;
    this.channels.dial(member, 'member');
    const peer = this.peers.add(member);
    this.noteChannels(peer);
    return peer;
  }

  /** A peer knows its channels, so that they are not looked up by its name for each message. */
  private noteChannels(peer: Peer): void {
    peer.out = this.channels.out(peer.id);
    peer.into = this.channels.into(peer.id);
  }

  private lead(takeover: Takeover, lease: Lease, now: number): void {
    if (this.self === undefined || this.takeover !== takeover) return;
    for (const member of takeover.participants) this.admit(member);
    const { epoch, holding, directory } = takeover;
    const leader = new Leader(
      {
        epoch,
        holding,
        directory,
        peers: this.peers,
        maxBytes: this.options.store.maxBytes,
        maxPending: this.options.maxPending,
        seed: hashOf(this.options.nodeId, 0),
      },
      this.calls,
      this.channels,
      lease,
      this.counters,
    );
    this.takeover = undefined;
    this.leader = leader;
    this.counters.takeovers += 1;
    this.following.lead(this.self);
    this.announce();
    this.ownRequests(leader, now);
  }

  private announce(): void {
    if (this.leader === undefined) return;
    const { epoch } = this.leader;
    for (const peer of this.peers) {
      for (const channel of this.channels.of(peer.id)) this.channels.send(channel, { type: 'leading', epoch });
    }
  }

  /** What this node's callers asked for while nobody led is for ourselves to do now (Z20 Z25). */
  private ownRequests(leader: Leader, now: number): void {
    const { reads, writes } = this.following.requests.takeAll();
    for (const { key, calls } of reads) {
      const value = leader.value(key);
      for (const call of calls) this.calls.settle(call, value === undefined ? { ok: true } : { ok: true, value });
    }
    for (const { call, key, action } of writes) leader.write(call, key, action, now);
  }
}
