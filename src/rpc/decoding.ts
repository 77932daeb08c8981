/**
 * Reads the kinds of messages that traffic is made of straight into objects. It knows only what `encoding.ts` writes,
 * and leaves the rest, and whatever is odd, to the reader of the whole format, which is ten times as slow and says what
 * is wrong. Bytes are those of nobody who is vouched for: each length is checked against what is there.
 */
import { isUtf8 } from 'node:buffer';
import type { Action, Message } from '../core/messages.ts';
import { type Epoch, type Key, toEpoch, type Value, type Version } from '../core/types.ts';

/** Up to here a loop that looks for what is not ASCII is faster than calling into the runtime. */
const SHORT_TEXT = 64;
/** Up to here a loop copies bytes faster than a call into the runtime does. */
const SHORT_BINARY = 32;

/** The last epoch read, by its bytes: nearly all are the same, and making one costs more than reading a message. */
class EpochMemory {
  #high = 0;
  #low = 0;
  #epoch = toEpoch(0n);

  of(high: number, low: number): Epoch {
    if (high === this.#high && low === this.#low) return this.#epoch;
    this.#epoch = toEpoch((BigInt(high) << 32n) | BigInt(low));
    this.#high = high;
    this.#low = low;
    return this.#epoch;
  }
}

const ofMessages = new EpochMemory();
/** Values may be older than the leader. */
const ofVersions = new EpochMemory();

/** Any method that returns undefined (or -1, for a number) has found something that it does not know. */
export class TrafficReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next message, or undefined: `at` is where it was. */
  read(): Message | undefined {
    const start = this.at;
    const message = this.#read();
    if (message === undefined) this.at = start;
    return message;
  }

