/**
 * Single flight: at most one request a key that callers may join, and per key the floor below which nothing is
 * published. Floors live only as long as something is outstanding for their key; without a request outstanding no
 * answer can be published, so none is needed.
 */
import type { CallId } from './effects.ts';
import { KeyTable } from './key-table.ts';
import type { Action } from './messages.ts';
import { compareVersions, type Key, type Version } from './types.ts';

/** What a key's requests have in common, as long as there are any. */
interface KeyState {
  readonly key: Key;
  /** In the table. */
  readonly hash: number;
  floor: Version | undefined;
  /** The flight that new callers join. */
  joinable: Flight | undefined;
  /** Requests, reads and writes, that are not finished. */
  outstanding: number;
}

/** A read of one key that is on its way, or waits for a leader. */
export interface Flight {
  readonly kind: 'read';
  readonly key: Key;
  readonly state: KeyState;
  /** Request id; 0 while not sent. */
  id: number;
  /** Callers that were waiting when the request was sent: any answer serves them. */
  waiters: CallId[];
  /** Callers that joined since: only an answer that made us a holder serves them, for it was current until invalidated. */
  late: CallId[];
}

/** A write of this node's that is on its way, or waits for a leader. */
export interface PendingWrite {
  readonly kind: 'write';
  readonly key: Key;
  readonly state: KeyState;
  readonly call: CallId;
  readonly action: Action;
  /** Operation id; 0 while not sent. */
  id: number;
}

export class Flights {
  private readonly keys: KeyTable<KeyState>;

  constructor(seed: number) {
    this.keys = new KeyTable(seed);
  }

  /** Keys with something outstanding. */
  get size(): number {
    return this.keys.size;
  }

  /** The flight to join, or undefined. */
  joinable(key: Key): Flight | undefined {
    return this.keys.get(key)?.joinable;
  }

  /** A caller's read joins the flight that there is, or starts one: then its `waiters` are this call alone. */
  join(key: Key, call: CallId): Flight {
    const state = this.stateOf(key);
    const flight = state.joinable;
    if (flight === undefined) return this.startIn(state, [call]);
    if (flight.id === 0) flight.waiters.push(call);
    else flight.late.push(call);
    return flight;
  }

  /** A read starts; callers join it from here on, unless there is one to join already. */
  startRead(key: Key, waiters: CallId[]): Flight {
    return this.startIn(this.stateOf(key), waiters);
  }

  /** A write starts: its answer, too, is published under the floor rule. */
  startWrite(call: CallId, key: Key, action: Action): PendingWrite {
    const state = this.stateOf(key);
    state.outstanding += 1;
    return { kind: 'write', key, state, call, action, id: 0 };
  }

  /** A request is finished, whatever became of it. */
  finish(request: Flight | PendingWrite): void {
    const { state } = request;
    if (state.joinable === request) state.joinable = undefined;
    state.outstanding -= 1;
    if (state.outstanding === 0) this.keys.delete(state.key, state.hash);
  }

  /** A read goes on as another one of its key, which has not been sent. */
  merge(flight: Flight, into: Flight): void {
    if (flight.state.joinable === flight) flight.state.joinable = into;
    this.finish(flight);
  }

  /**
   * Whoever asks from here on starts after this invalidation may have been acknowledged, so an answer older than it
   * must not reach them: the flight under way goes on for those who wait, but nobody joins it any more.
   */
  invalidate(key: Key, version: Version): void {
    const state = this.keys.get(key);
    if (state === undefined) return;
    if (state.floor === undefined || compareVersions(state.floor, version) < 0) state.floor = version;
    state.joinable = undefined;
  }

  /** Whether what a request was answered with may be cached. */
  mayPublish({ state: { floor } }: Flight | PendingWrite, version: Version): boolean {
    return floor === undefined || compareVersions(version, floor) >= 0;
  }

  /** Everything outstanding is over. */
  clear(): void {
    this.keys.clear();
  }

  private startIn(state: KeyState, waiters: CallId[]): Flight {
    const flight: Flight = { kind: 'read', key: state.key, state, id: 0, waiters, late: [] };
    state.outstanding += 1;
    state.joinable ??= flight;
    return flight;
  }

  /** Of a key that has a request, or is about to. */
  private stateOf(key: Key): KeyState {
    const hash = this.keys.hash(key);
    let state = this.keys.get(key, hash);
    if (state === undefined) {
      state = { key, hash, floor: undefined, joinable: undefined, outstanding: 0 };
      this.keys.add(key, state, hash);
    }
    return state;
  }
}
