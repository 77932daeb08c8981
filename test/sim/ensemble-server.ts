/**
 * One server of an ensemble: its own copy of the state, which may lag behind, and the clients connected to it. It
 * answers pings and reads by itself, passes changes and new sessions on to the leader server, and tells that one only
 * when it is asked which sessions it has heard of.
 */
import type { Operation } from '../../src/embedded/operations.ts';
import type { CoordinatorState } from '../../src/embedded/state.ts';
import type { WatchEvent } from '../../src/embedded/watches.ts';
import type { Clock } from '../../src/ports.ts';
import { type Entry, newReplica } from './ensemble-log.ts';
import type { EnsemblePath } from './ensemble-path.ts';
import { Pipe } from './pipe.ts';
import type { FromServer, ToServer } from './twin-wire.ts';

export type FromLeader =
  | { readonly type: 'ping' }
  | { readonly type: 'apply'; readonly entry: Entry }
  | { readonly type: 'validated'; readonly connection: ServerConnection; readonly valid: boolean };

export type ToLeader =
  | { readonly type: 'propose'; readonly entry: Entry }
  | { readonly type: 'touches'; readonly sessions: readonly bigint[] }
  | { readonly type: 'validate'; readonly connection: ServerConnection };

/** A server's end of a client's connection. */
export interface ServerConnection {
  readonly id: number;
  readonly server: EnsembleServer;
  readonly path: EnsemblePath;
  readonly up: Pipe<ToServer>;
  readonly down: Pipe<FromServer>;
  readonly waiting: ToServer[];
  request: Extract<ToServer, { type: 'connect' }> | undefined;
  sessionId: bigint | undefined;
  /** A change of this connection is on its way; what comes after it waits, as in ZooKeeper. */
  busy: boolean;
  open: boolean;
}

export interface ServerParts {
  readonly name: string;
  /** The server's own. */
  readonly clock: Clock;
  readonly tickTimeMs: number;
  /** How long an entry that has arrived waits until it is applied. */
  readonly applyDelayMs: () => number;
  readonly nextConnection: () => number;
}

/** The way to the leader server; of the leader itself, to itself. */
export interface ToReign {
  readonly isLeader: boolean;
  send(message: ToLeader): void;
  /** The leader server hears of this session at once; only where it is this server. */
  heard(session: bigint): void;
}

export class EnsembleServer {
  readonly name: string;
  readonly clock: Clock;
  /** Nobody reaches it, and it serves nobody: it has crashed. */
  down = false;
  replica: CoordinatorState;
  /** Entries applied. */
  applied = 0;
  reign: ToReign | undefined;
  readonly #parts: ServerParts;
  readonly #connections = new Map<number, ServerConnection>();
  #heard = new Set<bigint>();
  #applying: Pipe<Entry>;

