/** The listening side: accepts connections, bounds them, and sees their hellos through. */
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Member } from '../core/types.ts';
import { ZiStoreError } from '../errors.ts';
import type { Clock, Random } from '../ports.ts';
import { CLOSE } from './closing.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import { Accepting, type Credentials, type HelloStep, toNonce } from './hello.ts';

export interface TlsFiles {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
  readonly ca: string | Uint8Array;
}

export interface AcceptorContext extends ConnectionContext {
  readonly credentials: Credentials;
  readonly tls: TlsFiles | undefined;
  readonly websocket: ServerOptions;
  readonly maxConnections: number;
  readonly helloTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** The hello went through. The connection's `onFrame` and `onEnd` are the owner's from here on. */
export type OnAccepted = (connection: Connection, peer: Member) => void;

/**
 * Connections whose hello is not through, unless a quarter of all is less. An honest one takes a few round trips, once
 * this node is somebody; none takes longer than any hello may.
 *
 * More honest callers than this take each other's places while this node is nobody yet, but not for ever: those that
 * are there when it becomes somebody are answered in that turn, and the others, each of which comes back after up to a
 * second, are too few to cut one off within the milliseconds of its hello.
 */
const MAX_STRANGERS = 256;
/** More than any honest hello with its framing and encryption takes, far less than a frame may be. */
const MAX_BYTES_BEFORE_HELLO = 32 * 1024;
/** How long connections may take to close in good order. */
const CLOSE_TIMEOUT_MS = 1000;

export class Acceptor {
  readonly #context: AcceptorContext;
  readonly #onAccepted: OnAccepted;
  readonly #websockets: WebSocketServer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bare sockets whose hello is not through, the oldest first, by the caller's end. */
  readonly #strangers = new Map<string, Socket>();
  /** Of each socket whose hello is not through. */
  readonly #guards = new Map<Socket, HelloGuard>();
  readonly #pending = new Map<Connection, { readonly accepting: Accepting; readonly socket: Socket }>();
  #self: Member | null = null;

  constructor(context: AcceptorContext, onAccepted: OnAccepted) {
    this.#context = context;
    this.#onAccepted = onAccepted;
    this.#websockets = new WebSocketServer({ ...context.websocket, noServer: true, clientTracking: false });
    this.#server = this.#createServer();
  }

  /** Rejects with ZISTORE_INVALID_ARGUMENT when it cannot bind there. */
  async listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: Error): void => {
        const message = `cannot listen on ${host}:${port}: ${cause.message}; choose another address or port`;
        reject(new ZiStoreError('ZISTORE_INVALID_ARGUMENT', message, { cause }));
      };
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => this.#context.logger.error('listening failed', { error: error.message }));
        resolve();
      });
    });
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : { host, port };
  }

  /** Whoever has said whom it wants is answered; with `self` changed, all that went before is void. */
  identify(self: Member | null): void {
    const changed = this.#self !== null;
    this.#self = self;
    for (const [connection, { accepting }] of [...this.#pending]) {
      if (changed) connection.end(CLOSE.otherMember, 'this node is becoming another member');
      else if (self !== null && accepting.waiting) this.#step(connection, accepting.answer(self));
    }
  }

  /** Resolves when every inbound socket is closed. The owner has ended its connections before. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#guards.keys()) socket.destroy();
    const cancel = this.#context.clock.setTimer(CLOSE_TIMEOUT_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    cancel();
  }

  #createServer(): Server {
    const { tls, helloTimeoutMs, maxConnections } = this.#context;
    const server: Server =
      tls === undefined
        ? createHttpServer()
        : createHttpsServer({
            ...(tls as { key: string; cert: string; ca: string }),
            requestCert: true,
            rejectUnauthorized: true,
            handshakeTimeout: helloTimeoutMs,
          });
    server.maxConnections = maxConnections;
    server.on('connection', (socket: Socket) => this.#met(socket));
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => this.#guard(socket));
    server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close' }).end();
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('tlsClientError', (error) => {
      this.#context.logger.warn('a caller failed at TLS', { error: error.message });
    });
    return server;
  }

  /** Who has been silent for longest is least likely to be a member: it makes room, so that members get through. */
  #met(socket: Socket): void {
    const caller = callerOf(socket);
    this.#sockets.add(socket);
    this.#strangers.set(caller, socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#strangers.get(caller) === socket) this.#strangers.delete(caller);
    });
    if (this.#strangers.size <= Math.min(MAX_STRANGERS, Math.ceil(this.#context.maxConnections / 4))) return;
    const [[name, oldest]] = this.#strangers as unknown as [[string, Socket]];
    this.#strangers.delete(name);
    oldest.destroy();
  }

  #guard(socket: Socket): void {
    const guard = new HelloGuard(socket, this.#context.clock, this.#context.helloTimeoutMs);
    this.#guards.set(socket, guard);
    socket.once('close', () => this.#trust(socket));
    // Between HTTP and WebSocket nobody else listens for it.
    socket.on('error', (error) => this.#context.logger.debug('a caller failed', { error: error.message }));
  }

  #trust(socket: Socket): void {
    this.#strangers.delete(callerOf(socket));
    this.#guards.get(socket)?.cancel();
    this.#guards.delete(socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Only browsers name an origin: no page may reach a node through its visitor.
    if (request.headers.origin !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#websockets.handleUpgrade(request, socket, head, (ws) => this.#opened(ws, request.socket));
  }

  #opened(ws: WebSocket, socket: Socket): void {
    const { credentials, random, logger } = this.#context;
    const connection = new Connection(ws, socket, false, this.#context);
    this.#guards.get(socket)?.watch();
    const accepting = new Accepting(credentials, toNonce(random.guid()));
    this.#pending.set(connection, { accepting, socket });
    connection.onEnd = (code, reason) => {
      this.#pending.delete(connection);
      logger.info('a caller did not get through its hello', { from: socket.remoteAddress, code, reason });
    };
    connection.onFrame = (frame) => this.#step(connection, accepting.receive(frame));
  }

  #step(connection: Connection, step: HelloStep): void {
    const pending = this.#pending.get(connection);
    if (pending === undefined) return;
    if (step.do === 'send') connection.sendFrame(step.frame);
    else if (step.do === 'refuse') connection.end(step.code, step.reason);
    else if (step.do === 'wait') {
      if (this.#self !== null) this.#step(connection, pending.accepting.answer(this.#self));
    } else {
      this.#pending.delete(connection);
      this.#trust(pending.socket);
      if (step.frame !== undefined) connection.sendFrame(step.frame);
      if (!connection.ended) this.#onAccepted(connection, step.peer);
    }
  }
}

/** The same of a bare socket and of the TLS on it. */
const callerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** Cuts off whoever is silent, slow or talkative before its hello is through, whatever it speaks. */
class HelloGuard {
  readonly #socket: Socket;
  readonly #cancelTimer: () => void;
  readonly #onData: () => void;

  constructor(socket: Socket, clock: Clock, timeoutMs: number) {
    this.#socket = socket;
    this.#cancelTimer = clock.setTimer(timeoutMs, () => socket.destroy());
    this.#onData = () => {
      if (socket.bytesRead > MAX_BYTES_BEFORE_HELLO) socket.destroy();
    };
  }

  /** From the upgrade on: what comes before is bounded by HTTP, and a listener would keep HTTP from the bytes. */
  watch(): void {
    this.#socket.on('data', this.#onData);
  }

  cancel(): void {
    this.#cancelTimer();
    this.#socket.off('data', this.#onData);
  }
}
