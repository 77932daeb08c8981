/**
 * Leading (Z11 Z12 Z22 Z23 Z26 Z27 Z36 Z37): the data, the directory, and one write a key at a time:
 *
 * 1. take the key's lock; check the lease; 2. invalidate every holder and wait until each has acknowledged **this
 * version** or is gone; 3. check the lease again; apply; the writer is the only holder; answer; free the lock.
 *
 * A server read of a key under write waits for it. The leader's own read does not: the write is not acknowledged yet,
 * so the value that is applied is still right.
 */
import { Backlog } from './backlog.ts';
import { type Holding, sizeOfCopy } from './cache.ts';
import type { Calls } from './calls.ts';
import type { ChannelId, Channels } from './channels.ts';
import type { Directory } from './directory.ts';
import type { CallId, Failure } from './effects.ts';
import { limitExceeded, queueFull, sessionLost } from './failures.ts';
import type { Lease } from './lease.ts';
import { LockMap } from './locks.ts';
import type { Action, Answer, RefusalReason, Request } from './messages.ts';
import { type Peer, type Peers, settleWrites } from './peers.ts';
import type { Counters } from './status.ts';
import type { Copy, Epoch, Key, MemberId, Value, Version } from './types.ts';

type Origin = { readonly call: CallId } | { readonly peer: Peer; readonly id: number };

interface Write {
  readonly kind: 'write';
  readonly origin: Origin;
  readonly key: Key;
  readonly action: Action;
}

/** A write that has the lock. */
interface Round extends Write {
  readonly version: Version;
  /** Holders that have not acknowledged. */
  readonly waiting: Set<MemberId>;
}

interface Read {
  readonly kind: 'read';
  readonly key: Key;
  readonly peer: Peer;
  readonly channel: ChannelId;
  readonly id: number;
}

export interface LeaderOptions {
  readonly epoch: Epoch;
  readonly holding: Holding;
  readonly directory: Directory;
  readonly peers: Peers;
  readonly maxBytes: number;
  /** Bound of the operations that wait for one member's acknowledgements: writes under way, and what is queued behind. */
  readonly maxPending: number;
}

export class Leader {
  readonly epoch: Epoch;
  readonly store: Map<Key, Copy>;
  private readonly directory: Directory;
  private readonly peers: Peers;
  private readonly locks = new LockMap<Round, Write | Read>(nameOf, ({ waiting }) => this.backlog.remove(waiting));
  private readonly backlog: Backlog;
  private readonly options: LeaderOptions;
  private readonly calls: Calls;
  private readonly channels: Channels;
  private readonly lease: Lease;
  private readonly counters: Counters;
  private counter = 0;
  private bytes: number;
  /** No new work: the node is leaving. Rounds under way run to their end. */
  private draining = false;

  constructor(options: LeaderOptions, calls: Calls, channels: Channels, lease: Lease, counters: Counters) {
    this.epoch = options.epoch;
    this.store = options.holding.copies;
    this.directory = options.directory;
    this.peers = options.peers;
    this.options = options;
    this.backlog = new Backlog(options.maxPending);
    this.calls = calls;
    this.channels = channels;
    this.lease = lease;
    this.counters = counters;
    this.bytes = options.holding.bytes;
  }

  get gauges(): { entries: number; bytes: number; locks: number; invalidating: number; directory: number } {
    let invalidating = 0;
    for (const round of this.locks.holders()) if (round.waiting.size > 0) invalidating += 1;
    const { size: entries } = this.store;
    return { entries, bytes: this.bytes, locks: this.locks.size, invalidating, directory: this.directory.size };
  }

