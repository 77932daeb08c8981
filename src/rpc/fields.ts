/** The fields that messages are made of: how each is written to a frame, and what of it is believed when read. */
import { isUtf8 } from 'node:buffer';
import type { Action, NodeReport, RefusalReason } from '../core/messages.ts';
import {
  type Address,
  type Copy,
  copyOf,
  type Epoch,
  type Key,
  toAddress,
  toEpoch,
  type Value,
  type Version,
} from '../core/types.ts';
import { MalformedFrameError, type Raw } from './reader.ts';

export interface Field<T> {
  /** To what msgpackr writes. */
  write(value: T): unknown;
  /** From what was read. Throws MalformedFrameError. */
  read(raw: Raw | undefined): T;
}

const MAX_ZXID = 0xffff_ffff_ffff_ffffn;
const MAX_LABELS = 1024;
/** A DNS name has at most 253 characters; a port and brackets are added. */
const MAX_ADDRESS = 270;
const MAX_ROLE = 64;
const MAX_DETAIL = 512;
/** First char of a key that is not text (core/types.ts). */
const BINARY_KEY = '\ud800';

function refuse(what: string): never {
  throw new MalformedFrameError(`expected ${what}`);
}

/** A list of exactly this length. */
export function tuple(raw: Raw | undefined, length: number, what: string): readonly Raw[] {
  return Array.isArray(raw) && raw.length === length ? raw : refuse(what);
}

export const zxid: Field<bigint> = {
  write: (value) => value,
  read: (raw) => (typeof raw === 'bigint' && raw >= 0n && raw <= MAX_ZXID ? raw : refuse('a zxid')),
};

export const epoch: Field<Epoch> = { write: zxid.write, read: (raw) => toEpoch(zxid.read(raw)) };

/** Ids, counters and numbers of things: whole, not negative, exact. */
export const count: Field<number> = {
  write: (value) => value,
  read: (raw) =>
    typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0 && !Object.is(raw, -0)
      ? raw
      : refuse('a whole number'),
};

export const flag: Field<boolean> = {
  write: (value) => value,
  read: (raw) => (typeof raw === 'boolean' ? raw : refuse('true or false')),
};

/** Text of at most `max` UTF-16 units; longer text is cut where it is written (half a character becomes U+FFFD). */
export function text(max: number, what: string): Field<string> {
  return {
    write: (value) => (value.length > max ? value.slice(0, max) : value),
    read: (raw) => (typeof raw === 'string' && raw.length <= max ? raw : refuse(what)),
  };
}

const addressText = text(MAX_ADDRESS, 'an address');
export const address: Field<Address> = { write: addressText.write, read: (raw) => toAddress(addressText.read(raw)) };

/** Two forms on the wire as in the core, and only one of them for each key: else one key could have two entries. */
export const key: Field<Key> = {
  write: (value) => (isBinaryKey(value) ? Buffer.from(value.slice(1), 'latin1') : value),
  read: (raw) => {
    if (typeof raw === 'string') return raw as Key;
    if (!(raw instanceof Uint8Array)) return refuse('a key');
    if (isUtf8(raw)) return refuse('a key of text to be sent as text');
    return (BINARY_KEY + Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1')) as Key;
  },
};

/** Whether it stands for bytes. A whole character outside the basic plane starts with a surrogate as well. */
export function isBinaryKey(value: string): boolean {
  if (value.charCodeAt(0) !== 0xd800) return false;
  const next = value.charCodeAt(1);
  return !(next >= 0xdc00 && next <= 0xdfff);
}

export const value: Field<Value> = {
  write: (it) => it,
  read: (raw) => (typeof raw === 'string' || raw instanceof Uint8Array ? raw : refuse('a value')),
};

export const version: Field<Version> = {
  write: (it) => [it.epoch, it.counter],
  read: (raw) => {
    const [first, second] = tuple(raw, 2, 'a version');
    return { epoch: epoch.read(first), counter: count.read(second) };
  },
};

export const found: Field<{ readonly value: Value; readonly version: Version } | undefined> = {
  write: (it) => (it === undefined ? null : [it.value, it.version.epoch, it.version.counter]),
  read: (raw) => {
    if (raw === null) return undefined;
    const [first, ...rest] = tuple(raw, 3, 'a value with its version');
    return { value: value.read(first), version: version.read(rest) };
  },
};

export const copy: Field<Copy> = {
  write: (it) => [key.write(it.key), value.write(it.value), it.version.epoch, it.version.counter],
  read: (raw) => {
    const [first, second, ...rest] = tuple(raw, 4, 'a copy');
    return copyOf(key.read(first), value.read(second), version.read(rest));
  },
};

export function list<T>(field: Field<T>, max = Number.POSITIVE_INFINITY): Field<readonly T[]> {
  return {
    write: (items) => items.map(field.write),
    read: (raw) => (Array.isArray(raw) && raw.length <= max ? raw.map((item) => field.read(item)) : refuse('a list')),
  };
}

export const labels = list(epoch, MAX_LABELS);

/** Further kinds of actions are appended. */
export const action: Field<Action> = {
  write: (it) => (it.kind === 'set' ? [0, value.write(it.value)] : [1]),
  read: (raw) => {
    if (!Array.isArray(raw)) return refuse('an action');
    if (raw.length === 2 && raw[0] === 0) return { kind: 'set', value: value.read(raw[1]) };
    return raw.length === 1 && raw[0] === 1 ? { kind: 'delete' } : refuse('a known action');
  },
};

/** By position on the wire; only appended. */
const REASONS: readonly RefusalReason[] = ['epoch', 'notLeader', 'noLease', 'limit', 'busy'];

export const reason: Field<RefusalReason> = {
  write: (it) => REASONS.indexOf(it),
  read: (raw) => REASONS[count.read(raw)] ?? refuse('a known reason'),
};

const detailText = text(MAX_DETAIL, 'a detail');
export const detail: Field<string | undefined> = {
  write: (it) => (it === undefined ? null : detailText.write(it)),
  read: (raw) => (raw === null ? undefined : detailText.read(raw)),
};

const role = text(MAX_ROLE, 'a role');
export const report: Field<NodeReport> = {
  write: (it) => [address.write(it.address), role.write(it.role), it.live, it.entries],
  read: (raw) => {
    const [first, second, third, fourth] = tuple(raw, 4, 'a report');
    return {
      address: address.read(first),
      role: role.read(second),
      live: flag.read(third),
      entries: count.read(fourth),
    };
  },
};
