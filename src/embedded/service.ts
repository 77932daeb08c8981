/** The state behind connections: who is connected, what they ask, whom to tell. Knows no listening socket. */
import type { Clock, Logger } from '../ports.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { CoordinatorFaults, RequestInfo } from './faults.ts';
import { MalformedFrame } from './jute.ts';
import { ErrorCode } from './operations.ts';
import {
  answerFrame,
  eventFrame,
  handshakeFrame,
  type Request,
  readHandshake,
  readRequest,
  statusFrame,
} from './protocol.ts';
import type { CoordinatorState } from './state.ts';
import type { WatchEvent } from './watches.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface ServiceParts {
  readonly state: CoordinatorState;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly tickTimeMs: number;
  readonly faults: CoordinatorFaults;
}

export const sessionIdText = (id: bigint): string => id.toString(16).padStart(16, '0');

export class CoordinatorService implements ConnectionOwner {
  readonly #parts: ServiceParts;
  readonly #connections = new Map<number, Connection>();
  /** Which connection serves a session. */
  readonly #serving = new Map<bigint, Connection>();
  readonly #handshakeTimers = new Map<number, () => void>();
  #cancelTick: () => void = () => {};

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, tickTimeMs } = this.#parts;
    this.#tickAt(clock.now() + tickTimeMs);
  }

  stop(): void {
    this.#cancelTick();
    for (const connection of this.#connections.values()) connection.destroy();
  }

  opened(connection: Connection): void {
    this.#connections.set(connection.id, connection);
    const cancel = this.#parts.clock.setTimer(HANDSHAKE_TIMEOUT_MS, () => connection.destroy());
    this.#handshakeTimers.set(connection.id, cancel);
  }

  broken(connection: Connection, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const [level, fields] = [
      error instanceof MalformedFrame ? 'debug' : 'error',
      { connection: connection.id, reason },
    ] as const;
    this.#parts.logger?.[level]('the embedded coordinator closed a connection that it could not serve', fields);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#endHandshake(connection.id);
    this.#parts.state.forgetWatcher(connection.id);
    const { sessionId } = connection;
    if (sessionId !== undefined && this.#serving.get(sessionId) === connection) this.#serving.delete(sessionId);
  }

  sessionIds(): readonly bigint[] {
    return this.#parts.state.sessionIds;
  }

  /** Ends a session as if its client had been silent for too long. False where there is none such. */
  expireSession(sessionId: bigint): boolean {
    const ended = this.#parts.state.endSession(sessionId, this.#parts.clock.now());
    this.#announce(ended.events);
    for (const id of ended.sessions) this.#sessionOver(id);
    return ended.sessions.length > 0;
  }

  command(connection: Connection, word: string): void {
    if (word === 'ruok') connection.end('imok');
    else connection.end(word === 'srvr' ? this.#report() : '');
  }

  frame(connection: Connection, frame: Buffer): void {
    if (connection.sessionId === undefined) this.#handshake(connection, frame);
    else this.#request(connection, connection.sessionId, readRequest(frame));
  }

  #report(): string {
    const { state } = this.#parts;
    return [
      'Zookeeper version: embedded coordinator of ZiStore',
      `Connections: ${this.#connections.size}`,
      `Zxid: 0x${state.zxid.toString(16)}`,
      'Mode: standalone',
      `Node count: ${state.nodeCount}`,
      `Watch count: ${state.watchCount}`,
      '',
    ].join('\n');
  }

  #handshake(connection: Connection, frame: Buffer): void {
    const { state, clock, faults, logger } = this.#parts;
    const request = readHandshake(frame);
    const info = infoOf(connection, request.sessionId, 'connect');
    if (faults.request?.(info) === 'ignore') return;
    this.#endHandshake(connection.id);
    const result = state.connect(request, clock.now());
    if (result.kind === 'accepted') {
      const { id, password, timeoutMs } = result.session;
      this.#serve(connection, id);
      this.#deliver(connection, info, handshakeFrame({ sessionId: id, password, timeoutMs }, request.readOnlyFlag));
    } else if (result.kind === 'expired') {
      connection.end(handshakeFrame(null, request.readOnlyFlag));
    } else {
      logger?.warn('the embedded coordinator refused a connection', { reason: result.reason });
      connection.destroy();
    }
  }

  /** The session moves here; its former connection is of no more use. */
  #serve(connection: Connection, sessionId: bigint): void {
    this.#serving.get(sessionId)?.destroy();
    connection.sessionId = sessionId;
    this.#serving.set(sessionId, connection);
  }

  #request(connection: Connection, sessionId: bigint, request: Request): void {
    const { state, faults } = this.#parts;
    const info = infoOf(connection, sessionId, request.kind === 'operation' ? request.operation.op : request.kind);
    const fate = faults.request?.(info) ?? 'handle';
    if (fate === 'ignore') return;
    const answer =
      fate === 'handle'
        ? this.#handle(connection, sessionId, request)
        : statusFrame(request.xid, state.zxid, fate.error);
    this.#deliver(connection, info, answer);
    if (request.kind === 'close') connection.end();
  }

  /** Events go out before the answer: a client that has the answer of a change has heard of the change. */
  #handle(connection: Connection, sessionId: bigint, request: Request): Buffer {
    const { state, clock } = this.#parts;
    const now = clock.now();
    switch (request.kind) {
      case 'operation': {
        const { zxid, answer, events } = state.execute(sessionId, connection.id, request.operation, now);
        this.#announce(events);
        return answerFrame(request.xid, zxid, answer);
      }
      case 'close': {
        const { zxid, events } = state.endSession(sessionId, now);
        this.#announce(events);
        this.#serving.delete(sessionId);
        return statusFrame(request.xid, zxid);
      }
      case 'ping':
      case 'auth':
        state.touch(sessionId, now);
        return statusFrame(request.xid, state.zxid);
      case 'unsupported':
        state.touch(sessionId, now);
        return statusFrame(request.xid, state.zxid, ErrorCode.unimplemented);
    }
  }

  #deliver(connection: Connection, info: RequestInfo, frame: Buffer): void {
    const fate = this.#parts.faults.answer?.(info) ?? 'send';
    if (fate === 'send') connection.send(frame);
    else if (fate === 'disconnect') connection.destroy();
    else if (fate !== 'ignore' && 'cutAfterBytes' in fate) connection.end(frame.subarray(0, fate.cutAfterBytes));
    else if (fate !== 'ignore') {
      connection.hold();
      connection.send(frame);
      this.#parts.clock.setTimer(fate.delayMs, () => connection.release());
    }
  }

  #announce(events: readonly WatchEvent[]): void {
    for (const { watcher, kind, path } of events) this.#connections.get(watcher)?.send(eventFrame(kind, path));
  }

  #sessionOver(sessionId: bigint): void {
    const connection = this.#serving.get(sessionId);
    this.#serving.delete(sessionId);
    if (!this.#parts.faults.keepConnection?.(sessionIdText(sessionId))) connection?.destroy();
  }

  #tickAt(due: number): void {
    const { clock } = this.#parts;
    this.#cancelTick = clock.setTimer(due - clock.now(), () => this.#tick(due));
  }

  /** A process that was stopped or busy heard nobody meanwhile: that silence is not the clients'. */
  #tick(due: number): void {
    const { clock, state, tickTimeMs, logger } = this.#parts;
    const now = clock.now();
    const late = now - due;
    if (late >= tickTimeMs) {
      logger?.warn('the embedded coordinator was held up; sessions live longer by as much', {
        lateMs: Math.round(late),
      });
      state.postpone(late);
    }
    const { sessions, events } = state.expire(now);
    this.#announce(events);
    for (const session of sessions) this.#sessionOver(session);
    this.#tickAt(now + tickTimeMs);
  }

  #endHandshake(connection: number): void {
    this.#handshakeTimers.get(connection)?.();
    this.#handshakeTimers.delete(connection);
  }
}

function infoOf(connection: Connection, sessionId: bigint, kind: RequestInfo['kind']): RequestInfo {
  return { sessionId: sessionIdText(sessionId), connection: connection.id, kind };
}
