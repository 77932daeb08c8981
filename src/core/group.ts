/**
 * One group: a leader, its followers and one set of keys, seen from one node. Pure: inputs and the time in, effects
 * out. `Following` knows whom this node follows and what it has cached, `Leading` what it does when its turn comes,
 * `Session` whether it may speak at all; this file passes inputs on, in the order that the protocol asks for:
 * first the lease, then the epoch, then the role.
 */
import { Calls } from './calls.ts';
import { type Channel, Channels } from './channels.ts';
import { describe } from './describe.ts';
import type { CallId, Effect, Input, Outbox } from './effects.ts';
import type { Head, Served } from './election.ts';
import { closed, queueFull, sessionLost } from './failures.ts';
import { Following } from './following.ts';
import { Inspection } from './inspection.ts';
import type { Agreement, Joined } from './join.ts';
import { Leading } from './leading.ts';
import { Leave } from './leave.ts';
import { type Message, WIRE_VERSION } from './messages.ts';
import { type Paths, pathsOf } from './paths.ts';
import { Roles, type Situation } from './roles.ts';
import { Session } from './session.ts';
import { type NodeStatus, newCounters } from './status.ts';
import type { Address, Copy, Key, Member, Value } from './types.ts';

/** How long after a session's end the next one is opened. */
const REOPEN_MS = 20;

export interface GroupOptions {
  readonly nodeId: string;
  readonly cluster: string;
  readonly address: Address;
  readonly candidate: boolean;
  readonly tickTimeMs: number;
  readonly closeTimeoutMs: number;
  readonly cache: { readonly maxEntries: number; readonly maxBytes: number };
  readonly store: { readonly maxBytes: number };
  /** Bound of the operations of this node's callers, and of those that wait at it as leader for one member. */
  readonly maxPending: number;
  readonly agreement: Agreement;
  /** A new identifier at each call, never the same again anywhere. */
  readonly guid: () => string;
}

export class Group {
  private readonly options: GroupOptions;
  private readonly paths: Paths;
  private readonly outbox: Outbox = [];
  private readonly counters = newCounters();
  private readonly calls = new Calls(this.outbox);
  private readonly channels = new Channels(this.outbox);
  private readonly following: Following;
  private readonly leading: Leading;
  private readonly inspection = new Inspection(this.calls, this.channels);
  private readonly leave: Leave;
  private readonly roles = new Roles(this.outbox);
  private session: Session | undefined;
  private sessions = 0;
  private self: Member | undefined;
  private reopenAt = Number.POSITIVE_INFINITY;
  private electionRead = false;
  /** Whether the lease held when it was last looked at. */
  private wasLive = false;
  private over = false;
  /** The end of the lease as it stood after the last input; long ago without a session, or when leaving. */
  private answersUntil = Number.NEGATIVE_INFINITY;

  constructor(options: GroupOptions) {
    this.options = options;
    this.paths = pathsOf(options.cluster);
    this.following = new Following(options, this.outbox, this.calls, this.channels, this.counters);
    const { paths, outbox, calls, channels, counters, following } = this;
    const events = { lost: (why: string, now: number) => this.loseSession(why, now) };
    this.leading = new Leading(options, paths, outbox, calls, channels, counters, following, events);
    this.leave = new Leave(options.closeTimeoutMs, this.paths, this.following, this.leading);
  }

  /** When an input `wake` is due at the latest. */
  get wakeAt(): number {
    return Math.min(
      this.session?.wakeAt ?? Number.POSITIVE_INFINITY,
      this.wasLive && this.session !== undefined ? this.session.lease.end : Number.POSITIVE_INFINITY,
      this.following.wakeAt,
      this.inspection.wakeAt,
      this.leave.wakeAt,
      this.reopenAt,
    );
  }

  get waitingFor(): Session['waitingFor'] {
    return this.session?.waitingFor;
  }

  /** Whether this node may answer at this moment: whether it can prove that its session lives. */
  live(now: number): boolean {
    return this.session !== undefined && now < this.session.lease.end && !this.leave.begun;
  }

  /** `live`, between two inputs: a single comparison, which is a twentieth of the time of a read from memory. */
  mayAnswer(now: number): boolean {
    return now < this.answersUntil;
  }

  /** Answers a read from memory (Z17). Undefined: it takes a `get` call. Only while `mayAnswer`. */
  lookup(key: Key): { readonly value: Value | undefined } | undefined {
    const { leader } = this.leading;
    const copy: Copy | undefined = leader === undefined ? this.following.cache.get(key) : leader.store.get(key);
    if (copy !== undefined) {
      this.counters.cacheHits += 1;
      return copy;
    }
    return leader === undefined ? undefined : NO_VALUE;
  }

