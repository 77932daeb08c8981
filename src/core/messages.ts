/**
 * Everything that nodes say to each other. Kinds are only appended; a change of meaning is a new WIRE_VERSION.
 *
 * Every message carries in `epoch` the leader's epoch as its sender knows it: the fencing token, checked first by
 * whoever receives it. Nothing here depends on any order between connections, nor on a message arriving only once.
 * An answer goes back on the connection on which its request came.
 */
import type { Address, Copy, Epoch, Key, Value, Version } from './types.ts';

/** Compared in the hello and in the cluster's configuration; nodes of different wire versions refuse each other. */
export const WIRE_VERSION = 1;

/** What a write does to its key. Other apply steps (append, compare-and-set) will be further kinds. */
export type Action = { readonly kind: 'set'; readonly value: Value } | { readonly kind: 'delete' };

/**
 * Why a request was refused. Each one says that the request was **not** carried out and never will be.
 * `epoch`: the request or its receiver was of another epoch · `notLeader` · `noLease`: the leader cannot prove its own
 * session just now (Z26) · `limit`: a bound of what the leader may hold was hit · `busy`: as many operations wait at
 * the leader as may.
 */
export type RefusalReason = 'epoch' | 'notLeader' | 'noLease' | 'limit' | 'busy';

/** Sent by a follower to the leader (Z36 Z37), answered by `value`, `written` or `refused` with the same id. */
export type Request =
  | { readonly type: 'get'; readonly epoch: Epoch; readonly id: number; readonly key: Key }
  | {
      readonly type: 'write';
      readonly epoch: Epoch;
      /** Operation id: unique within the sender's incarnation and the same when the write is sent again. */
      readonly id: number;
      /** Every operation id below this one is settled at the sender, so the leader may forget its result. */
      readonly settled: number;
      readonly key: Key;
      readonly action: Action;
    };

/**
 * The sender waits for these writes no longer: what has not begun is taken out, and what they came to may be
 * forgotten. Says what `write.settled` cannot while an older write is still waited for. Not answered. A connection need
 * not deliver a write that one of both, sent after it, says to be settled.
 */
export type Settled = { readonly type: 'settled'; readonly epoch: Epoch; readonly ids: readonly number[] };

export type Answer =
  | {
      readonly type: 'value';
      readonly epoch: Epoch;
      readonly id: number;
      /** Absent: the key has no value. */
      readonly found?: { readonly value: Value; readonly version: Version };
      /** Whether the leader has listed the asker as a holder: only then may the answer be cached. */
      readonly holder: boolean;
    }
  | {
      readonly type: 'written';
      readonly epoch: Epoch;
      readonly id: number;
      readonly version: Version;
      /** Whether the key had a value before. */
      readonly existed: boolean;
      /** Whether the leader has listed the writer as the holder of what it wrote. */
      readonly holder: boolean;
    }
  | {
      readonly type: 'refused';
      readonly epoch: Epoch;
      readonly id: number;
      readonly reason: RefusalReason;
      /** For `limit`: which one, for the caller's eyes. */
      readonly detail?: string;
    };

/** Leader to holder (Z39) and back. The acknowledgement names the version it is for. */
export type Invalidation =
  | { readonly type: 'invalidate'; readonly epoch: Epoch; readonly key: Key; readonly version: Version }
  | { readonly type: 'invalidated'; readonly epoch: Epoch; readonly key: Key; readonly version: Version };

/** Takeover: between the member that takes over and every other one. */
export type Takeover =
  /** New leader to member: hide your copies, and offer them on this connection. */
  | { readonly type: 'fence'; readonly epoch: Epoch }
  /** Member to new leader, answering a fence or unasked: page `page` of its copies, starting at 0. */
  | {
      readonly type: 'offer';
      readonly epoch: Epoch;
      readonly page: number;
      readonly last: boolean;
      /** The epochs in which all these copies were cached or last adopted. */
      readonly labels: readonly Epoch[];
      readonly copies: readonly Copy[];
    }
  /** New leader to member: page taken, send the next one. */
  | { readonly type: 'offered'; readonly epoch: Epoch; readonly page: number }
  /**
   * New leader to member: keep what you offered if it is labelled `base` (the epoch in `served`), but for `drop`;
   * label it with this epoch as well and keep it hidden.
   */
  | { readonly type: 'adopt'; readonly epoch: Epoch; readonly base: Epoch; readonly drop: readonly Key[] }
  | { readonly type: 'adopted'; readonly epoch: Epoch }
  /** Leader to member: I have finished takeover; what you adopted may be seen again. */
  | { readonly type: 'leading'; readonly epoch: Epoch };

/** What a node tells about itself, for `zistore status`. */
export interface NodeReport {
  readonly address: Address;
  readonly role: string;
  readonly live: boolean;
  readonly entries: number;
}

export type Inspection =
  | { readonly type: 'inspect'; readonly epoch: Epoch; readonly id: number }
  | { readonly type: 'report'; readonly epoch: Epoch; readonly id: number; readonly report: NodeReport };

export type Message = Request | Settled | Answer | Invalidation | Takeover | Inspection;
