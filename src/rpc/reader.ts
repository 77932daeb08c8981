/**
 * Reads the part of MessagePack that ZiStore's frames use, from bytes that nobody vouches for.
 *
 * msgpackr writes the frames but does not read them: its reader takes the whole format (maps, extensions, invalid
 * UTF-8) and strips the byte order mark from long texts, which would change a value. This one checks each length
 * against the bytes that are there before it allocates, so what it allocates is bounded by the size of the frame.
 */
import { isUtf8 } from 'node:buffer';

/** What a frame is made of, once read. */
export type Raw = null | boolean | number | bigint | string | Uint8Array | readonly Raw[];

/** The bytes of a peer are not what ZiStore's wire format allows. The connection they came on has to be closed. */
export class MalformedFrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedFrameError';
  }
}

/** A page of copies is the deepest: message, copies, copy, version. */
const MAX_DEPTH = 5;

export class FrameReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(frame: Uint8Array, at = 0) {
    this.#at = at;
    this.#bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next value. Throws MalformedFrameError. */
  read(depth = 0): Raw {
    const token = this.#uint(1);
    if (token < 0x80) return token;
    if (token >= 0x90 && token < 0xa0) return this.#array(token - 0x90, depth);
    if (token >= 0xa0 && token < 0xc0) return this.#text(token - 0xa0);
    return this.#tagged(token, depth);
  }

  #tagged(token: number, depth: number): Raw {
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#uint(1));
      case 0xc5:
        return this.#binary(this.#uint(2));
      case 0xc6:
        return this.#binary(this.#uint(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return this.#bytes.readBigUInt64BE(this.#take(8));
      case 0xd3:
        return this.#bytes.readBigInt64BE(this.#take(8));
      case 0xd9:
        return this.#text(this.#uint(1));
      case 0xda:
        return this.#text(this.#uint(2));
      case 0xdb:
        return this.#text(this.#uint(4));
      case 0xdc:
        return this.#array(this.#uint(2), depth);
      case 0xdd:
        return this.#array(this.#uint(4), depth);
      default:
        throw new MalformedFrameError(`type 0x${token.toString(16)} has no place in a frame`);
    }
  }

  /** Moves past `length` bytes that must be there; where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new MalformedFrameError('cut off in the middle of a value');
    this.#at = start + length;
    return start;
  }

  #uint(width: 1 | 2 | 4): number {
    const start = this.#take(width);
    if (width === 1) return this.#bytes[start] as number;
    return width === 2 ? this.#bytes.readUInt16BE(start) : this.#bytes.readUInt32BE(start);
  }

  #text(length: number): string {
    const start = this.#take(length);
    if (!isUtf8(this.#bytes.subarray(start, this.#at))) throw new MalformedFrameError('text that is not UTF-8');
    return this.#bytes.toString('utf8', start, this.#at);
  }

  /** A copy: a cached value must not keep the whole frame alive that it came in. */
  #binary(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, this.#at));
  }

  #array(length: number, depth: number): Raw[] {
    if (depth === MAX_DEPTH) throw new MalformedFrameError('nested too deeply');
    // Every element takes at least one byte: no length is believed that the frame cannot hold.
    if (length > this.#bytes.length - this.#at) throw new MalformedFrameError('a list longer than its frame');
    const list: Raw[] = [];
    for (let i = 0; i < length; i++) list.push(this.read(depth + 1));
    return list;
  }
}
