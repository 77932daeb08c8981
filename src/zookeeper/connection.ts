/**
 * The connections of one session, one after the other: the library's ConnectionManager with the members replaced that
 * wedge, crash or leak. Only this instance is changed. Numbers are those of the pitfalls of the library.
 */
import type { LookupFunction } from 'node:net';
import type { Clock, Logger } from '../ports.ts';
import { FrameError, FrameReader } from './frames.ts';
import type { ConnectionManager, LibraryClient, LoadedLibrary } from './library.ts';
import { STATE } from './library.ts';
import type { ReplyHeader } from './operations.ts';
import { SESSION_EXPIRED, SESSION_MOVED } from './replies.ts';
import type { Attempt, AttemptResult, Route } from './route.ts';

export interface ConnectionEvents {
  /** Connected: the server has accepted the session. Internal packets (authentication, watches) may be queued now. */
  established(): void;
  /** An established connection is gone; the next one is being made unless `stop` is called. */
  lost(): void;
  pong(): void;
  ended(reason: 'expired' | 'authFailed'): void;
}

export interface ConnectionOptions {
  readonly loaded: LoadedLibrary;
  readonly client: LibraryClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly route: Route;
  /** As asked for, on every connection: another server may have negotiated less. */
  readonly sessionTimeoutMs: number;
  readonly lastZxid: bigint;
  /** Default: as Node does. */
  readonly lookup?: LookupFunction | undefined;
  readonly events: ConnectionEvents;
}

/** Offsets in a frame, behind its four bytes of length. */
const AT = { xid: 4, zxid: 8, err: 16, version: 4, passwordLength: 20 };
const PASSWORD_BYTES = 16;
const ZERO = Buffer.alloc(8);
/** A server's error codes that the library must see; all others it gets as one that it knows (pitfall 4). */
const NO_NODE = -101;
const SYSTEM_ERROR = -1;
/** Unsent bytes in the socket above which nothing more is taken. */
const MOST_UNSENT_BYTES = 8 * 1024 * 1024;

export class Connection {
  /** Header of the frame that is being dispatched. */
  reply: ReplyHeader = { zxid: 0n, err: 0 };

