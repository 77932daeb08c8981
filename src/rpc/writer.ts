/**
 * The bytes of frames, written by hand where msgpackr would make a list of fields, a buffer and a copy of each message.
 * What it writes is byte for byte what msgpackr writes (test/unit/rpc/codec.test.ts).
 *
 * Frames lie one behind the other in a slab that is never written twice, so a socket may keep what it was given.
 */

/** Room in front of a frame, for whatever a transport puts there, so that both are one piece: one call of the system. */
export const HEADER_ROOM = 14;
const SLAB_BYTES = 64 * 1024;
/** A slab with less left is done with: frames of a few messages each would cost more than what is wasted. */
const LEAST_ROOM = 16 * 1024;
/** Up to here a loop over the chars is faster than calling into the runtime. */
const SHORT_TEXT = 48;
const MAX_ZXID = 0xffff_ffff_ffff_ffffn;
const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** The bytes of one epoch. Nearly all that a node sends is of one: 64-bit arithmetic costs more than all else. */
class EpochBytes {
  #epoch = 0n;
  tag = 0xd3;
  high = 0;
  low = 0;

  of(epoch: bigint): this {
    if (epoch === this.#epoch) return this;
    if (epoch < 0n || epoch > MAX_ZXID) throw new RangeError('an epoch of more than 64 bits');
    this.#epoch = epoch;
    this.tag = epoch > MAX_INT64 ? 0xcf : 0xd3;
    this.high = Number(epoch >> 32n);
    this.low = Number(epoch & 0xffff_ffffn);
    return this;
  }
}

export class FrameWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #view = viewOf(this.#bytes);
  #start = 0;
  #at = 0;
  #limit = 0;
  readonly #sent = new EpochBytes();
  /** Of versions: values may be older than the leader. */
  readonly #versions = new EpochBytes();

  /** A new frame, which takes no further message beyond `mostBytes`. */
  begin(mostBytes: number): void {
    const { length } = this.#bytes;
    if (length !== SLAB_BYTES || length - this.#at < LEAST_ROOM) this.#use(SLAB_BYTES);
    this.#at += HEADER_ROOM;
    this.#start = this.#at;
    this.#limit = Math.min(this.#bytes.length, this.#start + mostBytes);
  }

  /** Bytes in the frame so far. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** The slab, and where in it the frame is. HEADER_ROOM bytes in front of it are the taker's. */
  get frame(): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
    return { bytes: this.#bytes, start: this.#start, end: this.#at };
  }

  /** Whether at most so many bytes fit into the frame. Into an empty one any number does. */
  fits(bytes: number): boolean {
    if (this.#at + bytes <= this.#limit) return true;
    if (this.#at !== this.#start) return false;
    if (this.#at + bytes > this.#bytes.length) {
      this.#use(Math.max(SLAB_BYTES, HEADER_ROOM + bytes));
      this.#at = HEADER_ROOM;
      this.#start = HEADER_ROOM;
    }
    // What is larger than a frame should be is alone in it.
    this.#limit = this.#start;
    return true;
  }

  /** Bytes that `text` may take. */
  static roomOf(text: string): number {
    return 5 + (text.length <= 4 * SHORT_TEXT ? 3 * text.length : Buffer.byteLength(text));
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  epoch(epoch: bigint): void {
    this.#int64(this.#sent.of(epoch));
  }

  version(epoch: bigint, counter: number): void {
    this.#int64(this.#versions.of(epoch));
    this.count(counter);
  }

  flag(value: boolean): void {
    this.#bytes[this.#at++] = value ? 0xc3 : 0xc2;
  }

  count(value: number): void {
    const at = this.#at;
    if (value >>> 0 !== value) {
      this.#bytes[at] = 0xcb;
      this.#view.setFloat64(at + 1, value);
      this.#at = at + 9;
    } else if (value < 0x80) {
      this.#bytes[at] = value;
      this.#at = at + 1;
    } else this.#at = this.#sized(at, value, 0xcc);
  }

  list(length: number): void {
    if (length < 0x10) this.byte(0x90 | length);
    else if (length < 0x1_0000) this.#at = this.#uint16(this.#at, 0xdc, length);
    else this.#at = this.#uint32(this.#at, 0xdd, length);
  }

  text(value: string): void {
    const { length } = value;
    if (length > SHORT_TEXT) {
      this.#longText(value);
      return;
    }
    const bytes = this.#bytes;
    let at = this.#at;
    if (length < 0x20) bytes[at++] = 0xa0 | length;
    else {
      bytes[at++] = 0xd9;
      bytes[at++] = length;
    }
    for (let i = 0; i < length; i++) {
      const char = value.charCodeAt(i);
      if (char > 0x7f) {
        this.#longText(value);
        return;
      }
      bytes[at++] = char;
    }
    this.#at = at;
  }

  binary(value: Uint8Array): void {
    this.#at = this.#sized(this.#at, value.length, 0xc4);
    this.raw(value);
  }

  /** One byte for each char. */
  latin1(value: string): void {
    this.#at = this.#sized(this.#at, value.length, 0xc4);
    this.#at += this.#bytes.write(value, this.#at, 'latin1');
  }

  #longText(value: string): void {
    // Where it belongs if it is ASCII, and moved if that was wrong: cheaper than to count its bytes before.
    const guess = headerOf(value.length);
    const start = this.#at + guess;
    const written = this.#bytes.write(value, start, 'utf8');
    const header = headerOf(written);
    if (header !== guess) this.#bytes.copyWithin(this.#at + header, start, start + written);
    if (header === 1) this.#bytes[this.#at] = 0xa0 | written;
    else this.#sized(this.#at, written, 0xd9);
    this.#at += header + written;
  }

  #int64(epoch: EpochBytes): void {
    const at = this.#at;
    this.#bytes[at] = epoch.tag;
    this.#view.setUint32(at + 1, epoch.high);
    this.#view.setUint32(at + 5, epoch.low);
    this.#at = at + 9;
  }

  /** A number of 8, 16 or 32 bits behind `tag` or one of the two that follow it. */
  #sized(at: number, value: number, tag: number): number {
    if (value >= 0x1_0000) return this.#uint32(at, tag + 2, value);
    if (value >= 0x100) return this.#uint16(at, tag + 1, value);
    this.#bytes[at] = tag;
    this.#bytes[at + 1] = value;
    return at + 2;
  }

  #uint16(at: number, tag: number, value: number): number {
    this.#bytes[at] = tag;
    this.#view.setUint16(at + 1, value);
    return at + 3;
  }

  #uint32(at: number, tag: number, value: number): number {
    this.#bytes[at] = tag;
    this.#view.setUint32(at + 1, value);
    return at + 5;
  }

  #use(bytes: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.#bytes);
    this.#at = 0;
  }
}

/** Bytes in front of a text of so many. */
function headerOf(length: number): number {
  if (length < 0x100) return length < 0x20 ? 1 : 2;
  return length < 0x1_0000 ? 3 : 5;
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