  #read(): Message | undefined {
    const bytes = this.#bytes;
    if (bytes.length - this.at < 2) return undefined;
    const size = bytes[this.at++];
    switch (bytes[this.at++]) {
      case 1:
        return size === 0x94 ? this.#get() : undefined;
      case 2:
        return size === 0x96 ? this.#write() : undefined;
      case 3:
        return size === 0x95 ? this.#value() : undefined;
      case 4:
        return size === 0x96 ? this.#written() : undefined;
      case 6:
        return size === 0x94 ? this.#invalidate() : undefined;
      case 7:
        return size === 0x94 ? this.#invalidated() : undefined;
      case 16:
        return size === 0x93 ? this.#settled() : undefined;
      default:
        return undefined;
    }
  }

  #get(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const id = this.#count();
    if (id < 0) return undefined;
    const key = this.#text();
    return key === undefined ? undefined : { type: 'get', epoch, id, key: key as Key };
  }

  #write(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const id = this.#count();
    const settled = this.#count();
    if (id < 0 || settled < 0) return undefined;
    const key = this.#text();
    if (key === undefined) return undefined;
    const action = this.#action();
    return action === undefined ? undefined : { type: 'write', epoch, id, settled, key: key as Key, action };
  }

  #action(): Action | undefined {
    const size = this.#byte();
    const kind = this.#byte();
    if (size === 0x91 && kind === 1) return { kind: 'delete' };
    if (size !== 0x92 || kind !== 0) return undefined;
    const value = this.#content();
    return value === undefined ? undefined : { kind: 'set', value };
  }

  #value(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const id = this.#count();
    if (id < 0) return undefined;
    const what = this.#byte();
    if (what === 0xc0) {
      const holder = this.#flag();
      return holder === undefined ? undefined : { type: 'value', epoch, id, holder };
    }
    if (what !== 0x93) return undefined;
    const value = this.#content();
    if (value === undefined) return undefined;
    const version = this.#version();
    if (version === undefined) return undefined;
    const holder = this.#flag();
    return holder === undefined ? undefined : { type: 'value', epoch, id, found: { value, version }, holder };
  }

  #written(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const id = this.#count();
    if (id < 0 || this.#byte() !== 0x92) return undefined;
    const version = this.#version();
    if (version === undefined) return undefined;
    const existed = this.#flag();
    const holder = this.#flag();
    if (existed === undefined || holder === undefined) return undefined;
    return { type: 'written', epoch, id, version, existed, holder };
  }

  #invalidate(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const key = this.#text();
    if (key === undefined || this.#byte() !== 0x92) return undefined;
    const version = this.#version();
    return version === undefined ? undefined : { type: 'invalidate', epoch, key: key as Key, version };
  }

  #invalidated(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const key = this.#text();
    if (key === undefined || this.#byte() !== 0x92) return undefined;
    const version = this.#version();
    return version === undefined ? undefined : { type: 'invalidated', epoch, key: key as Key, version };
  }

  #settled(): Message | undefined {
    const epoch = this.#epoch(ofMessages);
    if (epoch === undefined) return undefined;
    const token = this.#byte();
    const length = token >= 0x90 && token < 0xa0 ? token - 0x90 : token === 0xdc ? this.#uint(1) : -1;
    // Every number takes at least one byte: no length is believed that the frame cannot hold.
    if (length < 0 || length > this.#bytes.length - this.at) return undefined;
    const ids: number[] = [];
    for (let i = 0; i < length; i++) {
      const id = this.#count();
      if (id < 0) return undefined;
      ids.push(id);
    }
    return { type: 'settled', epoch, ids };
  }

  #version(): Version | undefined {
    const epoch = this.#epoch(ofVersions);
    if (epoch === undefined) return undefined;
    const counter = this.#count();
    return counter < 0 ? undefined : { epoch, counter };
  }

  #byte(): number {
    return this.at < this.#bytes.length ? (this.#bytes[this.at++] as number) : -1;
  }

  /** Where `length` bytes start, past which it moves; -1 if they are not there. */
  #take(length: number): number {
    const start = this.at;
    if (length > this.#bytes.length - start) return -1;
    this.at = start + length;
    return start;
  }

  #epoch(memory: EpochMemory): Epoch | undefined {
    const bytes = this.#bytes;
    const at = this.#take(9);
    if (at < 0) return undefined;
    const high = word(bytes, at + 1);
    // A signed number must not be negative.
    if (bytes[at] === 0xd3 ? high > 0x7fff_ffff : bytes[at] !== 0xcf) return undefined;
    return memory.of(high, word(bytes, at + 5));
  }

  #count(): number {
    const token = this.#byte();
    if (token < 0x80) return token;
    if (token < 0xcc || token > 0xce) return token === 0xcb ? this.#large() : -1;
    return this.#uint(token - 0xcc);
  }

  /** Of 8, 16 or 32 bits. */
  #uint(width: number): number {
    const bytes = this.#bytes;
    const at = this.#take(1 << width);
    if (at < 0) return -1;
    if (width === 0) return bytes[at] as number;
    return width === 1 ? ((bytes[at] as number) << 8) | (bytes[at + 1] as number) : word(bytes, at);
  }

  #large(): number {
    const at = this.#take(8);
    if (at < 0) return -1;
    const value = this.#bytes.readDoubleBE(at);
    return Number.isSafeInteger(value) && value > 0 ? value : -1;
  }

  #flag(): boolean | undefined {
    const token = this.#byte();
    if (token === 0xc3) return true;
    return token === 0xc2 ? false : undefined;
  }

  #content(): Value | undefined {
    const token = this.#bytes[this.at];
    return token === 0xc4 || token === 0xc5 || token === 0xc6 ? this.#binary() : this.#text();
  }

  #binary(): Uint8Array | undefined {
    const length = this.#uint(this.#byte() - 0xc4);
    const start = length < 0 ? -1 : this.#take(length);
    if (start < 0) return undefined;
    const bytes = this.#bytes;
    // A copy: a cached value must not keep the whole frame alive that it came in.
    if (length > SHORT_BINARY) return new Uint8Array(bytes.subarray(start, start + length));
    const copy = new Uint8Array(length);
    for (let i = 0; i < length; i++) copy[i] = bytes[start + i] as number;
    return copy;
  }

  #text(): string | undefined {
    const token = this.#byte();
    let length = -1;
    if (token >= 0xa0 && token < 0xc0) length = token - 0xa0;
    else if (token >= 0xd9 && token <= 0xdb) length = this.#uint(token - 0xd9);
    const start = length < 0 ? -1 : this.#take(length);
    if (start < 0) return undefined;
    const bytes = this.#bytes;
    const end = start + length;
    if (length <= SHORT_TEXT && isAscii(bytes, start, end)) return bytes.toString('latin1', start, end);
    return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
  }
}

function word(bytes: Buffer, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return ((high << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}
