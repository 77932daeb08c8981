/**
 * Leading (Z11 Z12 Z22 Z23 Z26 Z27 Z36 Z37): the data, the directory, and one write a key at a time:
 *
 * 1. take the key's lock; check the lease; 2. invalidate every holder and wait until each has acknowledged **this
 * version** or is gone; 3. check the lease again; apply; the writer is the only holder; answer; free the lock.
 *
 * A write that has nobody to wait for does all of this at one moment: it takes no lock, and looks at the lease once.
 *
 * A server read of a key under write waits for it. The leader's own read does not: the write is not acknowledged yet,
 * so the value that is applied is still right.
 */
import { Answers } from './answers.ts';
import { Backlog } from './backlog.ts';
import { type Holding, sizeOfCopy } from './cache.ts';
import type { Calls } from './calls.ts';
import type { ChannelId, Channels } from './channels.ts';
import type { Directory } from './directory.ts';
import type { CallId, Failure } from './effects.ts';
import { limitExceeded, queueFull, sessionLost } from './failures.ts';
import { Holders } from './holders.ts';
import type { Lease } from './lease.ts';
import { LockMap } from './locks.ts';
import type { Action, RefusalReason, Request } from './messages.ts';
import { type Peer, type Peers, type PendingWrite, settleWrites } from './peers.ts';
import type { Counters } from './status.ts';
import { type Copy, copyOf, type Epoch, type Key, type Value, type Version } from './types.ts';

/** A write that has the lock. */
interface Round extends PendingWrite {
  version: Version;
}

interface PendingRead {
  readonly type: 'read';
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
  /** See `hashOf`. */
  readonly seed: number;
}

export class Leader {
  readonly epoch: Epoch;
  readonly store: Map<Key, Copy>;
  private readonly holders: Holders;
  private readonly locks: LockMap<Round, PendingWrite | PendingRead>;
  private readonly backlog: Backlog;
  /** This node's own writes in queues, by call. */
  private readonly ownQueued = new Map<CallId, PendingWrite>();
  private readonly maxBytes: number;
  private readonly calls: Calls;
  private readonly channels: Channels;
  private readonly lease: Lease;
  private readonly counters: Counters;
  private readonly answers: Answers;
  private counter = 0;
  private bytes: number;
  /** No new work: the node is leaving. Rounds under way run to their end. */
  private draining = false;

  constructor(options: LeaderOptions, calls: Calls, channels: Channels, lease: Lease, counters: Counters) {
    this.epoch = options.epoch;
    this.locks = new LockMap((round, item) => this.left(round, item), options.seed);
    this.store = options.holding.copies;
    this.holders = new Holders(options.directory, options.peers);
    this.maxBytes = options.maxBytes;
    this.backlog = new Backlog(options.maxPending);
    this.calls = calls;
    this.channels = channels;
    this.lease = lease;
    this.counters = counters;
    this.answers = new Answers(options.epoch, channels);
    this.bytes = options.holding.bytes;
  }

  get gauges(): { entries: number; bytes: number; locks: number; invalidating: number; directory: number } {
    let invalidating = 0;
    for (const round of this.locks.holders()) if (round.waiting.length > 0) invalidating += 1;
    const { size: entries } = this.store;
    return { entries, bytes: this.bytes, locks: this.locks.size, invalidating, directory: this.holders.size };
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
    this.enqueue(undefined, call, key, action, now);
  }

  /** A caller at this node gave up. True: its write had not begun and never will. */
  withdraw(call: CallId): boolean {
    const write = this.ownQueued.get(call);
    return write !== undefined && this.locks.withdrawOne(write.key, write);
  }

  request(peer: Peer, channel: ChannelId, message: Request, now: number): void {
    if (message.type === 'write') this.remoteWrite(peer, message, now);
    else if (this.draining) this.answers.refuseRead(channel, message.id, 'notLeader');
    else if (now >= this.lease.end) this.answers.refuseRead(channel, message.id, 'noLease');
    else {
      const { id, key } = message;
      const round = this.locks.holder(key);
      if (round === undefined) this.read(peer, channel, id, key);
      else if (!this.wait(round, { type: 'read', key, peer, channel, id })) {
        this.answers.refuseRead(channel, id, 'busy', QUEUE_FULL);
      }
    }
  }

  /** The sender waits no longer for these: what has not begun never will, and no result of theirs is kept. */
  settled(peer: Peer, ids: readonly number[]): void {
    for (const id of ids) {
      const known = peer.writes.get(id);
      if (known?.type === 'pending' && !this.locks.withdrawOne(known.key, known)) peer.abandoned.add(id);
      else if (known !== undefined) peer.writes.delete(id);
    }
  }

  /** Acknowledgements count for the version they name, and nothing else (Z38). */
  invalidated(peer: Peer, key: Key, version: Version, now: number): void {
    const round = this.locks.holder(key);
    if (round === undefined || round.version.counter !== version.counter || round.version.epoch !== version.epoch)
      return;
    this.acknowledged(peer, round, now);
  }

