/** One WebSocket between two nodes: frames in, frames out, batches, keepalive and limits. Knows nothing of hellos. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Message } from '../core/messages.ts';
import type { Clock, Logger } from '../ports.ts';
import { CLOSE, type CloseCode, clip } from './closing.ts';
import { encodeMessage, MalformedFrameError } from './codec.ts';

export interface ConnectionLimits {
  readonly maxFrameBytes: number;
  readonly maxBufferedBytes: number;
  readonly keepaliveMs: number;
}

export interface ConnectionContext {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keepalives without a byte from the other side until it is taken for gone. */
const MAX_SILENT_KEEPALIVES = 3;

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
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #ended = false;
  #silentKeepalives = 0;
  #bytesRead: number;
  #cancelKeepalive: () => void;

  /** `ws` is open; `socket` is what it runs on. */
  constructor(ws: WebSocket, socket: Socket, context: ConnectionContext) {
    this.#ws = ws;
    this.#socket = socket;
    this.#context = context;
    this.#bytesRead = socket.bytesRead;
    this.#cancelKeepalive = this.#scheduleKeepalive();
    ws.on('message', (data: Uint8Array, isBinary) => this.#received(data, isBinary));
    this.closed = new Promise((resolve) => ws.once('close', () => resolve()));
    ws.on('close', (code, reason) => this.#over(code, reason.toString()));
    // A close follows every error.
    ws.on('error', (error) => context.logger.debug('connection failed', { error: error.message }));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A frame of its own, at once. */
  sendFrame(frame: Uint8Array): void {
    if (this.#ended) return;
    this.#ws.send(frame, { binary: true });
    this.#checkReader();
  }

  /** In one frame with everything else that is sent before the current stack is done with. */
  send(message: Message): void {
    if (this.#ended) return;
    const bytes = encodeMessage(message);
    const { maxFrameBytes } = this.#context.limits;
    if (bytes.length > maxFrameBytes) {
      const fields = { type: message.type, bytes: bytes.length, maxFrameBytes };
      this.#context.logger.error('a message is larger than a frame may be; its connection is closed', fields);
      this.end(CLOSE.dropped, 'a message was larger than a frame may be');
      return;
    }
    if (this.#batchBytes + bytes.length > maxFrameBytes) this.#flush();
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    if (this.#batch.length === 1) queueMicrotask(() => this.#flush());
  }

  /** What was sent before still goes out, if it can. Idempotent. */
  end(code: CloseCode, reason: string): void {
    if (this.#ended) return;
    this.#flush();
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
    this.#batch = [];
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

  #flush(): void {
    if (this.#ended || this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.sendFrame(batch.length === 1 ? (batch[0] as Uint8Array) : Buffer.concat(batch));
  }

  #checkReader(): void {
    if (this.#ws.bufferedAmount > this.#context.limits.maxBufferedBytes) {
      this.#abort(CLOSE.slowReader, 'the peer takes what it is sent too slowly');
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
    this.#ws.ping();
    this.#checkReader();
    if (!this.#ended) this.#cancelKeepalive = this.#scheduleKeepalive();
  }
}
