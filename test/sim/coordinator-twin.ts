/**
 * In-memory twin of the ZooKeeperClient port: the embedded coordinator's state behind a network that a test cuts,
 * slows and loses replies on. Driven by a Clock alone, so a virtual one makes every run repeatable.
 */
import { CoordinatorState } from '../../src/embedded/state.ts';
import type { Clock, OpenZooKeeper } from '../../src/ports.ts';
import { Pipe } from './pipe.ts';
import { TwinClient } from './twin-client.ts';
import type { FromServer, ToServer } from './twin-wire.ts';

export interface CoordinatorTwinOptions {
  readonly clock: Clock;
  /** Default 200. */
  readonly tickTimeMs?: number;
  /** Default: two ticks. */
  readonly minSessionTimeoutMs?: number;
  /** Default: twenty ticks. */
  readonly maxSessionTimeoutMs?: number;
  /** Default 1n << 32n. */
  readonly firstZxid?: bigint;
}

export interface TwinHostOptions {
  /** What its clients ask for. Default 1000. */
  readonly sessionTimeoutMs?: number;
  /** One way, in milliseconds. Default 1. */
  readonly latencyMs?: number | (() => number);
  /** Of the process that the client runs in. Default: the twin's. */
  readonly clock?: Clock;
}

/** One process that uses the coordinator: its sessions, one after the other, and the path to it. */
export interface TwinHost {
  readonly open: OpenZooKeeper;
  /** Of the newest session, as 16 hexadecimal digits are read; undefined before the first connect. */
  readonly sessionId: bigint | undefined;
  /** Bytes stop in both directions and are held, as in a partition. */
  cut(): void;
  /** What was held arrives. */
  heal(): void;
  /** Breaks the connection at once; the client notices at once. */
  reset(): void;
  /** Ends the session on the server; the client hears of it as soon as the path allows. */
  expireSession(): void;
  /** The next request is carried out, its answer lost with the connection. */
  dropNextReply(): void;
  /** The next request is lost with the connection. */
  dropNextRequest(): void;
  /** The server that this host is connected to has lost its quorum: pings are answered, nothing else, no session touched. */
  isolate(): void;
  /** Ends `isolate`, by breaking the connection. */
  rejoin(): void;
  setLatency(latencyMs: number | (() => number)): void;
}

/** Of the server's side of a connection; also the watcher's number. */
interface ServerEnd {
  readonly id: number;
  readonly up: Pipe<ToServer>;
  readonly down: Pipe<FromServer>;
  readonly host: Host;
  sessionId: bigint | undefined;
  /** Of the two ends, how many are still there. */
  ends: number;
}

export class CoordinatorTwin {
  readonly state: CoordinatorState;
  readonly tickTimeMs: number;
  readonly #clock: Clock;
  readonly #connections = new Map<number, ServerEnd>();
  #lastConnection = 0;
  #up = true;
  #cancelTick: () => void = () => {};

  /** Use startCoordinatorTwin. */
  constructor(options: CoordinatorTwinOptions) {
    this.#clock = options.clock;
    this.tickTimeMs = options.tickTimeMs ?? 200;
    let passwords = 0;
    this.state = new CoordinatorState({
      limits: {
        tickTimeMs: this.tickTimeMs,
        minSessionTimeoutMs: options.minSessionTimeoutMs ?? this.tickTimeMs * 2,
        maxSessionTimeoutMs: options.maxSessionTimeoutMs ?? this.tickTimeMs * 20,
        maxSessions: 10_000,
        maxNodes: 1_000_000,
        maxBytes: 256 * 1024 * 1024,
        maxWatchesPerConnection: 100_000,
      },
      firstZxid: options.firstZxid ?? 1n << 32n,
      firstSessionId: 0x1000_0000_0000_0001n,
      newPassword: () => new Uint8Array(16).fill(++passwords),
      wallOffsetMs: 0,
    });
  }

