/** Which connections are open, to whom, and which members are to be dialled. */
import type { Outbox } from './effects.ts';
import type { Message } from './messages.ts';
import { type Member, type MemberId, memberId } from './types.ts';

/** Number of a live connection, unique within a Transport for its whole life. */
export type ChannelId = number;

/**
 * `out`: we dialled it, so what arrives on it are answers. `in`: the peer dialled it, so what arrives are requests.
 * (The protocol does not depend on this; gates for tests and demonstrations do.)
 */
export type Direction = 'in' | 'out';

export interface Channel {
  readonly id: ChannelId;
  readonly peer: Member;
  readonly member: MemberId;
  readonly direction: Direction;
  /** Whether it is the newest of its member and direction. */
  isCurrent: boolean;
}

/** Why a member is dialled. It is hung up when no reason is left. */
export type DialReason = 'leader' | 'member' | 'inspect' | 'refusals';

export class Channels {
  private readonly open = new Map<ChannelId, Channel>();
  private readonly outOf = new Map<MemberId, ChannelId>();
  private readonly inOf = new Map<MemberId, ChannelId>();
  private readonly dialled = new Map<MemberId, { peer: Member; reasons: Set<DialReason> }>();
  private readonly outbox: Outbox;

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  up(id: ChannelId, peer: Member, direction: Direction): Channel {
    const member = memberId(peer);
    const channel: Channel = { id, peer, member, direction, isCurrent: true };
    const index = direction === 'out' ? this.outOf : this.inOf;
    const replaced = this.open.get(index.get(member) ?? id);
    if (replaced !== undefined) replaced.isCurrent = false;
    this.open.set(id, channel);
    index.set(member, id);
    return channel;
  }

  down(id: ChannelId): Channel | undefined {
    const channel = this.open.get(id);
    if (channel === undefined) return undefined;
    this.open.delete(id);
    if (channel.isCurrent) (channel.direction === 'out' ? this.outOf : this.inOf).delete(channel.member);
    return channel;
  }

  /**
   * The channel that a message came on, if it is the newest of its member and direction. What still arrives on one
   * that was replaced is not heard: the peer has sent it again, and might have been told what became of it.
   */
  current(id: ChannelId): Channel | undefined {
    const channel = this.open.get(id);
    return channel?.isCurrent ? channel : undefined;
  }

  /** The open channel that we dialled to this member. */
  out(member: MemberId): ChannelId | undefined {
    return this.outOf.get(member);
  }

  /** The open channel that this member dialled to us. */
  into(member: MemberId): ChannelId | undefined {
    return this.inOf.get(member);
  }

  /** All open channels with this member. */
  *of(member: MemberId): Iterable<ChannelId> {
    const out = this.outOf.get(member);
    if (out !== undefined) yield out;
    const into = this.inOf.get(member);
    if (into !== undefined) yield into;
  }

  send(channel: ChannelId, message: Message): void {
    if (this.open.has(channel)) this.outbox.push({ type: 'send', channel, message });
  }

  dial(peer: Member, reason: DialReason): void {
    const member = memberId(peer);
    const entry = this.dialled.get(member);
    if (entry !== undefined) {
      entry.reasons.add(reason);
      return;
    }
    this.dialled.set(member, { peer, reasons: new Set([reason]) });
    this.outbox.push({ type: 'dial', peer });
  }

  hangup(member: MemberId, reason: DialReason): void {
    const entry = this.dialled.get(member);
    if (entry === undefined || !entry.reasons.delete(reason) || entry.reasons.size > 0) return;
    this.dialled.delete(member);
    this.outbox.push({ type: 'hangup', peer: entry.peer });
  }

  /** Hangs up whomever was dialled for this reason, but for those to keep. */
  hangupAll(reason: DialReason, keep?: MemberId): void {
    for (const member of [...this.dialled.keys()]) if (member !== keep) this.hangup(member, reason);
  }

  /** The incarnation is over: the transport has closed everything (or is about to). */
  clear(): void {
    this.open.clear();
    this.outOf.clear();
    this.inOf.clear();
    this.dialled.clear();
  }
}