  /** The effects are the caller's until the next step: the list is used again. */
  step(input: Input, now: number): readonly Effect[] {
    // Taken out one by one: setting the length gives the memory back, only to ask for it again.
    while (this.outbox.length > 0) this.outbox.pop();
    if (!this.over) {
      this.noticeLapse(now);
      this.dispatch(input, now);
      this.noticeLapse(now);
      if (this.session !== undefined) this.leave.proceed(this.session, this.calls.size, this.wasLive, now);
      if (this.leave.done) this.finish();
      this.roles.notice(this.situation(now));
      const answers = this.session !== undefined && !this.leave.begun;
      this.answersUntil = answers ? this.session!.lease.end : Number.NEGATIVE_INFINITY;
    } else if (input.type === 'get' || input.type === 'write' || input.type === 'inspect') this.begin(input, now);
    return this.outbox;
  }

  private dispatch(input: Input, now: number): void {
    switch (input.type) {
      case 'start':
        this.openSession();
        return;
      case 'get':
      case 'write':
      case 'inspect':
        this.begin(input, now);
        return;
      case 'cancel':
        this.cancel(input.call, input.code);
        return;
      case 'close':
        this.leave.begin(now);
        if (this.session === undefined) this.finish();
        return;
      case 'wake':
        this.wake(now);
        return;
      case 'up':
        this.channelUp(this.channels.up(input.channel, input.peer, input.direction));
        return;
      case 'down':
        this.channelDown(this.channels.down(input.channel));
        return;
      case 'message': {
        const channel = this.channels.current(input.channel);
        if (channel !== undefined) this.message(channel, input.message, now);
        return;
      }
      default:
        if (this.session?.number === input.session) this.session.input(input, now);
    }
  }

  private begin(input: Input & { call: CallId }, now: number): void {
    const { call } = input;
    const kind = input.type === 'write' ? 'write' : 'read';
    const outcome = kind === 'write' ? 'notApplied' : undefined;
    const full = this.calls.size >= this.options.maxPending;
    this.calls.begin(call, kind);
    if (this.over || this.leave.begun) this.calls.settle(call, closed(outcome));
    else if (!this.live(now)) this.calls.settle(call, sessionLost(outcome));
    else if (full) {
      const message = `This node has ${this.options.maxPending} operations in progress, its limit (maxPending).`;
      this.calls.settle(call, queueFull(message, outcome));
    } else this.carryOut(input, now);
  }

  private carryOut(input: Input & { call: CallId }, now: number): void {
    const { leader } = this.leading;
    if (input.type === 'get') {
      const known = this.lookup(input.key);
      if (known === undefined) this.following.requests.get(input.call, input.key);
      else this.calls.settle(input.call, known.value === undefined ? { ok: true } : { ok: true, value: known.value });
    } else if (input.type === 'write') {
      if (leader !== undefined) leader.write(input.call, input.key, input.action, now);
      else this.following.requests.write(input.call, input.key, input.action);
    } else {
      this.inspection.start(input.call, now);
      this.session?.members.read();
    }
  }

  private cancel(call: CallId, code: 'ZISTORE_TIMEOUT' | 'ZISTORE_ABORTED'): void {
    if (!this.following.requests.cancel(call, code)) this.leading.cancel(call, code);
  }

  private openSession(): void {
    this.reopenAt = Number.POSITIVE_INFINITY;
    this.sessions += 1;
    this.electionRead = false;
    const { nodeId, address, candidate, tickTimeMs, agreement, guid } = this.options;
    const memberData = JSON.stringify({ id: nodeId, address, wire: WIRE_VERSION, candidate });
    this.session = new Session(
      { number: this.sessions, paths: this.paths, address, candidate, tickTimeMs, agreement, memberData, guid: guid() },
      this.outbox,
      {
        joined: (joined) => this.joined(joined),
        electionRead: (served, head, now) => this.onElection(served, head, now),
        membersRead: (now) => this.onMembers(now),
        lost: (why, now) => this.loseSession(why, now),
        impossible: (failure) => this.outbox.push({ type: 'fatal', failure }),
        log: (level, message, fields) => this.log(level, message, fields),
      },
    );
    this.outbox.push({ type: 'openSession', session: this.sessions });
  }

  private joined(joined: Joined): void {
    this.self = { address: this.options.address, incarnation: joined.incarnation };
    this.outbox.push({ type: 'identify', self: this.self });
    this.session?.election.refresh();
    this.session?.members.read();
  }

  private onElection(served: Served | undefined, head: Head | undefined, now: number): void {
    const { session, self } = this;
    if (session === undefined || self === undefined) return;
    this.electionRead = true;
    const mine = head !== undefined && head.znode === session.joined?.candidate;
    if (!mine && this.leading.active) {
      this.loseSession('the own election znode is gone', now);
      return;
    }
    if (!mine) this.following.electionRead(served, head);
    this.leave.electionRead(served, head);
    if (mine && !this.leave.steppedDown) this.leading.elected(session, self, head, now);
    else if (!this.leading.active) session.members.read();
  }

  private onMembers(now: number): void {
    const { session, self } = this;
    if (session === undefined || self === undefined) return;
    this.leading.membersRead(session.members, now);
    this.inspection.membersRead(session.members.list, self, this.following.highest);
  }