  /** A new channel that we dialled: say again what is not acknowledged, or a half-open one would lock keys for ever. */
  channelUp(peer: Peer, channel: ChannelId): void {
    for (const { key, version } of this.roundsOf(peer)) {
      this.channels.send(channel, { type: 'invalidate', epoch: this.epoch, key, version });
    }
  }

  /** The member will ask again on its next channel. */
  channelDown(channel: ChannelId): void {
    this.locks.withdraw((item) => item.type === 'read' && item.channel === channel);
  }

  /** ZooKeeper says that this incarnation is over, so its lease is: nobody waits for it any more (Z27). */
  gone(peer: Peer, now: number): void {
    this.holders.gone(peer);
    this.locks.withdraw((item) => item.peer === peer);
    for (const round of this.roundsOf(peer)) this.acknowledged(peer, round, now);
  }

  /** The lease is over: what has not begun never will, and says so (S19). */
  leaseLapsed(): void {
    this.refuseQueued(() => true, 'noLease');
  }

  /** Begins the clean leave: others are sent to the next leader, this node's own callers get what they asked for. */
  drain(): void {
    this.draining = true;
    this.refuseQueued((item) => item.peer !== undefined, 'notLeader');
  }

  /** Ends leading. Writes that are not applied never will be: nobody but this object could apply them. */
  end(failure: (outcome: 'notApplied') => Failure): void {
    this.drain();
    for (const write of [...this.locks.withdraw(() => true), ...this.locks.holders()]) {
      if (write.type !== 'pending') continue;
      if (write.peer === undefined) this.calls.settle(write.id, failure('notApplied'));
      else this.refuseWrite(write.peer, write.id, 'notLeader');
    }
  }

  private refuseQueued(which: (item: PendingWrite | PendingRead) => boolean, reason: RefusalReason): void {
    for (const item of this.locks.withdraw(which)) {
      if (item.type === 'read') this.answers.refuseRead(item.channel, item.id, reason);
      else this.refuseWrite(item.peer, item.id, reason);
    }
  }

  private remoteWrite(peer: Peer, message: Request & { type: 'write' }, now: number): void {
    const { id, key, action } = message;
    settleWrites(peer, message.settled);
    if (id < peer.settled) return;
    const known = peer.writes.get(id);
    if (known === undefined) {
      if (this.draining) this.refuseWrite(peer, id, 'notLeader');
      else this.enqueue(peer, id, key, action, now);
    } else if (known.type !== 'pending') this.answers.again(peer, known, now < this.lease.end);
  }

  private enqueue(peer: Peer | undefined, id: number, key: Key, action: Action, now: number): void {
    const round = this.locks.holder(key);
    if (round !== undefined) {
      if (!this.wait(round, this.pending(peer, id, key, action))) this.refuseWrite(peer, id, 'busy', QUEUE_FULL);
      return;
    }
    const holders = this.holders.of(key);
    // What waits for nobody is done at once and takes no room, however many writes wait for a holder of theirs.
    if (holders === undefined) this.writeNow(peer, id, key, action, now);
    else if (this.backlog.isFull(holders)) this.refuseWrite(peer, id, 'busy', QUEUE_FULL);
    else this.begin(this.pending(peer, id, key, action, holders), holders, now);
  }

  private pending(peer: Peer | undefined, id: number, key: Key, action: Action, waiting: Peer[] = []): PendingWrite {
    return { type: 'pending', peer, id, key, action, version: undefined, waiting };
  }

  /**
   * Queues behind a round; false: too much waits for one of the holders that it waits for. (Callers that gave up make
   * room for others at their nodes, but a round that has begun goes on: it has to be bounded, too.)
   */
  private wait(round: Round, item: PendingWrite | PendingRead): boolean {
    if (this.backlog.isFull(round.waiting)) return false;
    if (item.type === 'pending') this.remember(item);
    if (item.type === 'pending' && item.peer === undefined) this.ownQueued.set(item.id, item);
    this.locks.wait(round.key, item);
    this.backlog.add(round.waiting);
    return true;
  }

  private left(round: Round, item: PendingWrite | PendingRead): void {
    this.backlog.remove(round.waiting);
    if (item.peer === undefined) this.ownQueued.delete(item.id);
  }

  /** Until it is answered, it is not to be carried out again. */
  private remember(write: PendingWrite): void {
    write.peer?.writes.set(write.id, write);
  }

  /** Runs a write whose turn it is. True: it is finished already; false: it waits for acknowledgements. */
  private run(write: PendingWrite, now: number): boolean {
    const { peer, id, key, action } = write;
    const holders = this.holders.of(key);
    if (holders !== undefined) return this.begin(write, holders, now);
    this.writeNow(peer, id, key, action, now);
    return true;
  }

  /** Invalidates. True: the write was refused; false: it waits for these holders. */
  private begin(write: PendingWrite, holders: Peer[], now: number): boolean {
    const { peer, id, key, action } = write;
    // The present copy is looked up at the commit; here only if it decides.
    const most = growthOf(key, action, undefined);
    const growth = this.bytes + most > this.maxBytes ? growthOf(key, action, this.store.get(key)) : most;
    const refusal = this.whyNot(growth, now);
    if (refusal !== undefined) {
      this.refuseWrite(peer, id, refusal, STORE_FULL);
      return true;
    }
    write.version = this.nextVersion();
    write.waiting = holders;
    const round = write as Round;
    this.remember(round);
    this.locks.take(key, round);
    this.backlog.add(holders, 1 + this.locks.queuedBehind(key));
    this.invalidate(round);
    return false;
  }

