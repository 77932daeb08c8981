/**
 * A node's own operations as long as they need a leader elsewhere (Z11 Z17 Z20 Z21 Z25 Z28): sent when there is one,
 * sent again when only the connection broke, re-homed when the leader changes, ended when the outcome is unknown.
 */
import type { Cache } from './cache.ts';
import type { Calls } from './calls.ts';
import type { ChannelId, Channels } from './channels.ts';
import type { CallId, CallResult, Failure } from './effects.ts';
import { cancelled, limitExceeded, outcomeUnknown, queueFull, sessionLost } from './failures.ts';
import { type Flight, Flights, type PendingWrite } from './flights.ts';
import { IdTable } from './id-table.ts';
import type { Action, Answer } from './messages.ts';
import type { Counters } from './status.ts';
import { copyOf, type Epoch, type Key, type Version } from './types.ts';

/** Finished writes that are told to the leader together. */
const FINISHED_BATCH = 64;

/** Ids in one message at the most. */
const MAX_SETTLED_IDS = 1000;

interface Target {
  readonly channel: ChannelId;
  readonly epoch: Epoch;
}

export class Requests {
  private nextId = 1;
  private readonly flights: Flights;
  /** By request id. */
  private readonly sentReads = new IdTable<Flight>();
  private sentWrites = new IdTable<PendingWrite>();
  /** Sent to a leader that is another's turn now, on a channel that is still open: it may yet refuse them. */
  private lingering = new IdTable<PendingWrite>();
  private unsentReads = new Set<Flight>();
  private unsentWrites = new Set<PendingWrite>();
  /** Writes that ended while an older one is still waited for; the leader need not remember them any longer. */
  private finished: number[] = [];
  /** What the newest write said in `settled`. */
  private settledSaid = 0;
  private held = false;
  private target: Target | undefined;
  private readonly calls: Calls;
  private readonly channels: Channels;
  private readonly cache: Cache;
  private readonly counters: Counters;

  /** `seed`: see `hashOf`. */
  constructor(calls: Calls, channels: Channels, cache: Cache, counters: Counters, seed: number) {
    this.flights = new Flights(seed);
    this.calls = calls;
    this.channels = channels;
    this.cache = cache;
    this.counters = counters;
  }

  get(call: CallId, key: Key): void {
    const flight = this.flights.join(key, call);
    this.calls.awaits(call, flight);
    const isNew = flight.id === 0 && flight.waiters.length === 1;
    if (isNew) this.ask(flight);
  }

  write(call: CallId, key: Key, action: Action): void {
    const write = this.flights.startWrite(call, key, action);
    this.calls.awaits(call, write);
    // What waits unsent is sent as soon as it can be, so nothing is overtaken.
    if (this.target === undefined || this.held) this.unsentWrites.add(write);
    else this.sendNewWrite(write, this.target);
  }

  /** A channel to the leader of this epoch is open: send what waits, and again what that leader has not answered. */
  leaderUp(channel: ChannelId, epoch: Epoch): void {
    this.target = { channel, epoch };
    this.held = false;
    // First: some may be queued at that leader, which nobody waits for any more.
    this.tellFinished();
    // A read is asked anew, under a new id: an answer to the earlier asking may predate those who joined since.
    this.unsendReads();
    // A write keeps its id: this leader knows by it whether it has been carried out already.
    for (const write of this.sentWrites.values()) this.sendWrite(write, this.target);
    this.flush();
  }

  /** The leader is gone, though its connection may still stand: what it has may be answered, but it is sent no more. */
  hold(): void {
    this.held = true;
  }

  /** The leader says that it leads: after a refusal, because its own lease holds again. */
  resume(): void {
    this.held = false;
    this.flush();
  }

  /** Whether there is an open channel to the leader. */
  get hasTarget(): boolean {
    return this.target !== undefined;
  }

  channelDown(channel: ChannelId): void {
    if (this.target?.channel === channel) this.target = undefined;
  }

  /** The leader overwrites this key: what is cached or under way must not reach whoever asks from here on. */
  invalidate(key: Key, version: Version): void {
    this.flights.invalidate(key, version);
  }

  /** Calls have been failed; nothing of the old session is expected any more. */
  sessionLost(): void {
    this.target = undefined;
    this.failAll(sessionLost);
  }

  /**
   * Requests are for another leader from here on. What had been sent as a write may have happened (Z08); but one that
   * leaves cleanly refuses what comes too late, so such writes linger while its channel is open, until the next one leads.
   */
  rehome(): void {
    this.endLingering();
    if (this.target !== undefined) {
      this.lingering = this.sentWrites;
      this.sentWrites = new IdTable();
    }
    this.target = undefined;
    this.held = false;
    this.finished = [];
    this.unsendReads();
    this.failSentWrites();
  }

  get hasLingering(): boolean {
    return this.lingering.size > 0;
  }

