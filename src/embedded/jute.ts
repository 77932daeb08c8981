/** ZooKeeper's record encoding (jute). Bounded and careful reads: the bytes come from anybody. */

/** The bytes are not what the protocol says. */
export class MalformedFrame extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedFrame';
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class JuteReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  unsignedLong(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  boolean(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  /** A copy, so that a stored value does not keep its whole frame alive. */
  buffer(): Buffer | null {
    const length = this.int();
    if (length === -1) return null;
    if (length < 0) throw new MalformedFrame('negative length');
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  string(): string {
    const bytes = this.buffer();
    if (bytes === null) throw new MalformedFrame('a string is missing');
    try {
      return utf8.decode(bytes);
    } catch {
      throw new MalformedFrame('a string is not UTF-8');
    }
  }

  /** Each item takes at least four bytes, which bounds the count before anything is allocated. */
  vector<Item>(item: (reader: this) => Item): Item[] {
    const count = this.int();
    if (count === -1) return [];
    if (count < 0 || count > this.remaining / 4) throw new MalformedFrame('impossible count');
    return Array.from({ length: count }, () => item(this));
  }

  #take(length: number): number {
    if (length > this.remaining) throw new MalformedFrame('ends too early');
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}

export class JuteWriter {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.allocUnsafe(4);
    part.writeInt32BE(value | 0);
    return this.#add(part);
  }

  long(value: bigint): this {
    const part = Buffer.allocUnsafe(8);
    part.writeBigInt64BE(BigInt.asIntN(64, value));
    return this.#add(part);
  }

  boolean(value: boolean): this {
    return this.#add(Buffer.of(value ? 1 : 0));
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1);
    return this.int(value.length).#add(value);
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value, 'utf8'));
  }

  vector<Item>(items: readonly Item[], write: (writer: this, item: Item) => void): this {
    this.int(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  /** With its length in front, ready to be sent. */
  frame(): Buffer {
    const body = Buffer.concat(this.#parts);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }

  #add(part: Uint8Array): this {
    this.#parts.push(part as Buffer);
    return this;
  }
}