  private readonly options: ConnectionOptions;
  private readonly manager: ConnectionManager;
  private readonly libraryReceive: (bytes: Buffer) => void;
  private phase: 'connecting' | 'connected' | 'breaking' | 'stopped' = 'connecting';
  private reader = new FrameReader();
  private attempt: Attempt | undefined;
  private result: AttemptResult | undefined;
  private id: string | undefined;
  private establishedAt = 0;
  private cancelTimer: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.manager = options.client.connectionManager;
    this.manager.zxid = Buffer.alloc(8);
    this.manager.zxid.writeBigInt64BE(options.lastZxid);
    this.libraryReceive = this.manager.onSocketData.bind(this.manager);
    this.manager.findNextServer = (callback) => this.dial(callback);
    this.manager.onSocketConnected = () => this.sendHandshake();
    this.manager.onSocketData = (bytes) => this.received(bytes);
    this.manager.onSocketClosed = () => this.closed();
    // The heartbeat pings, on a schedule that inbound traffic does not disturb (pitfall 5).
    this.manager.onSocketTimeout = () => {};
  }

  get connected(): boolean {
    return this.phase === 'connected';
  }

  /** Too much is waiting in the socket for any more to be added. */
  get congested(): boolean {
    return (this.manager.socket?.writableLength ?? 0) > MOST_UNSENT_BYTES;
  }

  /** Undefined until a server has given one. */
  get sessionId(): string | undefined {
    return this.id;
  }

  /** As negotiated. */
  get sessionTimeoutMs(): number {
    return this.manager.sessionTimeout;
  }

  get lastZxid(): bigint {
    return this.manager.zxid.readBigInt64BE();
  }

  start(): void {
    this.options.client.connect();
  }

  /** Gives up this connection; the next server is tried. */
  break(reason: string): void {
    if (this.phase === 'stopped') return;
    this.options.logger.info('Giving up a connection to ZooKeeper.', { reason, ...this.attempt?.server });
    if (this.phase === 'connected') this.phase = 'breaking';
    this.manager.socket?.destroy();
  }

  /** For ever. Nothing is reported any more. */
  stop(): void {
    this.phase = 'stopped';
    this.cancelTimer?.();
    this.manager.setState(STATE.CLOSED);
    this.forget();
    this.manager.socket?.destroy();
  }

  private dial(connect: (server: Attempt['server'] & { readonly lookup?: LookupFunction }) => void): void {
    const { clock, route, lookup } = this.options;
    const timeoutMs = this.manager.sessionTimeout;
    this.attempt = route.next(clock.now(), this.result, { timeoutMs, zxid: this.lastZxid });
    this.result = 'unreachable';
    const { server, delayMs, handshakeMs } = this.attempt;
    this.cancelTimer = clock.setTimer(delayMs, () => {
      connect(lookup === undefined ? server : { ...server, lookup });
      // The library's own timer ends with the TCP connection; ours goes on until the server has answered (pitfall 2).
      if (this.manager.connectTimeoutHandler !== null) clearTimeout(this.manager.connectTimeoutHandler);
      this.cancelTimer = clock.setTimer(handshakeMs, () => {
        this.result = 'timeout';
        this.break('no answer to the connect request');
      });
    });
  }

  /** Only this. Authentication and watches wait for the answer, so failed handshakes pile up nothing (pitfall 9). */
  private sendHandshake(): void {
    const { Request, protocol } = this.options.loaded.jute;
    const { manager } = this;
    if (this.result === 'unreachable') this.result = 'refused';
    const zxid = this.attempt?.fromZero === true ? ZERO : manager.zxid;
    const fields = [0, zxid, this.options.sessionTimeoutMs, manager.sessionId, manager.sessionPassword];
    manager.socket?.write(new Request(null, new protocol.ConnectRequest(...fields)).toBuffer());
  }

  private received(bytes: Buffer): void {
    try {
      this.reader.push(bytes);
      for (let frame = this.reader.next(); frame !== undefined; frame = this.reader.next()) {
        if (this.phase === 'connecting') this.handshakeAnswered(frame);
        else this.dispatch(frame);
        if (this.phase === 'stopped' || this.manager.socket?.destroyed === true) return;
      }
    } catch (error) {
      // Whatever cannot be read says that both sides no longer agree about the stream (pitfalls 4 and 13).
      this.break(`unreadable: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private handshakeAnswered(frame: Buffer): void {
    // The library would take anything here, and what is no answer for the end of the session.
    if (frame.length < AT.passwordLength + 4 + PASSWORD_BYTES) throw new FrameError('a short answer to the connect');
    if (frame.readInt32BE(AT.version) !== 0) throw new FrameError('a strange protocol version');
    if (frame.readInt32BE(AT.passwordLength) !== PASSWORD_BYTES) throw new FrameError('a strange password');
    this.libraryReceive(frame);
    this.cancelTimer?.();
    this.manager.socket?.setTimeout(0);
    if (this.manager.state === STATE.SESSION_EXPIRED) this.options.events.ended('expired');
    else this.established();
  }

  private established(): void {
    const { clock, events, logger, route } = this.options;
    const id = this.manager.sessionId.toString('hex');
    if (this.id !== undefined && this.id !== id) {
      logger.warn('ZooKeeper replaced the session by another one.', { session: this.id, other: id });
      events.ended('expired');
      return;
    }
    if (this.attempt?.fromZero === true) {
      logger.warn('ZooKeeper has not got as far as this client had seen: were its data lost or restored?', {
        seen: this.lastZxid.toString(),
      });
      this.manager.zxid = Buffer.alloc(8);
    }
    this.id = id;
    this.phase = 'connected';
    this.result = 'broken';
    this.establishedAt = clock.now();
    route.established();
    events.established();
  }

  private dispatch(frame: Buffer): void {
    const xid = frame.readInt32BE(AT.xid);
    const err = frame.readInt32BE(AT.err);
    this.reply = { zxid: frame.readBigInt64BE(AT.zxid), err };
    if (xid >= 0 && err === SESSION_EXPIRED) {
      this.options.events.ended('expired');
      return;
    }
    if (xid >= 0 && err !== 0 && err !== NO_NODE) frame.writeInt32BE(SYSTEM_ERROR, AT.err);
    const seen = this.manager.zxid;
    this.libraryReceive(frame);
    // The library takes over any zxid, also that of an error without one.
    if (this.lastZxid < seen.readBigInt64BE()) this.manager.zxid = seen;
    if (xid === this.options.loaded.jute.XID_PING) this.options.events.pong();
    if (this.manager.state === STATE.AUTHENTICATION_FAILED) this.options.events.ended('authFailed');
    else if (err === SESSION_MOVED) this.break('the session has moved to another server');
  }

  private closed(): void {
    this.cancelTimer?.();
    if (this.phase === 'stopped') return;
    const lost = this.phase === 'connected' || this.phase === 'breaking';
    this.phase = 'connecting';
    this.forget();
    if (lost) {
      const lastedMs = this.options.clock.now() - this.establishedAt;
      if (lastedMs >= Math.min(1000, this.manager.sessionTimeout / 6)) this.options.route.stable();
      this.options.events.lost();
    }
    // `lost` may have ended the session.
    if (this.isStopped()) return;
    this.manager.connect();
  }

  private isStopped(): boolean {
    return this.phase === 'stopped';
  }

  /** What belonged to the connection that is gone must not reach the next one (pitfalls 3, 6 and 9). */
  private forget(): void {
    this.reader = new FrameReader();
    this.manager.pendingBuffer = null;
    this.manager.pendingQueue = [];
    this.manager.packetQueue.queue = [];
  }
}
