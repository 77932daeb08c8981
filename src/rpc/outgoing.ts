/** Messages that wait to be sent on one connection, and the frames that they are put into. Knows no socket. */
import { sizeOfValue } from '../core/cache.ts';
import type { Message } from '../core/messages.ts';
import { encodeMessage } from './codec.ts';

/** A frame takes no further message beyond this: what is encoded ahead of a slow reader is a copy in memory. */
export const FULL_FRAME_BYTES = 1024 * 1024;
/** Messages that are gone from the queue are let go of when they are more than these, and than those that wait. */
const MAX_GONE = 1024;

interface Waiting {
  /** Undefined: taken or withdrawn. */
  message: Message | undefined;
}

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
 * Kept as they are and encoded only when they are about to be sent: most values in them are in memory anyway.
 *
 * - Those of writes are what callers wait to have written: one whose caller has given up (`settled`) is withdrawn,
 *   which for the leader is as if it had been lost with a connection. So there are never more of them than operations
 *   in progress at this node.
 * - Those of answers are the leader's data, unless their keys were overwritten since: `bytes`, for the owner to bound.
 */
export class Outgoing {
  readonly #maxFrameBytes: number;
  #queue: Waiting[] = [];
  /** Where the next to be taken is, or one that was withdrawn. */
  #next = 0;
  /** In the queue, but taken or withdrawn. */
  #gone = 0;
  #bytes = 0;
  /** By operation id, which grows. */
  readonly #writes = new Map<number, Waiting>();
  #settled = 0;
  /** Encoded already, but it did not fit into the frame before. */
  #held: Uint8Array | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#queue.length - this.#gone + (this.#held === undefined ? 0 : 1);
  }

  /** Of the values in answers that wait, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  add(message: Message): void {
    const waiting: Waiting = { message };
    if (message.type === 'settled') for (const id of message.ids) this.#withdraw(id);
    if (message.type === 'write') {
      this.#withdrawBelow(message.settled);
      this.#writes.set(message.id, waiting);
    }
    this.#bytes += bytesOf(message);
    this.#queue.push(waiting);
  }

  /** The next frame; only while `size` is not 0. If it throws (OversizedMessageError, or whatever), the queue is of no use any more. */
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
    this.#queue = [];
    this.#next = 0;
    this.#gone = 0;
    this.#bytes = 0;
    this.#writes.clear();
    this.#held = undefined;
  }

  #nextPart(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) return held;
    const message = this.#take();
    if (message === undefined) return undefined;
    const part = encodeMessage(message);
    if (part.length > this.#maxFrameBytes) throw new OversizedMessageError(message.type, part.length);
    return part;
  }

  #take(): Message | undefined {
    for (let waiting = this.#queue[this.#next]; waiting !== undefined; waiting = this.#queue[this.#next]) {
      this.#next += 1;
      const { message } = waiting;
      if (message === undefined) continue;
      if (message.type === 'write') this.#writes.delete(message.id);
      this.#drop(waiting);
      return message;
    }
    return undefined;
  }

  #withdraw(id: number): void {
    const waiting = this.#writes.get(id);
    if (waiting === undefined) return;
    this.#writes.delete(id);
    this.#drop(waiting);
  }

  #withdrawBelow(settled: number): void {
    if (settled <= this.#settled) return;
    this.#settled = settled;
    for (const id of this.#writes.keys()) {
      if (id >= settled) break;
      this.#withdraw(id);
    }
  }

  #drop(waiting: Waiting): void {
    if (waiting.message !== undefined) this.#bytes -= bytesOf(waiting.message);
    waiting.message = undefined;
    this.#gone += 1;
    if (this.#gone <= MAX_GONE || 2 * this.#gone <= this.#queue.length) return;
    this.#queue = this.#queue.filter(({ message }) => message !== undefined);
    this.#next = 0;
    this.#gone = 0;
  }
}

const bytesOf = (message: Message): number =>
  message.type === 'value' && message.found !== undefined ? sizeOfValue(message.found.value) : 0;