  get idle(): boolean {
    return this.locks.size === 0;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  value(key: Key): Value | undefined {
    return this.store.get(key)?.value;
  }

  /** This node's own write. Its lease was checked when the call came. */
  write(call: CallId, key: Key, action: Action, now: number): void {
    this.enqueue({ kind: 'write', origin: { call }, key, action }, now);
  }

  /** A caller at this node gave up. True: its write had not begun and never will. */
  withdraw(call: CallId): boolean {
    return this.locks.withdrawNamed(nameOfCall(call)) !== undefined;
  }

  request(peer: Peer, channel: ChannelId, message: Request, now: number): void {
    if (message.type === 'write') this.remoteWrite(peer, message, now);
    else if (this.draining) this.refuse(channel, message.id, 'notLeader');
    else if (now >= this.lease.end) this.refuse(channel, message.id, 'noLease');
    else {
      const read: Read = { kind: 'read', key: message.key, peer, channel, id: message.id };
      const round = this.locks.holder(message.key);
      if (round === undefined) this.read(read, now);
      else if (!this.wait(round, read)) this.refuse(channel, message.id, 'busy', QUEUE_FULL);
    }
  }

  /** The sender waits no longer for these: what has not begun never will, and no result of theirs is kept. */
  settled(peer: Peer, ids: readonly number[]): void {
    for (const id of ids) {
      const withdrawn = this.locks.withdrawNamed(nameOfWrite(peer, id)) !== undefined;
      if (!withdrawn && peer.writes.get(id) === 'pending') peer.abandoned.add(id);
      else peer.writes.delete(id);
    }
  }

  /** Acknowledgements count for the version they name, and nothing else (Z38). */
  invalidated(peer: Peer, key: Key, version: Version, now: number): void {
    const due = peer.unacknowledged.get(key);
    if (due === undefined || due.epoch !== version.epoch || due.counter !== version.counter) return;
    this.acknowledged(peer, key, now);
  }

  /** A new channel that we dialled: say again what is not acknowledged, or a half-open one would lock keys for ever. */
  channelUp(peer: Peer, channel: ChannelId): void {
    for (const [key, version] of peer.unacknowledged) {
      this.channels.send(channel, { type: 'invalidate', epoch: this.epoch, key, version });
    }
  }

  /** The member will ask again on its next channel. */
  channelDown(channel: ChannelId): void {
    this.locks.withdraw((item) => item.kind === 'read' && item.channel === channel);
  }

  /** ZooKeeper says that this incarnation is over, so its lease is: nobody waits for it any more (Z27). */
  gone(peer: Peer, now: number): void {
    this.directory.removeMember(peer.id);
    this.locks.withdraw(
      (item) => (item.kind === 'read' ? item.peer : 'peer' in item.origin ? item.origin.peer : undefined) === peer,
    );
    for (const key of [...peer.unacknowledged.keys()]) this.acknowledged(peer, key, now);
  }

  /** The lease is over: what has not begun never will, and says so (S19). */
  leaseLapsed(): void {
    for (const item of this.locks.withdraw(() => true)) {
      if (item.kind === 'read') this.refuse(item.channel, item.id, 'noLease');
      else this.endRefused(item, 'noLease');
    }
  }

  /** Begins the clean leave: others are sent to the next leader, this node's own callers get what they asked for. */
  drain(): void {
    this.draining = true;
    for (const item of this.locks.withdraw((queued) => queued.kind === 'read' || 'peer' in queued.origin)) {
      if (item.kind === 'read') this.refuse(item.channel, item.id, 'notLeader');
      else this.endRefused(item, 'notLeader');
    }
  }

  /** Ends leading. Writes that are not applied never will be: nobody but this object could apply them. */
  end(failure: (outcome: 'notApplied') => Failure): void {
    this.drain();
    for (const write of [...this.locks.withdraw(() => true), ...this.locks.holders()]) {
      if (write.kind !== 'write') continue;
      if ('call' in write.origin) this.calls.settle(write.origin.call, failure('notApplied'));
      else this.endRefused(write, 'notLeader');
    }
  }

  private remoteWrite(peer: Peer, message: Request & { type: 'write' }, now: number): void {
    settleWrites(peer, message.settled);
    const { id, key, action } = message;
    if (id < peer.settled) return;
    const known = peer.writes.get(id);
    if (known === 'pending') return;
    if (known !== undefined) {
      this.tell(peer, known);
      // A refusal of before, after which the sender waits to hear that this leader leads again: it may by now.
      if (known.type === 'refused' && now < this.lease.end) this.sayLeading(peer);
      return;
    }
    const write: Write = { kind: 'write', origin: { peer, id }, key, action };
    if (this.draining) this.endRefused(write, 'notLeader');
    else this.enqueue(write, now);
  }

  private enqueue(write: Write, now: number): void {
    if ('peer' in write.origin) write.origin.peer.writes.set(write.origin.id, 'pending');
    const { key } = write;
    const round = this.locks.holder(key);
    // What waits for nobody is done at once and takes no room, however many writes wait for a holder of theirs.
    const accepted = round === undefined ? !this.backlog.isFull(this.directory.holders(key)) : this.wait(round, write);
    if (!accepted) this.endRefused(write, 'busy', QUEUE_FULL);
    else if (round === undefined) this.begin(write, now);
  }

  /**
   * Queues behind a round; false: too much waits for one of the holders that it waits for. (Callers that gave up make
   * room for others at their nodes, but a round that has begun goes on: it has to be bounded, too.)
   */
  private wait(round: Round, item: Write | Read): boolean {
    if (this.backlog.isFull(round.waiting)) return false;
    this.locks.wait(round.key, item);
    this.backlog.add(round.waiting);
    return true;
  }

  private begin(write: Write, now: number): void {
    if (this.run(write, now)) this.passOn(write.key, now);
  }

  /** Runs a write whose turn it is. True: it is finished already; false: it waits for acknowledgements. */
  private run(write: Write, now: number): boolean {
    const refusal = this.whyNot(write, now);
    if (refusal !== undefined) {
      this.endRefused(write, refusal, 'The leader holds as much as its store.maxBytes allows.');
      return true;
    }
    const { key } = write;
    const version: Version = { epoch: this.epoch, counter: ++this.counter };
    const round: Round = { ...write, version, waiting: new Set(this.directory.holders(key)) };
    this.locks.take(key, round);
    this.backlog.add(round.waiting, 1 + this.locks.queuedBehind(key));
    for (const member of round.waiting) this.invalidate(member, key, version);
    if (round.waiting.size > 0) return false;
    this.commit(round, now);
    return true;
  }

  private whyNot(write: Write, now: number): RefusalReason | undefined {
    if (now >= this.lease.end) return 'noLease';
    if (write.action.kind !== 'set') return undefined;
    const growth = sizeOfCopy(write.key, write.action.value) - this.sizeOf(write.key);
    return growth > 0 && this.bytes + growth > this.options.maxBytes ? 'limit' : undefined;
  }

  private invalidate(member: MemberId, key: Key, version: Version): void {
    this.counters.invalidationsSent += 1;
    this.peers.get(member)?.unacknowledged.set(key, version);
    const channel = this.channels.out(member);
    if (channel !== undefined) this.channels.send(channel, { type: 'invalidate', epoch: this.epoch, key, version });
  }

  private acknowledged(peer: Peer, key: Key, now: number): void {
    peer.unacknowledged.delete(key);
    this.directory.remove(key, peer.id);
    const round = this.locks.holder(key);
    if (round === undefined || !round.waiting.delete(peer.id)) return;
    this.backlog.remove([peer.id], 1 + this.locks.queuedBehind(key));
    if (round.waiting.size > 0) return;
    this.commit(round, now);
    this.passOn(key, now);
  }

  private commit(round: Round, now: number): void {
    // Acknowledgements may have taken longer than the lease: by now somebody else may lead (Z26). And other keys may
    // have filled the store meanwhile.
    const refusal = this.whyNot(round, now);
    if (refusal !== undefined)
      this.endRefused(round, refusal, 'The leader holds as much as its store.maxBytes allows.');
    else this.apply(round);
  }

  private apply(round: Round): void {
    const { key, version, action, origin } = round;
    const existed = this.store.has(key);
    this.bytes -= this.sizeOf(key);
    if (action.kind === 'set') {
      this.store.set(key, { key, value: action.value, version });
      this.bytes += this.sizeOf(key);
    } else this.store.delete(key);
    this.counters.writesApplied += 1;
    if ('call' in origin) {
      this.calls.settle(origin.call, { ok: true, existed });
      return;
    }
    const holder = action.kind === 'set' && this.register(key, origin.peer);
    this.answerWrite(origin.peer, origin.id, {
      type: 'written',
      epoch: this.epoch,
      id: origin.id,
      version,
      existed,
      holder,
    });
  }

  /** Frees the lock, or gives it to the next write in the queue; reads before that are answered on the way. */
  private passOn(key: Key, now: number): void {
    for (let next = this.locks.next(key); next !== undefined; next = this.locks.next(key)) {
      if (next.kind === 'read') this.read(next, now);
      else if (!this.run(next, now)) return;
    }
  }

  private read(read: Read, now: number): void {
    const { key, peer, channel, id } = read;
    if (now >= this.lease.end) {
      this.refuse(channel, id, 'noLease');
      return;
    }
    this.counters.serverReadsServed += 1;
    const copy = this.store.get(key);
    if (copy === undefined) {
      this.channels.send(channel, { type: 'value', epoch: this.epoch, id, holder: false });
      return;
    }
    const holder = this.register(key, peer);
    const found = { value: copy.value, version: copy.version };
    this.channels.send(channel, { type: 'value', epoch: this.epoch, id, found, holder });
  }

  /** Lists a member as holder, if there is a channel to invalidate it by and ZooKeeper has not reported it gone. */
  private register(key: Key, peer: Peer): boolean {
    if (this.channels.out(peer.id) === undefined || this.peers.get(peer.id) !== peer) return false;
    this.directory.add(key, peer.id);
    return true;
  }

  private endRefused(write: Write, reason: RefusalReason, detail?: string): void {
    if ('call' in write.origin) {
      this.calls.settle(write.origin.call, failureOf(reason, detail));
      return;
    }
    const { peer, id } = write.origin;
    this.answerWrite(peer, id, this.refusal(id, reason, detail));
  }

  private answerWrite(peer: Peer, id: number, answer: Answer): void {
    if (peer.abandoned.delete(id) || id < peer.settled) peer.writes.delete(id);
    else peer.writes.set(id, answer);
    this.tell(peer, answer);
  }

  private sayLeading(peer: Peer): void {
    const channel = this.channels.into(peer.id);
    if (channel !== undefined) this.channels.send(channel, { type: 'leading', epoch: this.epoch });
  }

  /** An answer goes to the channel on which the member's requests come now; the one it asked on may be gone. */
  private tell(peer: Peer, answer: Answer): void {
    const channel = this.channels.into(peer.id);
    if (channel !== undefined) this.channels.send(channel, answer);
  }

  private refuse(channel: ChannelId, id: number, reason: RefusalReason, detail?: string): void {
    this.channels.send(channel, this.refusal(id, reason, detail));
  }

  private refusal(id: number, reason: RefusalReason, detail: string | undefined): Answer {
    const isLimit = reason === 'limit' || reason === 'busy';
    return { type: 'refused', epoch: this.epoch, id, reason, ...(isLimit && detail !== undefined && { detail }) };
  }

  private sizeOf(key: Key): number {
    const copy = this.store.get(key);
    return copy === undefined ? 0 : sizeOfCopy(copy.key, copy.value);
  }
}

const nameOfCall = (call: CallId): string => `${call}`;
const nameOfWrite = (peer: Peer, id: number): string => `${id} ${peer.id}`;

/** Callers give up on writes by these. */
function nameOf(item: Write | Read): string | undefined {
  if (item.kind === 'read') return undefined;
  return 'call' in item.origin ? nameOfCall(item.origin.call) : nameOfWrite(item.origin.peer, item.origin.id);
}

const QUEUE_FULL = 'Too many operations wait at the leader.';

/** What this node's own caller is told. */
function failureOf(reason: RefusalReason, detail = 'The leader is at one of its limits.'): Failure {
  if (reason === 'busy') return queueFull(detail, 'notApplied');
  return reason === 'limit' ? limitExceeded(detail, 'notApplied') : sessionLost('notApplied');
}