  constructor(parts: ServerParts) {
    this.name = parts.name;
    this.clock = parts.clock;
    this.#parts = parts;
    this.replica = newReplica(parts.tickTimeMs);
    this.#applying = this.#newQueue();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Whether clients may connect. */
  get serving(): boolean {
    return !this.down && this.reign !== undefined;
  }

  accept(path: EnsemblePath, client: Clock, deliver: (message: FromServer) => void): ServerConnection {
    const connection: ServerConnection = {
      id: this.#parts.nextConnection(),
      server: this,
      path,
      up: new Pipe(this.clock, path.latencyMs, (message) => this.#receive(connection, message)),
      down: new Pipe(client, path.latencyMs, deliver),
      waiting: [],
      request: undefined,
      sessionId: undefined,
      busy: false,
      open: true,
    };
    if (this.serving) this.#connections.set(connection.id, connection);
    else this.#close(connection, 'unreachable');
    return connection;
  }

  /** From here on it follows this leader server, having caught up with `log`. */
  follow(reign: ToReign, log: readonly Entry[]): void {
    this.#applying.close();
    this.#applying = this.#newQueue();
    this.#heard = new Set();
    for (const entry of log.slice(this.applied)) this.#apply(entry);
    this.reign = reign;
  }

  /** It has lost its leader server: it serves nobody until it has found one. */
  stopServing(): void {
    this.reign = undefined;
    this.#applying.close();
    for (const connection of [...this.#connections.values()]) this.hangUp(connection);
  }

  fromLeader(message: FromLeader): void {
    if (message.type === 'apply') this.#applying.send(message.entry);
    else if (message.type === 'validated') this.#validated(message.connection, message.valid);
    else {
      const sessions = [...this.#heard];
      this.#heard.clear();
      this.reign?.send({ type: 'touches', sessions });
    }
  }

  hangUp(connection: ServerConnection): void {
    if (this.#connections.has(connection.id)) this.#close(connection, 'hungUp');
  }

  #newQueue(): Pipe<Entry> {
    return new Pipe(this.clock, this.#parts.applyDelayMs, (entry) => this.#apply(entry));
  }

  #close(connection: ServerConnection, type: 'hungUp' | 'unreachable'): void {
    connection.open = false;
    this.#connections.delete(connection.id);
    this.replica.forgetWatcher(connection.id);
    connection.up.close();
    connection.down.send({ type });
    connection.path.leave(connection);
  }

  #receive(connection: ServerConnection, message: ToServer): void {
    const { sessionId } = connection;
    if (message.type === 'hungUp') {
      this.hangUp(connection);
      return;
    }
    if (message.type === 'connect') {
      this.#connect(connection, message);
      return;
    }
    if (sessionId === undefined) return;
    if (this.reign?.isLeader) this.reign.heard(sessionId);
    else this.#heard.add(sessionId);
    if (message.type === 'ping') connection.down.send({ type: 'pong' });
    else {
      connection.waiting.push(message);
      this.#serve(connection, sessionId);
    }
  }

  #connect(connection: ServerConnection, request: Extract<ToServer, { type: 'connect' }>): void {
    connection.request = request;
    if (request.lastZxid > this.replica.zxid) this.hangUp(connection);
    else if (request.sessionId === 0n) {
      this.reign?.send({ type: 'propose', entry: { kind: 'open', request, origin: connection } });
    } else this.reign?.send({ type: 'validate', connection });
  }

  #validated(connection: ServerConnection, valid: boolean): void {
    if (!connection.open || connection.request === undefined) return;
    if (!valid) {
      connection.down.send({ type: 'expired' });
      return;
    }
    const result = this.replica.connect(connection.request, this.clock.now());
    // The leader server knows the session, so one that is not here yet is on its way.
    if (result.kind === 'accepted') this.#accepted(connection, result.session);
    else this.hangUp(connection);
  }

  #accepted(connection: ServerConnection, session: { id: bigint; password: Uint8Array; timeoutMs: number }): void {
    for (const older of [...this.#connections.values()]) if (older.sessionId === session.id) this.hangUp(older);
    connection.sessionId = session.id;
    const { id: sessionId, password, timeoutMs } = session;
    connection.down.send({ type: 'connected', sessionId, password, timeoutMs });
  }

  #serve(connection: ServerConnection, session: bigint): void {
    while (!connection.busy && connection.open) {
      const message = connection.waiting.shift();
      if (message === undefined) return;
      if (connection.path.take('request')) this.hangUp(connection);
      else if (message.type === 'close') {
        connection.busy = true;
        this.reign?.send({ type: 'propose', entry: { kind: 'end', session, origin: connection } });
      } else if (message.type === 'setWatches') {
        this.#read(connection, session, message.operation, 'watchesSet');
      } else if (message.type === 'request') {
        if (isRead(message.operation)) this.#read(connection, session, message.operation, 'reply');
        else {
          connection.busy = true;
          const entry: Entry = { kind: 'change', session, operation: message.operation, origin: connection };
          this.reign?.send({ type: 'propose', entry });
        }
      }
    }
  }

  #read(connection: ServerConnection, session: bigint, operation: Operation, type: 'reply' | 'watchesSet'): void {
    const { zxid, answer, events } = this.replica.execute(session, connection.id, operation, this.clock.now());
    this.#announce(events);
    if (connection.path.take('reply')) this.hangUp(connection);
    else connection.down.send(type === 'reply' ? { type, zxid, answer } : { type, zxid });
  }

  #apply(entry: Entry): void {
    this.applied += 1;
    const now = this.clock.now();
    if (entry.kind === 'open') {
      const result = this.replica.connect(newSession(entry.request), now);
      if (result.kind === 'accepted' && this.#isHere(entry.origin)) this.#accepted(entry.origin, result.session);
    } else if (entry.kind === 'end') this.#endSession(entry, now);
    else {
      const { zxid, answer, events } = this.replica.execute(entry.session, 0, entry.operation, now);
      this.#announce(events);
      if (!this.#isHere(entry.origin)) return;
      entry.origin.busy = false;
      if (entry.origin.path.take('reply')) this.hangUp(entry.origin);
      else entry.origin.down.send({ type: 'reply', zxid, answer });
      this.#serve(entry.origin, entry.session);
    }
  }

  #endSession(entry: Extract<Entry, { kind: 'end' }>, now: number): void {
    this.#announce(this.replica.endSession(entry.session, now).events);
    for (const connection of [...this.#connections.values()]) {
      if (connection.sessionId !== entry.session) continue;
      if (connection === entry.origin) connection.down.send({ type: 'sessionClosed' });
      this.hangUp(connection);
    }
  }

  #isHere(connection: ServerConnection): boolean {
    return connection.server === this && connection.open;
  }

  #announce(events: readonly WatchEvent[]): void {
    for (const { watcher, kind, path } of events) {
      this.#connections.get(watcher)?.down.send({ type: 'event', kind, path });
    }
  }
}

/** The client's newest zxid was compared where it connected; the entry must do the same everywhere. */
export const newSession = (request: Extract<Entry, { kind: 'open' }>['request']) => ({
  ...request,
  sessionId: 0n,
  lastZxid: 0n,
});

const isRead = ({ op }: Operation): boolean =>
  op === 'exists' || op === 'getData' || op === 'getChildren' || op === 'getAcl' || op === 'sync';
