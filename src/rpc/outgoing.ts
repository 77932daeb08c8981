/** Messages that wait to be sent on one connection, and the frames that they are put into. Knows no socket. */
import type { Message } from '../core/messages.ts';
import { encodeMessage } from './codec.ts';

/** A frame takes no further message beyond this: what is encoded ahead of a slow reader is a copy in memory. */
export const FULL_FRAME_BYTES = 1024 * 1024;
/** Taken messages at the front of the queue are let go of when there are more than these, and than those that wait. */
const MAX_TAKEN = 1024;

/** A single message that no frame may carry. */
export class OversizedMessageError extends Error {
  readonly type: Message['type'];
  readonly bytes: number;

  constructor(type: Message['type'], bytes: number) {
    super(`a message '${type}' of ${bytes} bytes is larger than a frame may be`);
    this.name = 'OversizedMessageError';
    this.type = type;
    this.bytes = bytes;
  }
}

/**
 * Kept as they are and encoded only when they are about to be sent: the values in them are in memory anyway, as a
 * leader's data or as what a caller waits to have written, so what waits costs little however large it is.
 */
export class Outgoing {
  readonly #maxFrameBytes: number;
  #messages: Message[] = [];
  #taken = 0;
  /** Encoded already, but it did not fit into the frame before. */
  #held: Uint8Array | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#messages.length - this.#taken + (this.#held === undefined ? 0 : 1);
  }

  add(message: Message): void {
    this.#messages.push(message);
  }

  /** The next frame; only while `size` is not 0. Throws OversizedMessageError, after which the queue is of no use. */
  frame(): Uint8Array {
    const full = Math.min(FULL_FRAME_BYTES, this.#maxFrameBytes);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let part = this.#nextPart(); part !== undefined; part = this.#nextPart()) {
      if (parts.length > 0 && bytes + part.length > full) {
        this.#held = part;
        break;
      }
      parts.push(part);
      bytes += part.length;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, bytes);
  }

  clear(): void {
    this.#messages = [];
    this.#taken = 0;
    this.#held = undefined;
  }

  #nextPart(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) return held;
    const message = this.#messages[this.#taken];
    if (message === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken > MAX_TAKEN && 2 * this.#taken > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#taken);
      this.#taken = 0;
    }
    const part = encodeMessage(message);
    if (part.length > this.#maxFrameBytes) throw new OversizedMessageError(message.type, part.length);
    return part;
  }
}
