/**
 * In-memory twin of the ZooKeeperClient port: the embedded coordinator's state behind a network that a test cuts,
 * slows and loses replies on. Driven by a Clock alone, so a virtual one makes every run repeatable.
 */
import { CoordinatorState } from '../../src/embedded/state.ts';
import type { Clock } from '../../src/ports.ts';
import { Pipe } from './pipe.ts';
import { Host, type ServerEnd, type TwinHost, type TwinHostOptions } from './twin-host.ts';
import type { FromServer, ToServer } from './twin-wire.ts';

export type { TwinHost, TwinHostOptions };

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
    if (!this.#up) this.hangUp(id, 'unreachable');
    return connection;
  }

  hangUp(id: number, type: 'hungUp' | 'unreachable' = 'hungUp'): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    this.#connections.delete(id);
    this.state.forgetWatcher(id);
    connection.up.close();
    connection.down.send({ type });
    connection.host.leave(connection);
  }

  #receive(connection: ServerEnd, message: ToServer): void {
    const { sessionId, host } = connection;
    if (message.type === 'hungUp') this.hangUp(connection.id);
    else if (message.type === 'connect') this.#connect(connection, message);
    else if (sessionId === undefined) return;
    else if (message.type === 'ping') this.#ping(connection, sessionId);
    else if (host.isolated) return;
    else if (host.take('request')) this.hangUp(connection.id);
    else if (message.type === 'close') this.#close(connection, sessionId);
    else this.#execute(connection, sessionId, message);
  }

  #connect(connection: ServerEnd, request: Extract<ToServer, { type: 'connect' }>): void {
    if (connection.host.isolated) return;
    const result = this.state.connect(request, this.#clock.now());
    if (result.kind === 'refused') this.hangUp(connection.id);
    if (result.kind === 'expired') connection.down.send({ type: 'expired' });
    if (result.kind !== 'accepted') return;
    const { id, password, timeoutMs } = result.session;
    this.#dropSession(id);
    connection.sessionId = id;
    connection.down.send({ type: 'connected', sessionId: id, password, timeoutMs });
  }

  #ping(connection: ServerEnd, sessionId: bigint): void {
    if (!connection.host.isolated) this.state.touch(sessionId, this.#clock.now());
    connection.down.send({ type: 'pong' });
  }

  #execute(connection: ServerEnd, sessionId: bigint, message: Extract<ToServer, { operation: unknown }>): void {
    const now = this.#clock.now();
    const { zxid, answer, events } = this.state.execute(sessionId, connection.id, message.operation, now);
    this.#announce(events);
    if (connection.host.take('reply')) this.hangUp(connection.id);
    else if (message.type === 'request') connection.down.send({ type: 'reply', zxid, answer });
    else connection.down.send({ type: 'watchesSet', zxid });
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

/** Starts its ticks; `stop` ends them. */
export function startCoordinatorTwin(options: CoordinatorTwinOptions): CoordinatorTwin {
  const twin = new CoordinatorTwin(options);
  twin.tick();
  return twin;
}
