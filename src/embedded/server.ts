/**
 * A coordination service in this process, for trying ZiStore out and for tests: one server that speaks ZooKeeper's
 * protocol and keeps everything in memory. Not for production: it dies with its process and forgets all.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { realClock } from '../clock.ts';
import { ZiStoreError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import { Connection } from './connection.ts';
import type { CoordinatorFaults } from './faults.ts';
import { CoordinatorService, sessionIdText } from './service.ts';
import { CoordinatorState } from './state.ts';

/** Anybody who reaches the port may do anything, so nobody outside this machine shall. */
const HOST = '127.0.0.1';
const DEFAULT_TICK_TIME_MS = 200;
const MAX_CONNECTIONS = 1000;
const CAPACITY = {
  maxSessions: 10_000,
  maxNodes: 100_000,
  maxBytes: 256 * 1024 * 1024,
  maxWatchesPerConnection: 100_000,
};

export interface EmbeddedCoordinatorOptions {
  /** On the loopback interface. Default 0: any free one. */
  readonly port?: number;
  /** Granularity of session expiry, milliseconds. Default 200. */
  readonly tickTimeMs?: number;
  /** Default: two ticks, as in ZooKeeper. */
  readonly minSessionTimeoutMs?: number;
  /** Default: twenty ticks, as in ZooKeeper. */
  readonly maxSessionTimeoutMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the system's monotonic clock. */
  readonly clock?: Clock;
  /** For tests alone. */
  readonly faults?: CoordinatorFaults;
}

export interface EmbeddedCoordinator {
  readonly port: number;
  readonly connectString: string;
  readonly tickTimeMs: number;
  /** Of the live sessions, 16 hexadecimal digits each. */
  sessionIds(): string[];
  /**
   * Ends a session as if its client had been silent for too long. False where there is none such.
   * Throws ZISTORE_INVALID_ARGUMENT for what is no session id.
   */
  expireSession(sessionId: string): boolean;
  /** Closes every connection and frees the port; everything stored is gone. Idempotent. */
  close(): Promise<void>;
}

/**
 * Resolves when it accepts connections.
 * Rejects with ZISTORE_INVALID_ARGUMENT for times that make no sense, ZISTORE_COORDINATION_UNAVAILABLE where the port
 * cannot be bound.
 */
export async function startEmbeddedCoordinator(options: EmbeddedCoordinatorOptions = {}): Promise<EmbeddedCoordinator> {
  const times = checkTimes(options);
  const clock = options.clock ?? realClock;
  const service = new CoordinatorService({
    state: newState(times, clock),
    clock,
    logger: options.logger,
    tickTimeMs: times.tickTimeMs,
    faults: options.faults ?? {},
  });
  const server = listener(service);
  const port = await bind(server, options.port ?? 0);
  service.start();
  let closing: Promise<void> | undefined;
  return {
    port,
    connectString: `${HOST}:${port}`,
    tickTimeMs: times.tickTimeMs,
    sessionIds: () => service.sessionIds().map(sessionIdText),
    expireSession: (sessionId) => service.expireSession(readSessionId(sessionId)),
    close: () => {
      closing ??= shutDown(server, service);
      return closing;
    },
  };
}

interface Times {
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
}

function checkTimes(options: EmbeddedCoordinatorOptions): Times {
  const tickTimeMs = options.tickTimeMs ?? DEFAULT_TICK_TIME_MS;
  const minSessionTimeoutMs = options.minSessionTimeoutMs ?? 2 * tickTimeMs;
  const maxSessionTimeoutMs = options.maxSessionTimeoutMs ?? Math.max(20 * tickTimeMs, minSessionTimeoutMs);
  const times = { tickTimeMs, minSessionTimeoutMs, maxSessionTimeoutMs };
  for (const [name, value] of Object.entries(times)) {
    if (!Number.isInteger(value) || value < 1 || value > 0x7fffffff) {
      throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `${name} must be a whole number of milliseconds, at least 1`);
    }
  }
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', 'minSessionTimeoutMs must not be above maxSessionTimeoutMs');
  }
  return times;
}

function readSessionId(text: string): bigint {
  if (/^[0-9a-f]{16}$/.test(text)) return BigInt(`0x${text}`);
  throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', 'a session id is 16 hexadecimal digits');
}

/**
 * zxids and session ids start from the time of day: a coordinator that was started again has forgotten everything, but
 * repeats no zxid (epochs only grow) and takes no old session for one of its own.
 */
function newState(times: Times, clock: Clock): CoordinatorState {
  const wallOffsetMs = Date.now() - clock.now();
  const msSince2020 = Date.now() - Date.UTC(2020, 0, 1);
  return new CoordinatorState({
    limits: { ...times, ...CAPACITY },
    // Room for a million changes a millisecond, for three centuries.
    firstZxid: BigInt(msSince2020) << 20n,
    firstSessionId: BigInt(Date.now()) << 20n,
    newPassword: () => randomBytes(16),
    wallOffsetMs,
  });
}

function listener(service: CoordinatorService): Server {
  let connections = 0;
  const server = createServer((socket) => service.opened(new Connection(++connections, socket, service)));
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function bind(server: Server, port: number): Promise<number> {
  try {
    await once(server.listen({ host: HOST, port }), 'listening');
  } catch (cause) {
    const message = `the embedded coordinator cannot listen on ${HOST}:${port}; choose another port, or 0 for any`;
    throw new ZiStoreError('ZISTORE_COORDINATION_UNAVAILABLE', message, { cause });
  }
  return (server.address() as AddressInfo).port;
}

async function shutDown(server: Server, service: CoordinatorService): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  service.stop();
  await closed;
}
