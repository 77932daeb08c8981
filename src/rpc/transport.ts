/** The Transport port over WebSockets: the channels of one node, by member (Z42). */
import type { LookupFunction } from 'node:net';
import type { Message } from '../core/messages.ts';
import { type Member, type MemberId, memberId, sameMember } from '../core/types.ts';
import { ZiStoreError } from '../errors.ts';
import type { ChannelId, Clock, Direction, Logger, Random, Transport, TransportHandler } from '../ports.ts';
import { CLOSE, type CloseCode } from './closing.ts';
import { decode } from './codec.ts';
import type { Connection, ConnectionContext } from './connection.ts';
import { EventQueue } from './events.ts';
import { Dialler, type DiallerContext } from './peer.ts';
import { Acceptor, type TlsFiles } from './server.ts';

export interface WsTransportOptions {
  /** Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Nodes of another cluster are refused with ZISTORE_INCOMPATIBLE. */
  readonly cluster: string;
  /** Known to all nodes of the cluster; who cannot prove it is refused with ZISTORE_UNAUTHORIZED. Default: none. */
  readonly secret?: string | undefined;
  /** PEM. With it, both sides of every connection must show a certificate of this authority. Default: no TLS. */
  readonly tls?: TlsFiles | undefined;
  /** Largest frame sent or taken; a message that is larger costs its connection. Default 8 MiB. */
  readonly maxFrameBytes?: number;
  /**
   * Inbound connections; more are closed at once. Of them a quarter, at most 256, may be ones whose hello is not
   * through; beyond that the oldest of these is closed. Default 1024.
   */
  readonly maxConnections?: number;
  /** For connecting and the hello. Default 5000. */
  readonly helloTimeoutMs?: number;
  /** Between pings; after three without a byte the connection is dropped. Default 1000. */
  readonly keepaliveMs?: number;
  /**
   * Messages that may wait to be sent on one connection; beyond, it is closed. At least as many as a node may have
   * operations in progress, or it would be closed again and again for the same ones. Default 262,144.
   */
  readonly maxWaitingMessages?: number;
  /**
   * Bytes of values in answers that may wait to be sent on one connection, to a peer that takes them more slowly than
   * it asks; beyond, it is closed. More than all values that this node may hold as leader: then what is over it is of
   * keys overwritten since, and of that only what is still waited for is asked again. Writes that wait are not counted:
   * they are of operations in progress, whose values are in memory anyway, and go with them. Default 1088 MiB.
   */
  readonly maxWaitingBytes?: number;
  /** How the names of peers are resolved. Default: as Node does. */
  readonly lookup?: LookupFunction | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

const MIB = 1024 * 1024;
const DEFAULTS = {
  maxFrameBytes: 8 * MIB,
  maxConnections: 1024,
  helloTimeoutMs: 5000,
  keepaliveMs: 1000,
  maxWaitingMessages: 262_144,
  maxWaitingBytes: 1088 * MIB,
} as const;
/** For the closing handshake of a WebSocket, after which its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 1000;

/** A transport that does nothing before `listen`. Throws ZISTORE_INVALID_ARGUMENT. */
export function createWsTransport(options: WsTransportOptions): Transport {
  return new WsTransport(options);
}

interface Channel {
  readonly connection: Connection;
  readonly peer: Member;
  readonly direction: Direction;
}

class WsTransport implements Transport {
  readonly #listenOn: WsTransportOptions['listen'];
  readonly #context: DiallerContext;
  readonly #acceptor: Acceptor;
  readonly #events: EventQueue;
  readonly #channels = new Map<ChannelId, Channel>();
  readonly #inbound = new Map<MemberId, ChannelId>();
  /** Undefined where there is nobody yet to dial as. */
  readonly #dialled = new Map<MemberId, { readonly peer: Member; dialler?: Dialler }>();
  #handler: TransportHandler | undefined;
  #self: Member | null = null;
  #lastChannel = 0;
  #closing: Promise<void> | undefined;