  /** The leader before will refuse no more. */
  endLingering(): void {
    for (const write of this.lingering.values()) this.endWrite(write, outcomeUnknown());
  }

  failSentWrites(): void {
    for (const write of this.sentWrites.values()) this.endWrite(write, outcomeUnknown());
  }

  answer(message: Answer): void {
    if (message.type === 'value') this.value(message);
    else if (message.type === 'written') this.written(message);
    else this.refused(message);
  }

  /** A caller gives up; false: it is not one of ours. A flight goes on for the others, and so does a write that has been sent. */
  cancel(call: CallId, code: 'ZISTORE_TIMEOUT' | 'ZISTORE_ABORTED'): boolean {
    const awaits = this.calls.get(call)?.awaits;
    if (awaits === undefined) return false;
    // What would help: without it a cluster that has no leader looks like a slow one.
    const why =
      this.target === undefined || this.held ? ' No leader is connected: is a candidate running, and reachable?' : '';
    if (awaits.kind === 'write') {
      this.endWrite(awaits, cancelled(code, awaits.id === 0 ? 'notApplied' : 'unknown', why));
      // At once: it may be queued behind a lock, and what nobody waits for must not take the place of others.
      this.tellFinished();
      return true;
    }
    awaits.waiters = awaits.waiters.filter((other) => other !== call);
    awaits.late = awaits.late.filter((other) => other !== call);
    this.calls.settle(call, cancelled(code, undefined, why));
    if (awaits.id === 0 && awaits.waiters.length === 0) {
      this.unsentReads.delete(awaits);
      this.flights.finish(awaits);
    }
    return true;
  }

  /** Ends everything: reads with `failure`, writes with it and the outcome that is known of each. */
  failAll(failure: (outcome?: 'notApplied' | 'unknown') => Failure): void {
    for (const [call, awaits] of this.calls.awaiting()) {
      if (awaits.kind === 'read') this.calls.settle(call, failure());
      else this.calls.settle(call, failure(awaits.id === 0 ? 'notApplied' : 'unknown'));
    }
    // Answers that still come find no request and publish nothing; that we are listed as a holder does no harm.
    this.sentReads.clear();
    this.sentWrites.clear();
    this.lingering.clear();
    this.unsentReads.clear();
    this.unsentWrites.clear();
    this.flights.clear();
  }

  /** What waits unsent, taken out to be carried out by this node itself, which now leads. */
  takeAll(): { reads: { key: Key; calls: CallId[] }[]; writes: { call: CallId; key: Key; action: Action }[] } {
    const reads = [...this.unsentReads].map((flight) => ({ key: flight.key, calls: flight.waiters }));
    const writes = [...this.unsentWrites];
    for (const { calls } of reads) for (const call of calls) this.calls.awaits(call, undefined);
    for (const write of writes) this.calls.awaits(write.call, undefined);
    this.endLingering();
    // Nothing is left but what was sent, and that has ended when this node's own epoch was learnt.
    this.failAll(sessionLost);
    return { reads, writes };
  }

  private value(message: Answer & { type: 'value' }): void {
    const flight = this.sentReads.get(message.id);
    if (flight === undefined) return;
    this.sentReads.delete(message.id);
    const { found, holder } = message;
    if (found !== undefined && holder && this.flights.mayPublish(flight, found.version)) {
      this.cache.publish(copyOf(flight.key, found.value, found.version));
    }
    this.flights.finish(flight);
    const result: CallResult = found === undefined ? { ok: true } : { ok: true, value: found.value };
    for (const call of flight.waiters) this.calls.settle(call, result);
    if (holder) for (const call of flight.late) this.calls.settle(call, result);
    // Nothing would have told us of a write between the answer and their asking: they share one new request.
    else if (flight.late.length > 0) this.askAgain(flight);
  }

  private askAgain(old: Flight): void {
    let flight = this.flights.joinable(old.key);
    if (flight === undefined || flight.id !== 0) {
      flight = this.flights.startRead(old.key, []);
      this.unsentReads.add(flight);
    }
    for (const call of old.late) {
      flight.waiters.push(call);
      this.calls.awaits(call, flight);
    }
    this.flush();
  }

  private written(message: Answer & { type: 'written' }): void {
    const write = this.sentWrites.get(message.id);
    if (write === undefined) return;
    const { version, holder, existed } = message;
    if (write.action.kind === 'set' && holder && this.flights.mayPublish(write, version)) {
      this.cache.publish(copyOf(write.key, write.action.value, version));
    }
    this.endWrite(write, { ok: true, existed });
  }

