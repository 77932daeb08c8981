/** Messages that wait to be sent on one connection, and the frames that they are put into. Knows no socket. */
import { sizeOfValue } from '../core/cache.ts';
import type { Message } from '../core/messages.ts';
import { writeMessage } from './encoding.ts';
import type { FrameWriter } from './writer.ts';

/**
 * What may be encoded ahead of a slow reader, for it is a copy in memory. A frame mostly ends earlier, with the piece of
 * memory that it is written into.
 */
export const FULL_FRAME_BYTES = 1024 * 1024;
/** Messages that are gone from the queue are let go of when they are more than these, and than those that wait. */
const MAX_GONE = 1024;

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
  /** Undefined: taken or withdrawn. What is behind `#end` is of no meaning: the list is filled over and over. */
  #queue: (Message | undefined)[] = [];
  /** Where the next to be taken is, or one that was withdrawn. */
  #next = 0;
  #end = 0;
  /** Between the two, but withdrawn. */
  #withdrawn = 0;
  #bytes = 0;
  #settled = 0;
  /** Up to here there is no write below `#settled`. */
  #settledTo = 0;
  /** Where the writes are that wait, by operation id: made when one is to be withdrawn, which is rare. */
  readonly #writes = new Map<number, number>();
  /** Up to here they are in it. */
  #writesTo = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#end - this.#next - this.#withdrawn;
  }

  /** Of the values in answers that wait, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  add(message: Message): void {
    if (message.type === 'value') this.#bytes += bytesOf(message);
    else if (message.type === 'settled') this.#withdrawAll(message.ids);
    else if (message.type === 'write' && message.settled > this.#settled) this.#withdrawBelow(message.settled);
    this.#queue[this.#end++] = message;
  }

  /** The next frame; only while `size` is not 0. If it throws (OversizedMessageError, or whatever), the queue is of no use any more. */
  fill(frame: FrameWriter): void {
    frame.begin(Math.min(FULL_FRAME_BYTES, this.#maxFrameBytes));
    for (; this.#next < this.#end; this.#next++) {
      const message = this.#queue[this.#next];
      if (message === undefined) {
        this.#withdrawn -= 1;
        continue;
      }
      const isFirst = frame.length === 0;
      if (!writeMessage(frame, message)) break;
      if (isFirst && frame.length > this.#maxFrameBytes) throw new OversizedMessageError(message.type, frame.length);
      this.#forget(this.#next, message);
    }
    this.#letGo();
  }

  clear(): void {
    this.#queue = [];
    this.#next = 0;
    this.#end = 0;
    this.#withdrawn = 0;
    this.#bytes = 0;
    this.#forgetWrites();
  }

  #forget(at: number, message: Message): void {
    this.#queue[at] = undefined;
    if (message.type === 'value') this.#bytes -= bytesOf(message);
    else if (message.type === 'write' && this.#writes.size > 0) this.#writes.delete(message.id);
  }

  #withdrawAll(ids: readonly number[]): void {
    if (this.#next === this.#end) return;
    for (let at = Math.max(this.#writesTo, this.#next); at < this.#end; at++) {
      const message = this.#queue[at];
      if (message?.type === 'write') this.#writes.set(message.id, at);
    }
    this.#writesTo = this.#end;
    for (const id of ids) {
      const at = this.#writes.get(id);
      if (at !== undefined) this.#withdraw(at);
    }
    this.#letGo();
  }

  /** Ids grow: it ends at the first write that is not settled, and goes on from there the next time. */
  #withdrawBelow(settled: number): void {
    this.#settled = settled;
    let at = Math.max(this.#settledTo, this.#next);
    for (; at < this.#end; at++) {
      const message = this.#queue[at];
      if (message?.type !== 'write') continue;
      if (message.id >= settled) break;
      this.#withdraw(at);
    }
    this.#settledTo = at;
    this.#letGo();
  }

  #withdraw(at: number): void {
    this.#forget(at, this.#queue[at] as Message);
    this.#withdrawn += 1;
  }

  /** What was taken or withdrawn must not keep the list growing under a slow reader. */
  #letGo(): void {
    if (this.#next === this.#end) {
      if (this.#queue.length > MAX_GONE) this.#queue = [];
      this.#next = 0;
      this.#end = 0;
      this.#forgetWrites();
      return;
    }
    const gone = this.#next + this.#withdrawn;
    if (gone <= MAX_GONE || 2 * gone <= this.#end) return;
    this.#queue = this.#queue.filter((message, at) => at < this.#end && message !== undefined);
    this.#next = 0;
    this.#end = this.#queue.length;
    this.#withdrawn = 0;
    this.#forgetWrites();
  }

  #forgetWrites(): void {
    if (this.#writes.size > 0) this.#writes.clear();
    this.#writesTo = 0;
    this.#settledTo = 0;
  }
}

const bytesOf = ({ found }: Extract<Message, { type: 'value' }>): number =>
  found === undefined ? 0 : sizeOfValue(found.value);