  host(options: TwinHostOptions = {}): TwinHost {
    return new Host(this, options.clock ?? this.#clock, options);
  }

  /** The service stops answering anybody and forgets nothing. */
  goDown(): void {
    this.#up = false;
    this.#cancelTick();
    for (const connection of [...this.#connections.values()]) this.hangUp(connection.id);
  }

  /** As after a restart, every session has its whole timeout again. */
  comeUp(): void {
    this.#up = true;
    this.state.touchAll(this.#clock.now());
    this.tick();
  }

  stop(): void {
    this.goDown();
  }

  /** Expires who was silent; at multiples of the tick, as ZooKeeper does. */
  tick(): void {
    const now = this.#clock.now();
    const { sessions, events } = this.state.expire(now);
    this.#announce(events);
    for (const session of sessions) this.#dropSession(session);
    this.#cancelTick();
    this.#cancelTick = this.#clock.setTimer(this.tickTimeMs - (now % this.tickTimeMs), () => this.tick());
  }

  expire(sessionId: bigint): void {
    this.#announce(this.state.endSession(sessionId, this.#clock.now()).events);
    this.#dropSession(sessionId);
  }

  /** A new connection of `host`; answers go to `deliver`. */
  accept(host: Host, deliver: (message: FromServer) => void): ServerEnd {
    const id = ++this.#lastConnection;
    const connection: ServerEnd = {
      id,
      host,
      sessionId: undefined,
      ends: 2,
      up: new Pipe(this.#clock, host.latencyMs, (message) => this.#receive(connection, message)),
      down: new Pipe(host.clock, host.latencyMs, deliver),
    };
    this.#connections.set(id, connection);
    if (!this.#up) this.hangUp(id);
    return connection;
  }

  hangUp(id: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    this.#connections.delete(id);
    this.state.forgetWatcher(id);
    connection.up.close();
    connection.down.send({ type: 'hungUp' });
    connection.host.leave(connection);
  }

  #receive(connection: ServerEnd, message: ToServer): void {
    if (message.type === 'connect') return this.#connect(connection, message);
    if (message.type === 'hungUp') return this.hangUp(connection.id);
    const { sessionId } = connection;
    if (sessionId === undefined) return;
    if (message.type === 'ping') {
      if (!connection.host.isolated) this.state.touch(sessionId, this.#clock.now());
      return connection.down.send({ type: 'pong' });
    }
    if (connection.host.isolated) return;
    if (connection.host.take('request')) return this.hangUp(connection.id);
    if (message.type === 'close') return this.#close(connection, sessionId);
    const { zxid, answer, events } = this.state.execute(sessionId, connection.id, message.operation, this.#clock.now());
    this.#announce(events);
    if (connection.host.take('reply')) return this.hangUp(connection.id);
    if (message.type === 'request') connection.down.send({ type: 'reply', zxid, answer });
    else connection.down.send({ type: 'watchesSet', zxid });
  }

  #connect(connection: ServerEnd, request: Extract<ToServer, { type: 'connect' }>): void {
    if (connection.host.isolated) return;
    const result = this.state.connect(request, this.#clock.now());
    if (result.kind === 'refused') return this.hangUp(connection.id);
    if (result.kind === 'expired') return connection.down.send({ type: 'expired' });
    const { id, password, timeoutMs } = result.session;
    this.#dropSession(id);
    connection.sessionId = id;
    connection.down.send({ type: 'connected', sessionId: id, password, timeoutMs });
  }

  #close(connection: ServerEnd, sessionId: bigint): void {
    this.#announce(this.state.endSession(sessionId, this.#clock.now()).events);
    connection.down.send({ type: 'sessionClosed' });
    this.hangUp(connection.id);
  }

  #announce(
    events: readonly { watcher: number; kind: Extract<FromServer, { type: 'event' }>['kind']; path: string }[],
  ) {
    for (const { watcher, kind, path } of events) {
      this.#connections.get(watcher)?.down.send({ type: 'event', kind, path });
    }
  }

  /** Closes the connections on which this session was served until now. */
  #dropSession(sessionId: bigint): void {
    for (const connection of [...this.#connections.values()]) {
      if (connection.sessionId === sessionId && !connection.host.isolated) this.hangUp(connection.id);
    }
  }
}

class Host implements TwinHost {
  readonly clock: Clock;
  readonly latencyMs: () => number;
  readonly open: OpenZooKeeper;
  isolated = false;
  readonly #twin: CoordinatorTwin;
  readonly #faults = new Set<'request' | 'reply'>();
  readonly #links = new Set<ServerEnd>();
  #latency: number | (() => number);
  #cut = false;
  #client: TwinClient | undefined;

  constructor(twin: CoordinatorTwin, clock: Clock, options: TwinHostOptions) {
    this.#twin = twin;
    this.clock = clock;
    this.#latency = options.latencyMs ?? 1;
    this.latencyMs = () => (typeof this.#latency === 'number' ? this.#latency : this.#latency());
    this.open = (handler, { lastZxid }) => {
      const sessionTimeoutMs = options.sessionTimeoutMs ?? 1000;
      const client = new TwinClient(handler, lastZxid, {
        clock,
        sessionTimeoutMs,
        dial: (deliver) => this.#dial(deliver),
      });
      this.#client = client;
      client.start();
      return client;
    };
  }

  get sessionId(): bigint | undefined {
    return this.#client?.sessionId;
  }

  cut(): void {
    this.#cut = true;
    for (const { up, down } of this.#links) {
      up.hold();
      down.hold();
    }
  }

  heal(): void {
    this.#cut = false;
    for (const { up, down } of this.#links) {
      up.release();
      down.release();
    }
  }

  reset(): void {
    for (const { id } of [...this.#links]) this.#twin.hangUp(id);
  }

  expireSession(): void {
    if (this.sessionId !== undefined) this.#twin.expire(this.sessionId);
  }

  dropNextReply(): void {
    this.#faults.add('reply');
  }

  dropNextRequest(): void {
    this.#faults.add('request');
  }

  isolate(): void {
    this.isolated = true;
  }

  rejoin(): void {
    this.isolated = false;
    this.reset();
  }

  setLatency(latencyMs: number | (() => number)): void {
    this.#latency = latencyMs;
  }

  /** Whether that fault was ordered; it happens once. */
  take(fault: 'request' | 'reply'): boolean {
    return this.#faults.delete(fault);
  }

  /** One end of the connection is gone; bytes of the other may still be under way. */
  leave(link: ServerEnd): void {
    link.ends--;
    if (link.ends === 0) this.#links.delete(link);
  }

  #dial(deliver: (message: FromServer) => void) {
    const link = this.#twin.accept(this, deliver);
    this.#links.add(link);
    if (this.#cut) this.cut();
    return {
      send: (message: ToServer) => link.up.send(message),
      hangUp: () => {
        link.down.close();
        link.up.send({ type: 'hungUp' });
        this.leave(link);
      },
    };
  }
}

/** Starts its ticks; `stop` ends them. */
export function startCoordinatorTwin(options: CoordinatorTwinOptions): CoordinatorTwin {
  const twin = new CoordinatorTwin(options);
  twin.tick();
  return twin;
}