  constructor(options: WsTransportOptions) {
    const { clock, logger, random, secret, cluster, tls, ...rest } = { ...DEFAULTS, ...options };
    const { maxFrameBytes, maxWaitingMessages, maxWaitingBytes, keepaliveMs } = rest;
    if (secret === '') throw invalid('the secret is empty; leave it out or choose one');
    const limits = { maxFrameBytes, maxWaitingMessages, maxWaitingBytes, keepaliveMs };
    const shared: ConnectionContext = { limits, clock, logger };
    const credentials = { cluster, secret };
    const websocket = { perMessageDeflate: false, maxPayload: maxFrameBytes, closeTimeout: CLOSE_TIMEOUT_MS };
    const { helloTimeoutMs, maxConnections, lookup } = rest;
    this.#listenOn = options.listen;
    this.#events = new EventQueue(logger);
    this.#context = {
      ...shared,
      credentials,
      client: { ...websocket, ...(tls as { key: string } | undefined), ...(lookup && { lookup }) },
      scheme: tls === undefined ? 'ws:' : 'wss:',
      helloTimeoutMs,
      random,
    };
    this.#acceptor = new Acceptor(
      { ...shared, credentials, tls, websocket, maxConnections, helloTimeoutMs, random },
      (connection, peer) => this.#accepted(connection, peer),
    );
  }

  async listen(handler: TransportHandler): Promise<{ readonly host: string; readonly port: number }> {
    if (this.#closing) throw new ZiStoreError('ZISTORE_CLOSED', 'the transport is closed; create another one');
    this.#handler = handler;
    return this.#acceptor.listen(this.#listenOn.host, this.#listenOn.port);
  }

  identify(self: Member | null): void {
    const before = this.#self;
    if (this.#closing || (self !== null && before !== null && sameMember(self, before))) return;
    this.#self = self;
    if (before !== null || self === null) void this.#forgetAll(CLOSE.otherMember, 'this node becomes another member');
    this.#acceptor.identify(self);
    if (self !== null) for (const { peer } of this.#dialled.values()) this.#startDialling(self, peer);
  }

  dial(peer: Member): void {
    if (this.#closing || this.#dialled.has(memberId(peer))) return;
    this.#dialled.set(memberId(peer), { peer });
    if (this.#self !== null) this.#startDialling(this.#self, peer);
  }

  hangup(peer: Member): void {
    const dialled = this.#dialled.get(memberId(peer));
    this.#dialled.delete(memberId(peer));
    void dialled?.dialler?.stop(CLOSE.hungUp, 'hung up');
  }

  send(channel: ChannelId, message: Message): void {
    this.#channels.get(channel)?.connection.send(message);
  }

  drop(channel: ChannelId, reason: string): void {
    this.#channels.get(channel)?.connection.end(CLOSE.dropped, reason);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#forgetAll(CLOSE.goingAway, 'this node is closing'), this.#acceptor.close()]);
    this.#handler = undefined;
  }

  #startDialling(self: Member, peer: Member): void {
    const dialler: Dialler = new Dialler(self, peer, this.#context, {
      up: (connection) => this.#open(connection, peer, 'out', () => dialler.again()),
      refused: (code, message) => this.#events.later(() => this.#handler?.refused(peer, code, message)),
    });
    this.#dialled.set(memberId(peer), { peer, dialler });
    dialler.start();
  }

  #accepted(connection: Connection, peer: Member): void {
    const id = memberId(peer);
    const older = this.#inbound.get(id);
    if (older !== undefined) {
      this.#channels.get(older)?.connection.end(CLOSE.replaced, 'a newer connection took its place');
    }
    const channel = this.#open(connection, peer, 'in', () => {
      if (this.#inbound.get(id) === channel) this.#inbound.delete(id);
    });
    this.#inbound.set(id, channel);
  }

  #open(connection: Connection, peer: Member, direction: Direction, ended: () => void): ChannelId {
    const channel = ++this.#lastChannel;
    this.#channels.set(channel, { connection, peer, direction });
    connection.onFrame = (frame) => {
      for (const message of decode(frame)) this.#events.now(this.#deliver, channel, message);
    };
    connection.onEnd = (code, reason) => {
      this.#channels.delete(channel);
      this.#context.logger.info('a connection ended', { peer: peer.address, direction, code, reason });
      this.#events.later(() => this.#handler?.down(channel));
      ended();
    };
    this.#events.later(() => this.#handler?.up(channel, peer, direction));
    return channel;
  }

  /** Not to an owner that has dropped the channel, possibly while it was told the message before. */
  readonly #deliver = (channel: ChannelId, message: Message): void => {
    if (this.#channels.has(channel)) this.#handler?.message(channel, message);
  };

  /** Resolves when the dialled connections are closed; the acceptor knows when the others are. */
  async #forgetAll(code: CloseCode, reason: string): Promise<void> {
    const dialled = [...this.#dialled.values()];
    this.#dialled.clear();
    const stopped = dialled.map(({ dialler }) => dialler?.stop(code, reason));
    for (const { connection } of [...this.#channels.values()]) connection.end(code, reason);
    await Promise.all(stopped);
  }
}

function invalid(message: string): ZiStoreError {
  return new ZiStoreError('ZISTORE_INVALID_ARGUMENT', message);
}
