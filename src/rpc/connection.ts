/** One WebSocket between two nodes: frames in, frames out, pacing, keepalive and limits. Knows nothing of hellos. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Message } from '../core/messages.ts';
import type { Clock, Logger } from '../ports.ts';
import { CLOSE, type CloseCode, clip } from './closing.ts';
import { MalformedFrameError } from './codec.ts';
import { framed } from './framing.ts';
import { Intake } from './intake.ts';
import { FULL_FRAME_BYTES, Outgoing, OversizedMessageError } from './outgoing.ts';
import { FrameWriter } from './writer.ts';

export interface ConnectionLimits {
  readonly maxFrameBytes: number;
  readonly maxWaitingMessages: number;
  readonly maxWaitingBytes: number;
  readonly keepaliveMs: number;
}

export interface ConnectionContext {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keepalives without a byte from the other side until it is taken for gone. */
const MAX_SILENT_KEEPALIVES = 3;
/** Pings in a row that are not answered until it is taken for one that does not read, whatever it may send. */
const MAX_UNANSWERED_PINGS = 30;
/** As much as this the socket is given ahead of what the peer has taken; the rest waits. */
const MAX_BYTES_AHEAD = FULL_FRAME_BYTES;
/** What the socket is given of what waits when the connection ends. */
const MAX_PARTING_BYTES = 16 * FULL_FRAME_BYTES;

/**
 * So many messages go out at once, while the stack goes on: the peer begins with them meanwhile. Where each side has
 * work to do for a message, two processes get through up to 1.7 times as much, for they do not wait for each other.
 */
const EAGER_MESSAGES = 32;

/** The same microtask as `queueMicrotask` makes, in a quarter of its time: that one keeps an asynchronous context. */
const SOON = Promise.resolve();

/** One for all connections: each takes its frames away before the next one writes. */
const frames = new FrameWriter();

