/** The ZooKeeperClient port over the coordinator twin: one session, its reconnects and its watches. */
import type { EventKind, Operation } from '../../src/embedded/operations.ts';
import type { Clock, ZkOperation, ZkReply, ZkSessionEnd, ZooKeeperClient, ZooKeeperHandler } from '../../src/ports.ts';
import { badArguments } from '../../src/zookeeper/replies.ts';
import { operationProblem } from '../../src/zookeeper/validation.ts';
import { sessionIdText, toOperation, toReply } from './twin-translation.ts';
import type { FromServer, ToServer } from './twin-wire.ts';

const RECONNECT_MS = 50;
const SHORTEST_HANDSHAKE_MS = 100;
const CLOSE_BOUND_MS = 1000;
/** A server that hangs up on our zxid for this long has lost its data: from then on we start from zxid 0. */
const FUTURE_ZXID_MS = 5000;

/** One connection attempt and what became of it; made by the twin. */
export interface ClientEnd {
  send(message: ToServer): void;
  /** The client hangs up. What it had sent may still arrive. */
  hangUp(): void;
}

export interface TwinClientParts {
  readonly clock: Clock;
  readonly sessionTimeoutMs: number;
  readonly dial: (deliver: (message: FromServer) => void) => ClientEnd;
}

interface Open {
  readonly request: number;
  readonly operation: ZkOperation;
  /** Known without asking: it was not sent. Given in its turn. */
  readonly local?: ZkReply;
}

type WatchLists = Record<'data' | 'exist' | 'child', Set<string>>;

export class TwinClient implements ZooKeeperClient {
  readonly #parts: TwinClientParts;
  readonly #handler: ZooKeeperHandler;
  readonly #watches: WatchLists = { data: new Set(), exist: new Set(), child: new Set() };
  /** Submitted and not answered, oldest first. */
  readonly #open: Open[] = [];
  #connection: ClientEnd | undefined;
  #connected = false;
  #over = false;
  #closing: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #session: { id: bigint; password: Uint8Array; timeoutMs: number } | undefined;
  #lastZxid: bigint;
  /** Since when servers hang up on us instead of answering the handshake. */
  #refusedSince: number | undefined;
  #pingSentAt: number | undefined;
  #cancelNext: () => void = () => {};

  constructor(handler: ZooKeeperHandler, lastZxid: bigint, parts: TwinClientParts) {
    this.#handler = handler;
    this.#lastZxid = lastZxid;
    this.#parts = parts;
  }

  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  get sessionId(): bigint | undefined {
    return this.#session?.id;
  }

  start(): void {
    this.#next(0, () => this.#dial());
  }

  submit(request: number, operation: ZkOperation): void {
    const connection = this.#connected && this.#closing === undefined ? this.#connection : undefined;
    const problem = operationProblem(operation);
    if (problem !== undefined || connection === undefined) {
      const local = problem === undefined ? failure('NOT_SENT') : badArguments(problem.message, problem.step);
      this.#open.push({ request, operation, local });
      this.#parts.clock.setTimer(0, () => this.#answerLocal());
    } else {
      this.#open.push({ request, operation });
      connection.send({ type: 'request', operation: toOperation(operation) });
    }
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#closing = { promise, resolve };
    if (this.#over) {
      resolve();
    } else if (this.#connected) {
      this.#connection?.send({ type: 'close' });
      this.#parts.clock.setTimer(CLOSE_BOUND_MS, () => this.#end('closed'));
    } else {
      this.#parts.clock.setTimer(0, () => this.#end('closed'));
    }
    return promise;
  }