  /**
   * The session is over (Z41), and with it this member. Copies go **before** a new session is opened: they may have
   * missed invalidations. What a leader held is set aside instead; it counts again only if nobody led in between.
   */
  private loseSession(why: string, now: number): void {
    const { session } = this;
    if (session === undefined) return;
    this.log('warn', 'session lost', { why });
    session.end();
    this.session = undefined;
    this.self = undefined;
    this.counters.sessionsLost += 1;
    this.leading.sessionLost();
    this.following.sessionLost();
    this.inspection.clear();
    this.calls.failAll(sessionLost);
    this.channels.clear();
    this.wasLive = false;
    this.outbox.push({ type: 'identify', self: null }, { type: 'closeSession' });
    if (this.leave.begun) this.leave.finishNow();
    else this.reopenAt = now + REOPEN_MS;
    if (this.leave.done) this.finish();
  }

  private wake(now: number): void {
    this.session?.wake(now);
    this.following.wake();
    this.inspection.wake(now);
    if (now >= this.reopenAt) this.openSession();
  }

  // -------------------------------------------------------------------------------------------------------- channels

  private channelUp(channel: Channel): void {
    if (this.leading.active && this.session !== undefined) this.leading.channelUp(channel, this.session.members);
    this.following.channelUp(channel);
    this.inspection.channelUp(channel, this.following.highest);
  }

  private channelDown(channel: Channel | undefined): void {
    if (channel === undefined) return;
    this.leading.channelDown(channel);
    this.following.channelDown(channel);
  }

  private message(channel: Channel, message: Message, now: number): void {
    // A refusal says that the request was not carried out; heard after the higher epoch it brings, it would be
    // taken for one of which nothing is known (S19).
    if (message.type === 'refused') this.following.answer(channel, message);
    if (message.epoch > this.following.highest) {
      if (this.leading.active) {
        this.loseSession('another member leads in a higher epoch', now);
        return;
      }
      this.following.learn(message.epoch);
    }
    if (message.type === 'inspect') {
      const report = {
        address: this.options.address,
        role: this.roles.current,
        live: this.live(now),
        entries: this.entries,
      };
      this.channels.send(channel.id, { type: 'report', epoch: this.following.highest, id: message.id, report });
    } else if (message.type === 'report') this.inspection.report(channel.member, message.id, message.report);
    else if (message.epoch < this.following.highest) this.refuseStale(channel, message);
    else if (message.type === 'get' || message.type === 'write') this.leading.request(channel, message, now);
    else if (message.type === 'settled' || message.type === 'invalidated') this.leading.message(channel, message, now);
    else if (message.type === 'offer' || message.type === 'adopted') {
      this.leading.message(channel, message, now);
    } else if (message.type !== 'refused') this.following.message(channel, message);
  }

  /** Anything from a lower epoch is refused; who asks is told which epoch it has missed. */
  private refuseStale(channel: Channel, message: Message): void {
    if (message.type !== 'get' && message.type !== 'write') return;
    this.leading.refuse(channel, message, 'epoch');
  }

  // ------------------------------------------------------------------------------------------- lease, role, the end

  /** Timers do not run in a stopped process; so at each input, before anything else, the clock is compared. */
  private noticeLapse(now: number): void {
    const live = this.session !== undefined && now < this.session.lease.end;
    if (live === this.wasLive) return;
    this.wasLive = live;
    if (live) {
      this.leading.leaseHeld(now);
    } else {
      this.leading.leaseLapsed();
      this.following.requests.failAll(sessionLost);
      this.calls.failAll(sessionLost);
    }
  }

  private situation(now: number): Situation {
    const { leader, active: takingOver } = this.leading;
    const { session, over, electionRead } = this;
    const live = session !== undefined && now < session.lease.end;
    return { over, session: session !== undefined, live, electionRead, leading: leader !== undefined, takingOver };
  }

  /** close() is complete. */
  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.leading.sessionLost();
    this.following.requests.failAll(closed);
    this.calls.failAll(closed);
    this.inspection.clear();
    this.following.cache.drop();
    this.channels.clear();
    this.session?.end();
    this.session = undefined;
    this.reopenAt = Number.POSITIVE_INFINITY;
    this.outbox.push({ type: 'identify', self: null }, { type: 'closeSession' }, { type: 'closed' });
  }

  private get entries(): number {
    return this.leading.leader?.gauges.entries ?? this.following.cache.entries;
  }

  private log(level: 'info' | 'warn', message: string, fields: Record<string, unknown> = {}): void {
    this.outbox.push({ type: 'log', level, message, fields });
  }

  status(now: number): NodeStatus {
    const { options, session, counters } = this;
    return describe({
      ...options,
      now,
      role: this.roles.of(this.situation(now)),
      live: this.live(now),
      leaseEnd: session?.lease.end,
      members: session?.members.list ?? [],
      operations: this.calls.size,
      following: this.following,
      leader: this.leading.leader,
      counters,
    });
  }
}

const NO_VALUE = { value: undefined } as const;