export class Connection {
  /** Told every binary frame until the end. May throw MalformedFrameError, which ends the connection. */
  onFrame: (frame: Uint8Array) => void = () => {};
  /** Told once, when either side has ended the connection; synchronously within `end`. */
  onEnd: (code: number, reason: string) => void = () => {};
  /** Resolves when the socket is closed, which is a while after the end. */
  readonly closed: Promise<void>;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #outgoing: Outgoing;
  readonly #isDialler: boolean;
  readonly #flushNow = (): void => {
    this.#isFlushDue = false;
    this.#flush();
  };
  #isFlushDue = false;
  #flushing = false;
  #ended = false;
  #silentKeepalives = 0;
  #unansweredPings = 0;
  #bytesRead: number;
  #cancelKeepalive: () => void;

  /** `ws` is open; `socket` is what it runs on; who has dialled has to mask what it sends. */
  constructor(ws: WebSocket, socket: Socket, isDialler: boolean, context: ConnectionContext) {
    this.#isDialler = isDialler;
    this.#ws = ws;
    this.#socket = socket;
    this.#context = context;
    this.#outgoing = new Outgoing(context.limits.maxFrameBytes);
    this.#bytesRead = socket.bytesRead;
    this.#cancelKeepalive = this.#scheduleKeepalive();
    ws.on('message', (data: Uint8Array, isBinary) => this.#received(data, isBinary));
    ws.on('pong', () => {
      this.#unansweredPings = 0;
    });
    Intake.of(socket, !isDialler, context.limits.maxFrameBytes, (frame) => {
      // After a frame that ws has refused nothing is heard any more.
      if (ws.readyState === ws.OPEN) this.#received(frame, true);
    });
    this.closed = new Promise((resolve) => ws.once('close', () => resolve()));
    ws.on('close', (code, reason) => this.#over(code, reason.toString()));
    // A close follows every error.
    ws.on('error', (error) => context.logger.debug('connection failed', { error: error.message }));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A frame of its own, at once. For hellos: it would overtake messages that wait. */
  sendFrame(frame: Uint8Array): void {
    if (!this.#ended) this.#ws.send(frame, { binary: true });
  }

  /**
   * In one frame with what else is sent before the current stack is done with, unless that is much, or as soon as the
   * peer has taken enough.
   */
  send(message: Message): void {
    if (this.#ended) return;
    const outgoing = this.#outgoing;
    outgoing.add(message);
    const { maxWaitingMessages, maxWaitingBytes } = this.#context.limits;
    if (outgoing.size > maxWaitingMessages || outgoing.bytes > maxWaitingBytes) {
      this.#abort(CLOSE.slowReader, 'the peer takes what it is sent too slowly');
    } else if (outgoing.size >= EAGER_MESSAGES) this.#flush();
    else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      void SOON.then(this.#flushNow);
    }
  }

  /** What was sent before still goes out, if it can. Idempotent. */
  end(code: CloseCode, reason: string): void {
    if (this.#ended) return;
    this.#flush(MAX_PARTING_BYTES);
    if (this.#ended) return;
    this.#ws.close(code, clip(reason));
    this.#over(code, reason);
  }

  /** For a peer that would not take a close frame either. */
  #abort(code: CloseCode, reason: string): void {
    if (this.#ended) return;
    this.#ws.terminate();
    this.#over(code, reason);
  }

  #over(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelKeepalive();
    this.#outgoing.clear();
    this.onEnd(code, reason);
  }

  #received(data: Uint8Array, isBinary: boolean): void {
    if (this.#ended) return;
    if (!isBinary) {
      this.end(CLOSE.notBinary, 'only binary frames are spoken here');
      return;
    }
    try {
      this.onFrame(data);
    } catch (error) {
      if (!(error instanceof MalformedFrameError)) throw error;
      this.end(CLOSE.malformed, error.message);
    }
  }

  /**
   * What the peer has taken makes room for more. That more is sent at once than the socket takes is no
   * fault of the peer, nor would a new connection help: the same would be sent again.
   */
  #flush(maxBytesAhead = MAX_BYTES_AHEAD): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (!this.#ended && this.#outgoing.size > 0 && this.#socket.writableLength < maxBytesAhead) this.#sendNext();
    } catch (error) {
      this.#unsendable(error);
    } finally {
      this.#flushing = false;
    }
  }

  /**
   * Past `ws`, which writes header and content as two and is told by a callback: a round trip alone takes a tenth less.
   * What `ws` writes itself, pings and the close frame, are whole frames as well, each at once.
   */
  #sendNext(): void {
    if (this.#ws.readyState !== this.#ws.OPEN) {
      // It is closing, and would not take them either.
      this.#outgoing.clear();
      return;
    }
    this.#outgoing.fill(frames);
    const frame = framed(frames, this.#isDialler);
    // The one after which others have to wait tells when it is gone: a `drain` follows only where the socket's own mark,
    // which the program may have raised, was passed.
    if (this.#socket.writableLength + frame.length < MAX_BYTES_AHEAD) this.#socket.write(frame);
    else this.#socket.write(frame, this.#flushNow);
  }

  /** Nobody is there to throw to, and one message must not cost more than its connection. */
  #unsendable(error: unknown): void {
    this.#outgoing.clear();
    const { logger, limits } = this.#context;
    if (error instanceof OversizedMessageError) {
      const fields = { type: error.type, bytes: error.bytes, maxFrameBytes: limits.maxFrameBytes };
      logger.error('a message is larger than a frame may be; its connection is closed', fields);
      this.end(CLOSE.dropped, 'a message was larger than a frame may be');
    } else {
      const fields = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
      logger.error('a message could not be encoded; its connection is closed', fields);
      this.end(CLOSE.dropped, 'a message could not be encoded');
    }
  }

  #scheduleKeepalive(): () => void {
    const { clock, limits } = this.#context;
    return clock.setTimer(limits.keepaliveMs, () => this.#keepalive());
  }

  /**
   * Counts keepalives, not time: after a pause of this process a single timer runs before what has arrived meanwhile
   * is read, and it must not find everyone silent. Any byte is a sign of life, also one of a large frame on its way.
   */
  #keepalive(): void {
    const { bytesRead } = this.#socket;
    this.#silentKeepalives = bytesRead === this.#bytesRead ? this.#silentKeepalives + 1 : 0;
    this.#bytesRead = bytesRead;
    if (this.#silentKeepalives >= MAX_SILENT_KEEPALIVES) {
      this.#abort(CLOSE.silent, 'nothing was heard of the peer');
      return;
    }
    if (this.#unansweredPings >= MAX_UNANSWERED_PINGS) {
      this.#abort(CLOSE.slowReader, 'the peer takes what it is sent too slowly');
      return;
    }
    this.#unansweredPings += 1;
    this.#ws.ping();
    this.#cancelKeepalive = this.#scheduleKeepalive();
  }
}
