/** The words of the protocol as types. See docs/protocol.md for what they mean. */

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * The creation zxid of a member znode: tells two lives of one address apart. 0n is nobody's.
 * A candidate's election znode is created in the same ZooKeeper transaction and so has the same zxid: **the epoch of a
 * leader is its incarnation.** `election.ts` checks that the coordination service keeps this.
 */
export type Incarnation = Brand<bigint, 'Incarnation'>;

/** The creation zxid of the leader's election znode: the fencing token. Only grows. 0n: none known. */
export type Epoch = Brand<bigint, 'Epoch'>;

export const NO_EPOCH = 0n as Epoch;
export const toEpoch = (zxid: bigint): Epoch => zxid as Epoch;
export const toIncarnation = (zxid: bigint): Incarnation => zxid as Incarnation;

/** `host:port` under which peers reach a node. */
export type Address = Brand<string, 'Address'>;
export const toAddress = (text: string): Address => text as Address;

/** One life of one node. */
export interface Member {
  readonly address: Address;
  readonly incarnation: Incarnation;
}

/** A member as one string, for maps. */
export type MemberId = Brand<string, 'MemberId'>;
export const memberId = (m: Member): MemberId => `${m.address}#${m.incarnation}` as MemberId;
/** The epoch in which a member leads, if it ever does: see `Incarnation`. */
export const epochOf = (m: Member): Epoch => m.incarnation as bigint as Epoch;
export const sameMember = (a: Member, b: Member): boolean => a.incarnation === b.incarnation && a.address === b.address;

/** Order number of a write (Z12): one counter per epoch, never per key. */
export interface Version {
  readonly epoch: Epoch;
  readonly counter: number;
}

/** Negative when a is older than b, 0 when equal. */
export function compareVersions(a: Version, b: Version): number {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  return a.counter - b.counter;
}

/**
 * A key in its canonical form: well-formed text stands for its UTF-8 bytes; bytes that are not valid UTF-8 are a lone
 * surrogate followed by one char per byte, which no text can be. `keys.ts` converts.
 */
export type Key = Brand<string, 'Key'>;

/** A value as the core carries it: opaque. Text stays text, bytes stay bytes. Never mutated. */
export type Value = string | Uint8Array;

export interface Copy {
  readonly key: Key;
  readonly value: Value;
  readonly version: Version;
  /** Whether it was read since eviction last passed by. This node's own affair, never sent. */
  used?: boolean;
}

/** For copies that are kept: all of one shape, which makes reading them cheap wherever they come from. */
export const copyOf = (key: Key, value: Value, version: Version): Copy => ({ key, value, version, used: false });
