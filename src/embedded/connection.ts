/** One client's socket: frames in, frames out, both bounded. */
import type { Socket } from 'node:net';
import { MalformedFrame } from './jute.ts';

/** ZooKeeper's own limit (jute.maxbuffer), so that what is too large there is too large here. */
export const MAX_FRAME_BYTES = 0xfffff;
/** A client that does not read its answers is let go. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

export interface ConnectionOwner {
  /** The first frame is the handshake. May throw: that closes this connection. */
  frame(connection: Connection, frame: Buffer): void;
  /** Four letters instead of a handshake. */
  command(connection: Connection, word: string): void;
  /** What the client sent could not be handled; the connection is about to be closed. */
  broken(connection: Connection, error: unknown): void;
  closed(connection: Connection): void;
}

export class Connection {
  readonly id: number;
  /** Set by the handshake. */
  sessionId: bigint | undefined;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #unread: Buffer = Buffer.alloc(0);
  #sawBytes = false;
  #held: Buffer[] | undefined;

  constructor(id: number, socket: Socket, owner: ConnectionOwner) {
    this.id = id;
    this.#socket = socket;
    this.#owner = owner;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    // Without a listener an error would end the process; 'close' follows and is enough.
    socket.on('error', () => {});
    socket.on('close', () => owner.closed(this));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(frame: Buffer): void {
    if (!this.isOpen) return;
    if (this.#held !== undefined) this.#held.push(frame);
    else this.#socket.write(frame);
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) this.destroy();
  }

  /** Sends this and closes. */
  end(last: Buffer | string = ''): void {
    if (this.isOpen) this.#socket.end(last);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** From here on what is sent is kept back until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of held) this.send(frame);
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    try {
      while (this.isOpen && this.#unread.length >= 4) {
        const frame = !this.#sawBytes && isCommand(this.#unread) ? this.#command() : this.#nextFrame();
        if (frame === undefined) break;
        this.#owner.frame(this, frame);
      }
    } catch (error) {
      // Whatever this client sent, it concerns nobody else.
      this.#owner.broken(this, error);
      this.destroy();
    }
  }

  /** undefined while it is not complete. The length is checked before anything else is read. */
  #nextFrame(): Buffer | undefined {
    const length = this.#unread.readInt32BE(0);
    if (length <= 0 || length > MAX_FRAME_BYTES) throw new MalformedFrame(`a frame of ${length} bytes`);
    if (this.#unread.length < 4 + length) return undefined;
    const frame = this.#unread.subarray(4, 4 + length);
    this.#unread = this.#unread.subarray(4 + length);
    this.#sawBytes = true;
    return frame;
  }

  #command(): undefined {
    const word = this.#unread.toString('latin1', 0, 4);
    this.#unread = Buffer.alloc(0);
    this.#owner.command(this, word);
    return undefined;
  }
}

/** Read as a length, four letters would be far beyond any limit. */
function isCommand(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).every((byte) => byte >= 0x61 && byte <= 0x7a);
}
