/**
 * What the driver (node-driver.ts) needs from the world. Each port is small, owned by its caller, and has an in-memory twin
 * for tests and simulation beside the real adapter; one conformance suite runs against both.
 */
import type { ChannelId, Direction } from './core/channels.ts';
import type { ZkOperation, ZkReply, ZkSession, ZkSessionEnd, ZkWatchKind } from './core/coordination.ts';
import type { Message } from './core/messages.ts';
import type { Member } from './core/types.ts';

/** Monotonic time in milliseconds, with fractions. Its rate may differ from other nodes' by less than 1 %. */
export interface Clock {
  now(): number;
  /** Runs `callback` once, at or after `delayMs` from now, never synchronously. Returns the way to cancel it. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

export interface Random {
  /** A new identifier: 32 lower-case hexadecimal digits, unguessable in production. */
  guid(): string;
  /** A fraction in [0, 1), for jitter. */
  fraction(): number;
}

/** Never given values or secrets. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

// ---------------------------------------------------------------------------------------------------- ZooKeeper

/** All callbacks run from a fresh stack, never inside a call of the client, and may throw without harming it. */
export interface ZooKeeperHandler {
  /** First and every further connection of this one session. */
  connected(session: ZkSession): void;
  /** The connection broke; the session may or may not live on. Reconnecting is the client's own business. */
  disconnected(): void;
  /** Last call of all: the session is over. Every open request has been replied to before. */
  ended(reason: ZkSessionEnd): void;
  reply(request: number, reply: ZkReply): void;
  /** One-shot, at most once for each watch set. A hint: read again. */
  watch(path: string, kind: ZkWatchKind): void;
}

/**
 * One ZooKeeper session, from its opening to its end; never reused. Raw operations only: leases, recipes and retries
 * are the core's. Requests are answered in the order in which they were submitted; each exactly once.
 */
export interface ZooKeeperClient {
  submit(request: number, operation: ZkOperation): void;
  /** The newest zxid seen, for the next session to start from. */
  readonly lastZxid: bigint;
  /** Ends the session; resolves when the server has confirmed it or after a bound (1 s). Idempotent. */
  close(): Promise<void>;
}

/** Opens a session. Connecting starts at once and goes on until the session ends. Never throws. */
export type OpenZooKeeper = (handler: ZooKeeperHandler, options: { readonly lastZxid: bigint }) => ZooKeeperClient;

// ---------------------------------------------------------------------------------------------------- Transport

export interface TransportHandler {
  /** The hello went through: `peer` is proven to be that member (and, given a secret or certificates, authorised). */
  up(channel: ChannelId, peer: Member, direction: Direction): void;
  /** The last word about this channel. What was sent on it may or may not have arrived. */
  down(channel: ChannelId): void;
  /** In order within one channel. Well-formed, but otherwise as untrusted as the peer. */
  message(channel: ChannelId, message: Message): void;
  /** A dialled peer refused us, or we it, for a reason that dialling again will hardly cure. Dialling goes on. */
  refused(peer: Member, code: 'ZISTORE_INCOMPATIBLE' | 'ZISTORE_UNAUTHORIZED', message: string): void;
}

/**
 * Connections between nodes, cached by address (Z42). Delivers within a channel in order or not at all; knows nothing
 * of epochs. Best effort: `send` on a channel that is going down is silently lost, `down` follows.
 */
export interface Transport {
  /** Binds the listening socket. Rejects with ZiStoreError when it cannot. */
  listen(handler: TransportHandler): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * From here on hellos are sent and accepted as this incarnation. A changed incarnation, or null (nobody: all hellos
   * are held back), closes every connection and forgets every peer dialled.
   */
  identify(self: Member | null): void;
  /** Keep one connection to this member: dial now and, with backoff, again until `hangup`. Idempotent. */
  dial(peer: Member): void;
  /** Stop dialling and close the dialled connection. Idempotent. Inbound ones are not touched. */
  hangup(peer: Member): void;
  send(channel: ChannelId, message: Message): void;
  /** Closes one connection for a fault of the peer. A dialled one is dialled again. */
  drop(channel: ChannelId, reason: string): void;
  close(): Promise<void>;
}

export type {
  Stat,
  ZkCreateMode,
  ZkErrorCode,
  ZkMultiStep,
  ZkOperation,
  ZkReply,
  ZkSession,
  ZkSessionEnd,
  ZkWatchKind,
} from './core/coordination.ts';
export type { ChannelId, Direction };
