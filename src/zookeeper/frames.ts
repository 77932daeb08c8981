/** Cuts the byte stream of a connection into ZooKeeper's length-prefixed frames. Knows no socket. */

const PREFIX = 4;

/** The shortest thing that a server sends: a reply header (xid, zxid, err). */
const SHORTEST = 16;

/** Longest frame taken, in bytes. A listing of a hundred thousand children is far below. */
export const LONGEST_FRAME = 16 * 1024 * 1024;

/** A frame that no ZooKeeper server sends; the connection is of no more use. */
export class FrameError extends Error {}

/** One per connection: bytes left over from a broken connection must never be read as part of the next one's. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private length = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /**
   * The next whole frame with its prefix; undefined: more bytes are needed.
   * @throws FrameError when the prefix announces less than a header or more than LONGEST_FRAME
   */
  next(): Buffer | undefined {
    if (this.length < PREFIX) return undefined;
    const size = this.peekSize();
    if (size < SHORTEST || size > LONGEST_FRAME) throw new FrameError(`a frame of ${size} bytes`);
    if (this.length < PREFIX + size) return undefined;
    const bytes = this.join();
    const frame = bytes.subarray(0, PREFIX + size);
    const rest = bytes.subarray(PREFIX + size);
    this.chunks = rest.length > 0 ? [rest] : [];
    this.length = rest.length;
    return frame;
  }

  private peekSize(): number {
    const first = this.chunks[0];
    return first !== undefined && first.length >= PREFIX ? first.readInt32BE(0) : this.join().readInt32BE(0);
  }

  /** Joined only once a frame is whole (or its prefix is split), so a long frame in small chunks costs one copy. */
  private join(): Buffer {
    const bytes = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks, this.length);
    this.chunks = [bytes];
    return bytes;
  }
}
