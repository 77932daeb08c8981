/** The connection to one member that was dialled: kept up, with back-off, until `stop` (Z42). */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { type ClientOptions, WebSocket } from 'ws';
import type { Member } from '../core/types.ts';
import type { Clock, Logger, Random } from '../ports.ts';
import { Backoff } from './backoff.ts';
import { CLOSE, type CloseCode, type RefusalCode, refusalOf, refusalOfFailure } from './closing.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import { type Credentials, Dialling, type HelloStep, toNonce } from './hello.ts';

export interface DiallerContext extends ConnectionContext {
  readonly credentials: Credentials;
  /** Certificates, limits: whatever every connection is opened with. */
  readonly client: ClientOptions;
  /** `wss:` with certificates. */
  readonly scheme: 'ws:' | 'wss:';
  readonly helloTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface DiallerOwner {
  /** The hello went through. Its `onFrame` and `onEnd` are the owner's from here on. */
  up(connection: Connection): void;
  refused(code: RefusalCode, message: string): void;
}

export class Dialler {
  readonly peer: Member;
  readonly #self: Member;
  readonly #context: DiallerContext;
  readonly #owner: DiallerOwner;
  readonly #backoff: Backoff;
  #ws: WebSocket | undefined;
  #connection: Connection | undefined;
  #stopped = false;
  #cancelTimer: () => void = () => {};
  #lastRefusal = '';

  /** Dials from `start` on. */
  constructor(self: Member, peer: Member, context: DiallerContext, owner: DiallerOwner) {
    this.#self = self;
    this.peer = peer;
    this.#context = context;
    this.#owner = owner;
    this.#backoff = new Backoff(context.clock, context.random);
  }

  start(): void {
    this.#attempt();
  }

  /** Resolves when the socket is closed. Idempotent. */
  async stop(code: CloseCode, reason: string): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    const connection = this.#connection;
    if (connection === undefined) this.#ws?.terminate();
    connection?.end(code, reason);
    await connection?.closed;
  }

  /** The connection of this dialler has ended: dials again, later. */
  again(): void {
    this.#connection = undefined;
    this.#ws = undefined;
    this.#cancelTimer();
    if (!this.#stopped) this.#cancelTimer = this.#context.clock.setTimer(this.#backoff.next(), () => this.#attempt());
  }

  #attempt(): void {
    const url = urlOf(this.#context.scheme, this.peer.address);
    if (url === undefined) {
      this.#refused('ZISTORE_INCOMPATIBLE', 'its address is not host:port');
      this.again();
      return;
    }
    let secured = false;
    const finishRequest = (request: ClientRequest): void => {
      request.on('socket', (socket) => {
        socket.once('secureConnect', () => {
          secured = true;
        });
      });
      request.end();
    };
    const ws = new WebSocket(url, { ...this.#context.client, finishRequest });
    this.#ws = ws;
    this.#cancelTimer = this.#context.clock.setTimer(this.#context.helloTimeoutMs, () => ws.terminate());
    this.#watchFailure(ws, () => secured);
    ws.once('upgrade', ({ socket }) => ws.once('open', () => this.#opened(ws, socket)));
  }

  /** Until the WebSocket is open, whatever goes wrong ends in one `close`. */
  #watchFailure(ws: WebSocket, secured: () => boolean): void {
    const failed = (error: Error & { readonly code?: string }): void => {
      if (this.#stopped) return;
      const code = refusalOfFailure(error);
      if (code !== undefined) this.#refused(code, error.message);
      // In TLS 1.3 the dialler is done before the other side has looked at its certificate, and Node does not say no,
      // it hangs up.
      else if (secured() && error.code === 'ECONNRESET') this.#refused('ZISTORE_UNAUTHORIZED', CERTIFICATE_REFUSED);
      else this.#context.logger.debug('dialling failed', { peer: this.peer.address, error: error.message });
    };
    const closed = (): void => this.again();
    const unexpected = (_request: unknown, { statusCode }: { statusCode?: number | undefined }): void => {
      this.#refused('ZISTORE_INCOMPATIBLE', `no node of ZiStore answers there (HTTP status ${statusCode})`);
      ws.terminate();
    };
    ws.on('error', failed).once('close', closed).once('unexpected-response', unexpected);
    ws.once('open', () => ws.off('close', closed).off('error', failed));
  }

  #opened(ws: WebSocket, socket: Socket): void {
    const connection = new Connection(ws, socket, true, this.#context);
    this.#connection = connection;
    if (this.#stopped) {
      connection.end(CLOSE.hungUp, 'hung up');
      return;
    }
    const { credentials, random } = this.#context;
    const dialling = new Dialling(credentials, this.#self, this.peer, toNonce(random.guid()));
    connection.onEnd = (code, reason) => this.#helloFailed(code, reason);
    connection.onFrame = (frame) => this.#helloStep(connection, dialling.receive(frame));
    connection.sendFrame(dialling.hello);
  }

  #helloStep(connection: Connection, step: HelloStep): void {
    if (step.do === 'send') connection.sendFrame(step.frame);
    else if (step.do === 'refuse') connection.end(step.code, step.reason);
    else if (step.do === 'welcome') {
      this.#cancelTimer();
      this.#backoff.up();
      this.#lastRefusal = '';
      this.#owner.up(connection);
    }
  }

  #helloFailed(code: number, reason: string): void {
    if (!this.#stopped) {
      const refusal = refusalOf(code);
      if (refusal !== undefined) this.#refused(refusal, reason);
      else this.#context.logger.debug('a hello failed', { peer: this.peer.address, code, reason });
    }
    this.again();
  }

  #refused(code: RefusalCode, reason: string): void {
    const message = `no connection to ${this.peer.address}: ${reason}; ${ADVICE[code]}`;
    // Every attempt meets the same refusal: once is enough for the log.
    if (message !== this.#lastRefusal) this.#context.logger.warn(message, { code });
    this.#lastRefusal = message;
    this.#owner.refused(code, message);
  }
}

const CERTIFICATE_REFUSED = 'it hung up on seeing the certificate of this node';

const ADVICE: Readonly<Record<RefusalCode, string>> = {
  ZISTORE_INCOMPATIBLE: 'all nodes of a cluster need the same version of ZiStore and the same cluster name',
  ZISTORE_UNAUTHORIZED: 'all nodes of a cluster need the same secret, and certificates of the same authority',
};

/** Addresses come from ZooKeeper: nothing but a host and a port may get into a URL. */
function urlOf(scheme: 'ws:' | 'wss:', address: string): string | undefined {
  const match = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/.exec(address);
  return match !== null && Number(match[2]) <= 65_535 && URL.canParse(`${scheme}//${address}/`)
    ? `${scheme}//${address}/`
    : undefined;
}
