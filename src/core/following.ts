/**
 * Whom this node follows, and what it may answer from memory meanwhile: the highest epoch it has heard of, that
 * epoch's leader once it has finished takeover, the cache, and the requests on their way.
 */
import { Cache, type CacheLimits } from './cache.ts';
import type { Calls } from './calls.ts';
import type { Channel, ChannelId, Channels } from './channels.ts';
import type { Outbox } from './effects.ts';
import type { Head, Served } from './election.ts';
import { hashOf } from './key-table.ts';
import type { Answer, Invalidation, Message, Takeover } from './messages.ts';
import { Offering } from './offering.ts';
import { Requests } from './requests.ts';
import type { Counters } from './status.ts';
import { type Epoch, epochOf, type Key, type Member, memberId, NO_EPOCH, toIncarnation } from './types.ts';

export interface FollowingOptions {
  readonly cache: CacheLimits;
  /** Random. */
  readonly nodeId: string;
}

export class Following {
  readonly cache: Cache;
  readonly requests: Requests;
  /** The fencing token: anything of a lower epoch is refused. Outlives sessions. */
  highest: Epoch = NO_EPOCH;
  /** The leader of the highest epoch; undefined until it is known to have finished takeover. May be this node itself. */
  leaderOf: Member | undefined;
  /** The leader as users are told: not one that is known to be gone, though its copies are still good. */
  announced: Member | undefined;
  /** Whether ZooKeeper has shown that leader's election znode to be gone. */
  private leaderGone = false;
  /** The leader before, as long as it may refuse writes that were sent to it. */
  private former: Member | undefined;
  private readonly offering: Offering;
  private readonly outbox: Outbox;
  private readonly channels: Channels;
  private readonly counters: Counters;

  constructor(options: FollowingOptions, outbox: Outbox, calls: Calls, channels: Channels, counters: Counters) {
    this.outbox = outbox;
    this.channels = channels;
    this.counters = counters;
    this.cache = new Cache(options.cache, () => {
      counters.evictions += 1;
    });
    this.offering = new Offering(channels, this.cache);
    this.requests = new Requests(calls, channels, this.cache, counters, hashOf(options.nodeId, 0));
  }

  /** When `wake` wants to be called: at once, while more is held than the cache's limits allow. */
  get wakeAt(): number {
    return this.cache.excessive ? 0 : Number.POSITIVE_INFINITY;
  }

  wake(): void {
    this.cache.trim();
  }

  /**
   * A higher epoch exists: what is cached is hidden, whatever message or znode told of it, and what the old leader
   * has not answered is for the next one.
   */
  learn(epoch: Epoch): void {
    if (epoch <= this.highest) return;
    this.highest = epoch;
    this.cache.hide();
    this.offering.stop();
    this.requests.rehome();
    this.listenTo(this.leaderOf);
    this.setLeader(undefined);
  }

  /** The leader of this epoch has finished takeover. */
  follow(leader: Member): void {
    const epoch = epochOf(leader);
    this.learn(epoch);
    if (epoch !== this.highest || this.leaderOf !== undefined) return;
    this.offering.stop();
    this.cache.follow(epoch);
    this.setLeader(leader);
    // By now a leader that left has refused what came too late; whatever else became of it, nobody waits for longer.
    this.requests.endLingering();
    this.listenTo(undefined);
    this.dialOnly(leader);
    const out = this.channels.out(memberId(leader));
    if (out !== undefined) this.requests.leaderUp(out, epoch);
  }

  /** This node leads itself: its copies are in its store. */
  lead(self: Member): void {
    this.cache.drop();
    this.channels.hangupAll('leader');
    this.listenTo(undefined);
    this.setLeader(self);
  }

  /** This node led and leaves: it is a member like others, without a leader. */
  stepDown(): void {
    this.setLeader(undefined);
  }

  /**
   * `head` is another candidate, whose turn it is; undefined: nobody's. Whoever holds hidden copies must not take a dead
   * leader's `served` for a living one: only a leader whose election znode is the head is followed.
   */
  electionRead(served: Served | undefined, head: Head | undefined): void {
    if (served !== undefined) this.cache.dropIfOutlived(served.epoch);
    // A lower head is only a lagging view of the election.
    this.leaderGone = this.leaderOf !== undefined && (head === undefined || head.epoch > epochOf(this.leaderOf));
    this.announce(this.leaderGone ? undefined : this.leaderOf);
    if (this.leaderGone) this.requests.hold();
    if (head === undefined) {
      if (this.leaderGone) this.endWritesOfGoneLeader();
      return;
    }
    this.learn(head.epoch);
    if (head.epoch !== this.highest) return;
    const member: Member = { address: head.address, incarnation: toIncarnation(head.epoch) };
    if (served?.epoch === head.epoch) this.follow(member);
    else if (this.leaderOf === undefined) this.dialOnly(member);
  }