  private invalidate({ key, version, waiting }: Round): void {
    this.counters.invalidationsSent += waiting.length;
    const message = { type: 'invalidate', epoch: this.epoch, key, version } as const;
    for (const { out } of waiting) if (out !== undefined) this.channels.send(out, message);
  }

  private *roundsOf(peer: Peer): Iterable<Round> {
    for (const round of [...this.locks.holders()]) if (round.waiting.includes(peer)) yield round;
  }

  private acknowledged(peer: Peer, round: Round, now: number): void {
    const { key, waiting } = round;
    const index = waiting.indexOf(peer);
    if (index < 0) return;
    waiting[index] = waiting[waiting.length - 1]!;
    waiting.pop();
    peer.backlog -= 1 + this.locks.queuedBehind(key);
    if (waiting.length > 0) return;
    this.commit(round, now);
    this.passOn(key, now);
  }

  private commit({ peer, id, key, action, version }: Round, now: number): void {
    // Acknowledgements may have taken longer than the lease: by now somebody else may lead (Z26). And other keys may
    // have filled the store meanwhile.
    const present = this.store.get(key);
    const growth = growthOf(key, action, present);
    const refusal = this.whyNot(growth, now);
    if (refusal === undefined) this.apply(peer, id, key, action, version, growth, present !== undefined);
    else {
      this.holders.leaveTo(key, undefined);
      this.refuseWrite(peer, id, refusal, STORE_FULL);
    }
  }

  /** A write of a key that nobody holds. */
  private writeNow(peer: Peer | undefined, id: number, key: Key, action: Action, now: number): void {
    const present = this.store.get(key);
    const growth = growthOf(key, action, present);
    const refusal = this.whyNot(growth, now);
    if (refusal !== undefined) this.refuseWrite(peer, id, refusal, STORE_FULL);
    else this.apply(peer, id, key, action, this.nextVersion(), growth, present !== undefined);
  }

  private whyNot(growth: number, now: number): RefusalReason | undefined {
    if (now >= this.lease.end) return 'noLease';
    return growth > 0 && this.bytes + growth > this.maxBytes ? 'limit' : undefined;
  }

  private nextVersion(): Version {
    return { epoch: this.epoch, counter: ++this.counter };
  }

  private apply(
    peer: Peer | undefined,
    id: number,
    key: Key,
    action: Action,
    version: Version,
    growth: number,
    existed: boolean,
  ): void {
    const isSet = action.kind === 'set';
    if (isSet) this.store.set(key, copyOf(key, action.value, version));
    else this.store.delete(key);
    this.bytes += growth;
    this.counters.writesApplied += 1;
    // The writer is the only holder: nobody is listed while a key is locked, and whoever was has acknowledged.
    const holder = this.holders.leaveTo(key, isSet ? peer : undefined);
    if (peer === undefined) this.calls.settle(id, { ok: true, existed });
    else this.answers.written(peer, id, version, existed, holder);
  }

  /** Frees the lock, or gives it to the next write in the queue; reads before that are answered on the way. */
  private passOn(key: Key, now: number): void {
    for (let next = this.locks.next(key); next !== undefined; next = this.locks.next(key)) {
      if (next.type === 'pending') {
        if (!this.run(next, now)) return;
      } else if (now >= this.lease.end) this.answers.refuseRead(next.channel, next.id, 'noLease');
      else this.read(next.peer, next.channel, next.id, key);
    }
  }

  private read(peer: Peer, channel: ChannelId, id: number, key: Key): void {
    this.counters.serverReadsServed += 1;
    const copy = this.store.get(key);
    this.answers.value(channel, id, copy, copy !== undefined && this.holders.register(key, peer));
  }

  /** Ends a write of a member or, without one, of this node's own caller. */
  private refuseWrite(peer: Peer | undefined, id: number, reason: RefusalReason, detail?: string): void {
    if (peer !== undefined) this.answers.refuseWrite(peer, id, reason, detail);
    else this.calls.settle(id, failureOf(reason, detail));
  }
}

/** By how many bytes the store grows. */
function growthOf(key: Key, action: Action, present: Copy | undefined): number {
  const before = present === undefined ? 0 : sizeOfCopy(key, present.value);
  return action.kind === 'set' ? sizeOfCopy(key, action.value) - before : -before;
}

const QUEUE_FULL = 'Too many operations wait at the leader.';
const STORE_FULL = 'The leader holds as much as its store.maxBytes allows.';

/** What this node's own caller is told. */
function failureOf(reason: RefusalReason, detail = 'The leader is at one of its limits.'): Failure {
  if (reason === 'busy') return queueFull(detail, 'notApplied');
  return reason === 'limit' ? limitExceeded(detail, 'notApplied') : sessionLost('notApplied');
}
