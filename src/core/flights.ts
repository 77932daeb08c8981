/**
 * Single flight: at most one request a key that callers may join, and per key the floor below which nothing is
 * published. Floors live only as long as something is outstanding for their key; without a request outstanding no
 * answer can be published, so none is needed.
 */
import type { CallId } from './effects.ts';
import type { Action } from './messages.ts';
import { compareVersions, type Key, type Version } from './types.ts';

/** What a key's requests have in common, as long as there are any. */
interface KeyState {
  readonly key: Key;
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
  private readonly keys = new Map<Key, KeyState>();

  /** Keys with something outstanding. */
  get size(): number {
    return this.keys.size;
  }

  /** The flight to join, or undefined. */
  joinable(key: Key): Flight | undefined {
    return this.keys.get(key)?.joinable;
  }

  /** A read starts; callers join it from here on, unless there is one to join already. */
  startRead(key: Key, waiters: CallId[]): Flight {
    const state = this.hold(key);
    const flight: Flight = { kind: 'read', key, state, id: 0, waiters, late: [] };
    state.joinable ??= flight;
    return flight;
  }

  /** A write starts: its answer, too, is published under the floor rule. */
  startWrite(call: CallId, key: Key, action: Action): PendingWrite {
    return { kind: 'write', key, state: this.hold(key), call, action, id: 0 };
  }

  /** A request is finished, whatever became of it. */
  finish(request: Flight | PendingWrite): void {
    const { state } = request;
    if (state.joinable === request) state.joinable = undefined;
    state.outstanding -= 1;
    if (state.outstanding === 0) this.keys.delete(state.key);
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

  private hold(key: Key): KeyState {
    let state = this.keys.get(key);
    if (state === undefined) {
      state = { key, floor: undefined, joinable: undefined, outstanding: 0 };
      this.keys.set(key, state);
    }
    state.outstanding += 1;
    return state;
  }
}