  channelUp(channel: Channel): void {
    if (channel.direction !== 'out' || epochOf(channel.peer) !== this.highest) return;
    if (this.leaderOf !== undefined) this.requests.leaderUp(channel.id, this.highest);
    // It is taking over: it may not be able to reach us, so we do not wait to be asked.
    else if (!this.cache.visible) this.offering.start(this.highest, channel.id);
  }

  channelDown(channel: Channel): void {
    this.offering.channelDown(channel.id);
    this.requests.channelDown(channel.id);
    if (channel.direction === 'out' && this.former !== undefined && channel.member === memberId(this.former)) {
      this.requests.endLingering();
      this.listenTo(undefined);
    }
    if (this.leaderGone) this.endWritesOfGoneLeader();
  }

  answer(channel: Channel, message: Answer): void {
    if (message.type === 'refused' || this.isFromLeader(channel, message)) this.requests.answer(message);
    if (this.former !== undefined && !this.requests.hasLingering) this.listenTo(undefined);
  }

  message(channel: Channel, message: Answer | Invalidation | Takeover): void {
    if (message.type === 'value' || message.type === 'written') {
      this.answer(channel, message);
      return;
    }
    // These come from the leader of their epoch and nobody else (Z38).
    if (!this.isFromLeader(channel, message)) return;
    if (message.type === 'invalidate') this.invalidate(channel.id, message);
    else if (message.type === 'leading') {
      this.follow(channel.peer);
      this.requests.resume();
    } else if (message.type === 'offered') this.offering.offered(message.epoch, channel.id, message.page);
    else if (message.type === 'fence') {
      if (this.leaderOf === undefined) this.offering.start(message.epoch, channel.id);
    } else if (message.type === 'adopt') this.adopt(channel.id, message.base, message.drop);
  }

  sessionLost(): void {
    this.offering.stop();
    this.requests.sessionLost();
    this.listenTo(undefined);
    this.cache.sessionLost();
    this.setLeader(undefined);
  }

  /** Whoever leads in an epoch is the member whose incarnation it is. */
  private isFromLeader(channel: Channel, message: Message): boolean {
    return epochOf(channel.peer) === message.epoch;
  }

  private invalidate(channel: ChannelId, message: Invalidation): void {
    const { key, version, epoch } = message;
    this.counters.invalidationsReceived += 1;
    this.requests.invalidate(key, version);
    this.cache.invalidate(key, version);
    this.channels.send(channel, { type: 'invalidated', epoch, key, version });
  }

  private adopt(channel: ChannelId, base: Epoch, drop: readonly Key[]): void {
    // Once that leader is followed the copies are visible and labelled; only the acknowledgement was lost.
    if (this.leaderOf === undefined) {
      this.offering.stop();
      this.cache.adopt(this.highest, base, drop);
    }
    this.channels.send(channel, { type: 'adopted', epoch: this.highest });
  }

  private dialOnly(member: Member): void {
    this.channels.hangupAll('leader', memberId(member));
    this.channels.dial(member, 'leader');
  }

  /** Keeps the connection to the leader before while writes linger there. */
  private listenTo(leader: Member | undefined): void {
    const before = this.former;
    this.former = this.requests.hasLingering ? leader : undefined;
    if (this.former !== undefined) this.channels.dial(this.former, 'refusals');
    if (before !== undefined && before !== this.former) this.channels.hangup(memberId(before), 'refusals');
  }

  /** It will not answer any more, and nobody can tell how far it got (Z08). While its channel is open it still may. */
  private endWritesOfGoneLeader(): void {
    if (!this.requests.hasTarget) this.requests.failSentWrites();
  }

  private setLeader(leader: Member | undefined): void {
    this.leaderOf = leader;
    this.leaderGone = false;
    this.announce(leader);
  }

  private announce(leader: Member | undefined): void {
    if (this.announced === leader) return;
    this.announced = leader;
    const said = leader === undefined ? null : { address: leader.address, epoch: epochOf(leader) };
    this.outbox.push({ type: 'leader', leader: said });
  }
}