  /** It was not carried out and never will be under this id: it may be sent again, under a new one (Z25 S19). */
  private refused(message: Answer & { type: 'refused' }): void {
    const flight = this.sentReads.get(message.id);
    const lingering = this.lingering.get(message.id);
    const write = this.sentWrites.get(message.id) ?? lingering;
    // One that comes late, from a leader before: it says nothing about the one that is followed now.
    if (flight === undefined && write === undefined) return;
    if (message.reason === 'limit' || message.reason === 'busy') {
      const said = message.detail ?? 'The leader is at one of its limits.';
      const failure = message.reason === 'busy' ? queueFull(said) : limitExceeded(said);
      if (write !== undefined) this.endWrite(write, { ...failure, outcome: 'notApplied' });
      if (flight !== undefined) this.endRead(flight, failure);
      return;
    }
    if (flight !== undefined) {
      this.sentReads.delete(message.id);
      this.unsend(flight);
    }
    if (write !== undefined) {
      this.sentWrites.delete(message.id);
      this.lingering.delete(message.id);
      write.id = 0;
      this.unsentWrites.add(write);
    }
    if (lingering !== undefined) {
      // Ids are never given twice, so it was the leader before that refused: the one of now may be asked at once.
      this.flush();
      return;
    }
    // Not to this leader until it says that it leads (again): a refusal still on its way when the leader changes would
    // make what never happened an unknown outcome.
    this.held = true;
  }

  private flush(): void {
    const { target } = this;
    if (target === undefined || this.held) return;
    for (const flight of this.unsentReads) this.sendRead(flight, target);
    this.unsentReads.clear();
    for (const write of this.unsentWrites) this.sendNewWrite(write, target);
    this.unsentWrites.clear();
  }

  private ask(flight: Flight): void {
    if (this.target === undefined || this.held) this.unsentReads.add(flight);
    else this.sendRead(flight, this.target);
  }

  private sendRead(flight: Flight, { channel, epoch }: Target): void {
    flight.id = this.nextId++;
    this.sentReads.set(flight.id, flight);
    this.counters.serverReadsSent += 1;
    this.channels.send(channel, { type: 'get', epoch, id: flight.id, key: flight.key });
  }

  private sendNewWrite(write: PendingWrite, target: Target): void {
    write.id = this.nextId++;
    this.sentWrites.set(write.id, write);
    // It is the newest, so all that have ended lie below, and if it is the oldest as well, it says so of all of them.
    if (this.sentWrites.size === 1) this.finished = [];
    this.sendWrite(write, target);
  }

  private tellFinished(): void {
    if (this.target === undefined || this.finished.length === 0) return;
    const { channel, epoch } = this.target;
    for (let from = 0; from < this.finished.length; from += MAX_SETTLED_IDS) {
      this.channels.send(channel, { type: 'settled', epoch, ids: this.finished.slice(from, from + MAX_SETTLED_IDS) });
    }
    this.finished = [];
  }

  private sendWrite(write: PendingWrite, { channel, epoch }: Target): void {
    const settled = this.sentWrites.oldest() ?? write.id;
    this.settledSaid = settled;
    const { key, action, id } = write;
    this.channels.send(channel, { type: 'write', epoch, id, settled, key, action });
  }

  /**
   * All reads are to be asked anew: once a key, however often it was invalidated meanwhile. What a leader has to answer
   * at once is then no more than it holds, so a connection that was closed for too much is not closed for it again.
   */
  private unsendReads(): void {
    const first = new Map<Key, Flight>();
    for (const flight of this.sentReads.values()) {
      const into = first.get(flight.key);
      if (into !== undefined) this.merge(flight, into);
      else {
        this.unsend(flight);
        if (flight.waiters.length > 0) first.set(flight.key, flight);
      }
    }
    this.sentReads.clear();
  }

  private merge(flight: Flight, into: Flight): void {
    for (const call of [...flight.waiters, ...flight.late]) {
      into.waiters.push(call);
      this.calls.awaits(call, into);
    }
    this.flights.merge(flight, into);
  }

  private unsend(flight: Flight): void {
    flight.id = 0;
    for (const call of flight.late) flight.waiters.push(call);
    flight.late = [];
    if (flight.waiters.length > 0) this.unsentReads.add(flight);
    else this.flights.finish(flight);
  }

  private endRead(flight: Flight, result: CallResult): void {
    this.sentReads.delete(flight.id);
    this.flights.finish(flight);
    for (const call of [...flight.waiters, ...flight.late]) this.calls.settle(call, result);
  }

  private endWrite(write: PendingWrite, result: CallResult): void {
    if (this.sentWrites.delete(write.id)) {
      this.finished.push(write.id);
      if (this.finished.length >= FINISHED_BATCH) this.pruneFinished();
    }
    this.lingering.delete(write.id);
    this.unsentWrites.delete(write);
    this.flights.finish(write);
    this.calls.settle(write.call, result);
  }

  /** While writes go on, each says of most of these that they are settled; only the others take a message of their own. */
  private pruneFinished(): void {
    this.finished = this.finished.filter((id) => id >= this.settledSaid);
    if (this.finished.length >= FINISHED_BATCH) this.tellFinished();
  }
}