  #dial(): void {
    this.#cancelNext();
    const connection = this.#parts.dial((message) => {
      if (this.#connection === connection && !this.#over) this.#receive(message);
    });
    this.#connection = connection;
    connection.send({
      type: 'connect',
      sessionId: this.#session?.id ?? 0n,
      password: this.#session?.password ?? new Uint8Array(16),
      timeoutMs: this.#parts.sessionTimeoutMs,
      lastZxid: this.#suspectsFutureZxid() ? 0n : this.#lastZxid,
    });
    const handshakeMs = Math.max(SHORTEST_HANDSHAKE_MS, (this.#session?.timeoutMs ?? this.#parts.sessionTimeoutMs) / 4);
    this.#next(handshakeMs, () => this.#lose());
  }

  #suspectsFutureZxid(): boolean {
    return this.#refusedSince !== undefined && this.#parts.clock.now() - this.#refusedSince >= FUTURE_ZXID_MS;
  }

  #receive(message: FromServer): void {
    switch (message.type) {
      case 'connected':
        this.#cancelNext();
        this.#session = { id: message.sessionId, password: message.password, timeoutMs: message.timeoutMs };
        this.#connected = true;
        this.#refusedSince = undefined;
        this.#setWatchesAgain();
        this.#keepAlive();
        this.#tell((handler) =>
          handler.connected({ id: sessionIdText(message.sessionId), timeoutMs: message.timeoutMs }),
        );
        break;
      case 'expired':
        this.#end('expired');
        break;
      case 'pong':
        this.#pingSentAt = undefined;
        break;
      case 'event':
        this.#onEvent(message.kind, message.path);
        break;
      case 'reply': {
        const open = this.#open.shift();
        if (message.zxid > this.#lastZxid) this.#lastZxid = message.zxid;
        if (open === undefined) break;
        this.#rememberWatch(open.operation, message.answer.code === 0);
        this.#tell((handler) => handler.reply(open.request, toReply(open.operation, message.zxid, message.answer)));
        this.#answerLocal();
        break;
      }
      case 'watchesSet':
        if (message.zxid > this.#lastZxid) this.#lastZxid = message.zxid;
        break;
      case 'sessionClosed':
        this.#end('closed');
        break;
      case 'hungUp':
        if (!this.#connected) this.#refusedSince ??= this.#parts.clock.now();
        this.#lose();
        break;
      case 'unreachable':
        this.#lose();
        break;
    }
  }

  /** The client's half of a watch: which path to name when the session is taken up on another connection. */
  #rememberWatch(operation: ZkOperation, found: boolean): void {
    if (!('watch' in operation) || !operation.watch) return;
    if (operation.op === 'exists') this.#watches[found ? 'data' : 'exist'].add(operation.path);
    else if (found) this.#watches[operation.op === 'get' ? 'data' : 'child'].add(operation.path);
  }

  #onEvent(kind: EventKind, path: string): void {
    const { data, exist, child } = this.#watches;
    const lists = kind === 'children' ? [child] : kind === 'deleted' ? [data, exist, child] : [data, exist];
    const waited = lists.map((list) => list.delete(path)).includes(true);
    if (waited) this.#tell((handler) => handler.watch(path, kind));
  }

  #setWatchesAgain(): void {
    const { data, exist, child } = this.#watches;
    if (data.size + exist.size + child.size === 0) return;
    const operation: Operation = {
      op: 'setWatches',
      relativeZxid: this.#lastZxid,
      dataWatches: [...data],
      existWatches: [...exist],
      childWatches: [...child],
    };
    this.#connection?.send({ type: 'setWatches', operation });
  }

  /** A ping every T/3; one that stays unanswered until the next is due breaks the connection. */
  #keepAlive(): void {
    this.#pingSentAt = undefined;
    const beat = () => {
      if (this.#pingSentAt !== undefined) return this.#lose();
      this.#pingSentAt = this.#parts.clock.now();
      this.#connection?.send({ type: 'ping' });
      this.#next((this.#session?.timeoutMs ?? 0) / 3, beat);
    };
    this.#next((this.#session?.timeoutMs ?? 0) / 3, beat);
  }

  #lose(): void {
    if (this.#over) return;
    const wasConnected = this.#connected;
    this.#dropConnection();
    this.#failAll('CONNECTION_LOSS');
    if (wasConnected) this.#tell((handler) => handler.disconnected());
    if (this.#closing !== undefined) this.#end('closed');
    else this.#next(RECONNECT_MS, () => this.#dial());
  }

  #end(reason: ZkSessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#dropConnection();
    this.#failAll('SESSION_ENDED');
    this.#answerLocal();
    this.#tell((handler) => handler.ended(reason));
    this.#closing?.resolve();
  }

  #dropConnection(): void {
    this.#cancelNext();
    this.#connected = false;
    this.#connection?.hangUp();
    this.#connection = undefined;
  }

  #failAll(code: 'CONNECTION_LOSS' | 'SESSION_ENDED'): void {
    for (const { request, local } of this.#open.splice(0)) {
      this.#tell((handler) => handler.reply(request, local ?? failure(code)));
    }
  }

  #answerLocal(): void {
    for (let first = this.#open[0]; first?.local !== undefined; first = this.#open[0]) {
      const { request, local } = first;
      this.#open.shift();
      this.#tell((handler) => handler.reply(request, local));
    }
  }

  /** There is one thing at a time to wait for: dialling, its answer, or the next ping. */
  #next(delayMs: number, callback: () => void): void {
    this.#cancelNext();
    this.#cancelNext = this.#parts.clock.setTimer(delayMs, callback);
  }

  /** A handler that throws must not harm the client, but no test shall miss it. */
  #tell(call: (handler: ZooKeeperHandler) => void): void {
    try {
      call(this.#handler);
    } catch (error) {
      this.#parts.clock.setTimer(0, () => {
        throw error;
      });
    }
  }
}

function failure(code: 'NOT_SENT' | 'SESSION_ENDED' | 'CONNECTION_LOSS'): ZkReply {
  return { ok: false, code, message: `no answer: ${code}` };
}
