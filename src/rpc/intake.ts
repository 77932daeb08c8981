/**
 * What comes in, past ws: whole binary frames, which are nearly all there are, are taken from the socket where they
 * lie. Everything else is left to ws.
 *
 * ws runs each piece through a stream of Node's, with its bookkeeping and a tick of its own. Without that, a round trip
 * alone is about 6 % shorter (docs/benchmark.md).
 */
import type { Socket } from 'node:net';

const BINARY = 0x82;
const PING = 0x89;
const PONG = 0x8a;
const MASKED = 0x80;
const LENGTH = 0x7f;
const MASK_BYTES = 4;
const MAX_SMALL = 125;

type Listener = (this: Socket, chunk: Buffer) => void;

/** What is known of a frame from its first bytes. */
type Header =
  | { readonly is: 'incomplete' }
  /** Nothing that nodes send one another in passing: ws knows what to do, and has to see what follows as well. */
  | { readonly is: 'other' }
  /** `forWs`: a ping, a pong, or a message that has to be unmasked, as hellos do. */
  | { readonly is: 'plain' | 'forWs'; readonly headerBytes: number; readonly bytes: number };

const INCOMPLETE: Header = { is: 'incomplete' };
const OTHER: Header = { is: 'other' };

export class Intake {
  readonly #socket: Socket;
  readonly #masked: boolean;
  readonly #maxFrameBytes: number;
  readonly #onFrame: (frame: Buffer) => void;
  readonly #toWs: Listener;
  readonly #listener = (chunk: Buffer): void => {
    try {
      this.#take(chunk);
    } catch (error) {
      // What follows might be read from the middle of a frame.
      this.#socket.destroy();
      throw error;
    }
  };
  /** Bytes of a frame that ws has the beginning of. */
  #missing = 0;
  /** Of a frame that ws has the beginning of, but whose length is not known yet. */
  #head: Buffer | undefined;

  /**
   * Takes the place of the one listener for data there is, that of ws, before there was any. `masked`: as the other
   * side has to mask what it sends.
   */
  static of(socket: Socket, masked: boolean, maxFrameBytes: number, onFrame: (frame: Buffer) => void): void {
    const [listener, ...others] = socket.listeners('data') as Listener[];
    if (listener !== undefined && others.length === 0) new Intake(socket, masked, maxFrameBytes, onFrame, listener);
  }

  private constructor(
    socket: Socket,
    masked: boolean,
    maxFrameBytes: number,
    onFrame: (frame: Buffer) => void,
    toWs: Listener,
  ) {
    this.#socket = socket;
    this.#masked = masked;
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
    this.#toWs = toWs;
    socket.off('data', toWs).on('data', this.#listener);
  }

  #take(chunk: Buffer): void {
    let at = this.#finish(chunk);
    while (at < chunk.length) {
      const header = this.#read(chunk, at);
      if (header.is === 'other') {
        this.#leaveToWs(chunk.subarray(at));
        return;
      }
      if (header.is === 'incomplete') {
        this.#head = Buffer.from(chunk.subarray(at));
        this.#give(chunk.subarray(at));
        return;
      }
      const end = at + header.headerBytes + header.bytes;
      if (end <= chunk.length && header.is === 'plain') this.#onFrame(chunk.subarray(at + header.headerBytes, end));
      else this.#give(chunk.subarray(at, end));
      this.#missing = Math.max(0, end - chunk.length);
      at = end;
    }
  }

  /** Gives ws what belongs to the frame that it has the beginning of. Returns where the next frame begins. */
  #finish(chunk: Buffer): number {
    if (this.#head !== undefined) {
      const all = Buffer.concat([this.#head, chunk]);
      const header = this.#read(all, 0);
      const before = this.#head.length;
      if (header.is === 'incomplete') {
        this.#head = all;
        this.#give(chunk);
        return chunk.length;
      }
      this.#head = undefined;
      if (header.is === 'other') {
        this.#leaveToWs(chunk);
        return chunk.length;
      }
      this.#missing = header.headerBytes + header.bytes - before;
    }
    if (this.#missing === 0) return 0;
    const given = Math.min(this.#missing, chunk.length);
    this.#missing -= given;
    this.#give(given === chunk.length ? chunk : chunk.subarray(0, given));
    return given;
  }

  #read(bytes: Buffer, at: number): Header {
    const there = bytes.length - at;
    if (there < 2) return INCOMPLETE;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if (second >= MASKED !== this.#masked) return OTHER;
    const maskBytes = this.#masked ? MASK_BYTES : 0;
    let length = second & LENGTH;
    let headerBytes = 2 + maskBytes;
    if (first === PING || first === PONG) {
      return length <= MAX_SMALL ? { is: 'forWs', headerBytes, bytes: length } : OTHER;
    }
    if (first !== BINARY) return OTHER;
    if (length > MAX_SMALL) {
      const extended = length === 126 ? 2 : 8;
      headerBytes += extended;
      if (there < 2 + extended) return INCOMPLETE;
      length = extended === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    }
    if (there < headerBytes) return INCOMPLETE;
    if (length > this.#maxFrameBytes) return OTHER;
    const isChanged = this.#masked && bytes.readUInt32BE(at + headerBytes - MASK_BYTES) !== 0;
    return { is: isChanged ? 'forWs' : 'plain', headerBytes, bytes: length };
  }

  #give(chunk: Buffer): void {
    this.#toWs.call(this.#socket, chunk);
  }

  #leaveToWs(chunk: Buffer): void {
    this.#socket.off('data', this.#listener).on('data', this.#toWs);
    this.#give(chunk);
  }
}
