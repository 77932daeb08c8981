/**
 * One ZooKeeper session as the protocol sees it: joining, beats and lease, the election and the member list.
 * When it is over, so is the member that it stood for; the next session is another object.
 */
import type { ZkSession, ZkStepCheck } from './coordination.ts';
import type { Failure, Outbox, SessionInput } from './effects.ts';
import { Election, type Head, type Served } from './election.ts';
import { type Agreement, Join, type Joined } from './join.ts';
import { Lease } from './lease.ts';
import { Members } from './members.ts';
import type { Paths } from './paths.ts';
import type { Address } from './types.ts';
import { ZkRequests } from './zk.ts';

/** Regular beats a session timeout; each may be followed by one that confirms. */
const BEATS_PER_TIMEOUT = 6;

/** Beats without an answer, beyond which none is sent: the connection is dead or as good as dead. */
const MAX_BEATS_IN_FLIGHT = 12;

export interface SessionOptions {
  readonly number: number;
  readonly paths: Paths;
  readonly address: Address;
  readonly candidate: boolean;
  readonly tickTimeMs: number;
  readonly agreement: Agreement;
  readonly memberData: string;
  readonly guid: string;
}

export interface SessionEvents {
  joined(joined: Joined): void;
  electionRead(served: Served | undefined, head: Head | undefined, now: number): void;
  membersRead(now: number): void;
  /** The session, or what it stands for, is gone for good. */
  lost(why: string, now: number): void;
  impossible(failure: Failure): void;
  log(level: 'info' | 'warn', message: string, fields?: Record<string, unknown>): void;
}

export class Session {
  readonly number: number;
  readonly lease: Lease;
  readonly zk: ZkRequests;
  readonly election: Election;
  readonly members: Members;
  joined: Joined | undefined;
  info: ZkSession | undefined;
  connected = false;
  private nextBeatAt = Number.POSITIVE_INFINITY;
  private beatsInFlight = 0;
  private lastSentAt = Number.NEGATIVE_INFINITY;
  private beatsCheckElection = true;
  private readonly options: SessionOptions;
  private readonly join: Join;
  private readonly events: SessionEvents;

  constructor(options: SessionOptions, outbox: Outbox, events: SessionEvents) {
    this.number = options.number;
    this.options = options;
    this.events = events;
    this.lease = new Lease(options.tickTimeMs);
    this.zk = new ZkRequests(options.number, outbox);
    this.election = new Election(this.zk, options.paths, {
      read: (served, head, now) => events.electionRead(served, head, now),
      sessionGone: (now) => events.lost('the election znodes are gone', now),
    });
    this.members = new Members(this.zk, options.paths, (now) => events.membersRead(now));
    this.join = new Join(this.zk, options, {
      joined: (joined) => this.onJoined(joined),
      beat: (sentAt, now) => {
        this.lease.answered(sentAt, now);
        this.nextBeatAt = this.lease.pairableAt(now);
      },
      impossible: (failure) => events.impossible(failure),
      sessionGone: (now) => events.lost('the znodes of this session are gone', now),
      log: (level, message, fields) => events.log(level, message, fields),
    });
  }

  /** What keeps this node from joining, if it is something that others would have to do. */
  get waitingFor(): 'address' | 'cluster' | undefined {
    return this.join.waitingFor;
  }

  /** When `wake` wants to be called. */
  get wakeAt(): number {
    return Math.min(this.zk.wakeAt, this.connected ? this.nextBeatAt : Number.POSITIVE_INFINITY);
  }

  /** What the ZooKeeper client of this session has to say. */
  input(input: SessionInput, now: number): void {
    if (input.type === 'zkReply') this.zk.reply(input.request, input.reply, now);
    else if (input.type === 'zkWatch') this.zk.watch(input.path, input.kind, now);
    else if (input.type === 'zkConnected') this.onConnected(input.info, now);
    // The lease is not touched: the session lives on at the ensemble until it is known to have ended.
    else if (input.type === 'zkDisconnected') this.connected = false;
    else if (input.reason === 'authFailed') {
      const message = 'ZooKeeper refuses the credentials in zookeeperAuth.';
      this.events.impossible({ ok: false, code: 'ZISTORE_UNAUTHORIZED', message });
    } else this.events.lost(`the session ended: ${input.reason}`, now);
  }

  private onConnected(info: ZkSession, now: number): void {
    const first = this.info === undefined;
    if (this.info !== undefined && this.info.id !== info.id) {
      this.events.lost('the ZooKeeper client came back with another session', now);
      return;
    }
    this.info = info;
    this.connected = true;
    this.lease.setSessionTimeout(info.timeoutMs);
    if (first) this.join.start(info.id);
    else this.zk.connected(now);
    if (this.joined !== undefined) this.nextBeatAt = Math.min(this.nextBeatAt, now);
  }

  wake(now: number): void {
    this.zk.wake(now);
    if (this.connected && now >= this.nextBeatAt) this.beat(now);
  }

  /** A leader that leaves deletes its election znode; from here on its beats prove the member znode only. */
  leaveElection(): void {
    this.beatsCheckElection = false;
  }

  /** The session is over: nothing of it will ever renew the lease or call back. */
  end(): void {
    this.lease.revoke();
    this.election.stop();
    this.members.stop();
    this.connected = false;
    this.nextBeatAt = Number.POSITIVE_INFINITY;
  }

  private onJoined(joined: Joined): void {
    this.joined = joined;
    // After an ambiguous join no beat has been answered yet.
    if (this.nextBeatAt === Number.POSITIVE_INFINITY) this.nextBeatAt = 0;
    this.events.joined(joined);
  }

  private beat(now: number): void {
    this.nextBeatAt = now + this.beatEveryMs;
    this.sendBeat(now, false);
  }

  private sendBeat(now: number, confirming: boolean): void {
    if (this.joined === undefined || this.beatsInFlight >= MAX_BEATS_IN_FLIGHT) return;
    const { paths, address } = this.options;
    const steps: ZkStepCheck[] = [{ op: 'check', path: paths.member(address) }];
    if (this.beatsCheckElection && this.joined.candidate !== undefined) {
      steps.push({ op: 'check', path: paths.candidate(this.joined.candidate) });
    }
    const sentAt = now;
    this.lastSentAt = now;
    this.beatsInFlight += 1;
    this.zk.submit({ op: 'multi', steps }, (reply, repliedAt) => {
      this.beatsInFlight -= 1;
      if (reply.ok) {
        this.lease.answered(sentAt, repliedAt);
        // The third of three, at once: waiting for the next regular one would cost a sixth of the timeout.
        if (!confirming && this.lease.wantsBeat && this.connected) this.sendBeat(repliedAt, true);
        else this.hasten();
      } else if (reply.code === 'NO_NODE') this.events.lost('the own znodes are gone', repliedAt);
    });
  }

  /**
   * After a pause or a cut the first beats prove one of before, whose lease is over soon: waiting for the next regular
   * one would suspend the node again, shortly after it went on.
   */
  private hasten(): void {
    const { end, provableAt } = this.lease;
    // One that is on its way already will prove it, however long its answer takes.
    if (end >= this.nextBeatAt || this.lastSentAt >= provableAt) return;
    this.nextBeatAt = Math.min(this.nextBeatAt, Math.max(provableAt, this.lastSentAt + this.beatEveryMs / 2));
  }

  private get beatEveryMs(): number {
    return (this.info?.timeoutMs ?? 0) / BEATS_PER_TIMEOUT;
  }
}
