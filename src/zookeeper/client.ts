/** The ZooKeeperClient port over node-zookeeper-client, with that library's faults cured. One client is one session. */
import type { LookupFunction } from 'node:net';
import { ZiStoreError } from '../errors.ts';
import type {
  Clock,
  Logger,
  OpenZooKeeper,
  Random,
  ZkOperation,
  ZkReply,
  ZkSessionEnd,
  ZooKeeperClient,
  ZooKeeperHandler,
} from '../ports.ts';
import { realRandom } from '../random.ts';
import { type ConnectString, parseConnectString } from './connect-string.ts';
import { Connection } from './connection.ts';
import { Delivery } from './delivery.ts';
import { Heartbeat } from './heartbeat.ts';
import type { LibraryClient, LoadedLibrary } from './library.ts';
import { loadLibrary } from './library.ts';
import { Operations } from './operations.ts';
import * as replies from './replies.ts';
import { MOST_OPEN_REQUESTS, OpenRequests } from './requests.ts';
import { Route } from './route.ts';
import { operationProblem } from './validation.ts';
import { Watches } from './watches.ts';

export interface ZooKeeperOptions {
  /** `host:port,…/chroot`, as text or already read. The chroot must exist or be created by the caller (as path `/`, if its parent exists). */
  readonly connectString: string | ConnectString;
  /** As asked for; the ensemble decides. */
  readonly sessionTimeoutMs: number;
  /** Sent on every connection; whatever is created is then open to these credentials alone. Default: open to all. */
  readonly auth?: { readonly scheme: string; readonly auth: string };
  readonly logger: Logger;
  readonly clock: Clock;
  /** How the servers' names are resolved. Default: as Node does. */
  readonly lookup?: LookupFunction | undefined;
  /** For the order of the servers and the jitter of delays. Default: the real one. */
  readonly random?: Random;
}

/** Bound of close(). */
const CLOSE_MS = 1000;

const MOST_TIMEOUT_MS = 24 * 60 * 60 * 1000;

/** Where the library starts counting requests again, far below the 32 bits of an xid. */
const LAST_XID = 2 ** 31 - 2 * MOST_OPEN_REQUESTS;

/**
 * Makes the function that opens sessions with these options.
 * @throws ZiStoreError ZISTORE_INVALID_ARGUMENT (connect string, timeout, auth), ZISTORE_INCOMPATIBLE (another version
 * of node-zookeeper-client is installed)
 */
export function openZooKeeperWith(options: ZooKeeperOptions): OpenZooKeeper {
  const { connectString, sessionTimeoutMs: timeout, auth } = options;
  const target = typeof connectString === 'string' ? parseConnectString(connectString) : connectString;
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > MOST_TIMEOUT_MS) {
    throw invalid(`sessionTimeoutMs must be a whole number from 1 to ${MOST_TIMEOUT_MS}`);
  }
  if (auth !== undefined && (typeof auth.scheme !== 'string' || auth.scheme === '' || typeof auth.auth !== 'string')) {
    throw invalid('auth must have a scheme and a text');
  }
  const loaded = loadLibrary();
  return (handler, { lastZxid }) => {
    const session = new Session(loaded, options, target, { handler, lastZxid });
    session.start();
    return session;
  };
}

const invalid = (message: string): ZiStoreError =>
  new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `ZooKeeper: ${message}.`);

class Session implements ZooKeeperClient {
  private readonly loaded: LoadedLibrary;
  private readonly options: ZooKeeperOptions;
  private readonly library: LibraryClient;
  private readonly delivery: Delivery;
  private readonly requests: OpenRequests;
  private readonly connection: Connection;
  private readonly watches: Watches;
  private readonly operations: Operations;
  private readonly done: Promise<void>;
  private resolveDone!: () => void;
  private heartbeat: Heartbeat | undefined;
  private cancelClose: (() => void) | undefined;
  private closing = false;
  private over = false;

  constructor(
    loaded: LoadedLibrary,
    options: ZooKeeperOptions,
    target: ConnectString,
    { handler, lastZxid }: { handler: ZooKeeperHandler; lastZxid: bigint },
  ) {
    const { clock, logger, sessionTimeoutMs } = options;
    this.loaded = loaded;
    this.options = options;
    // The library is given no servers of ours: it cannot read IPv6 addresses, and the route knows them.
    this.library = loaded.library.createClient(`localhost${target.chroot}`, {
      sessionTimeout: sessionTimeoutMs,
      retries: 0,
    });
    this.done = new Promise((resolve) => {
      this.resolveDone = resolve;
    });
    this.delivery = new Delivery(handler, logger);
    this.requests = new OpenRequests((request, reply) => this.deliver(request, reply));
    const route = new Route(target.servers, () => (options.random ?? realRandom).fraction());
    const events = {
      established: () => this.established(),
      lost: () => this.lost(),
      pong: () => this.heartbeat?.pong(),
      ended: (reason: ZkSessionEnd) => this.end(reason),
    };
    const { library: client } = this;
    this.connection = new Connection({
      loaded,
      client,
      clock,
      logger,
      route,
      sessionTimeoutMs,
      lastZxid,
      lookup: options.lookup,
      events,
    });
    this.watches = new Watches(loaded, client.connectionManager, (path, kind) =>
      this.delivery.push((to) => to.watch(path, kind)),
    );
    this.operations = new Operations(loaded, client, this.watches, {
      authenticated: options.auth !== undefined,
      currentReply: () => this.connection.reply,
    });
  }

  get lastZxid(): bigint {
    return this.connection.lastZxid;
  }

  start(): void {
    this.connection.start();
  }

  submit(request: number, operation: ZkOperation): void {
    if (this.over || this.requests.size >= MOST_OPEN_REQUESTS) {
      // Past the limit the order gives way: keeping it would need the memory that the limit protects.
      this.deliver(request, this.over ? replies.NOT_CONNECTED : replies.TOO_MANY);
      return;
    }
    const ticket = this.requests.open(request, this.options.clock.now());
    const problem = operationProblem(operation);
    if (problem !== undefined) this.requests.settle(ticket, replies.badArguments(problem.message, problem.step));
    else if (!this.connection.connected || this.closing) this.requests.settle(ticket, replies.NOT_CONNECTED);
    else if (this.connection.congested) this.requests.settle(ticket, replies.TOO_MANY);
    else this.send(ticket, operation);
  }

  close(): Promise<void> {
    if (this.closing || this.over) return this.done;
    this.closing = true;
    if (this.connection.sessionId === undefined) {
      this.end('closed');
    } else {
      this.cancelClose = this.options.clock.setTimer(CLOSE_MS, () => this.end('closed'));
      // Between two connections: the next one is used to tell the server, if it comes in time.
      if (this.connection.connected) this.sendClose();
    }
    return this.done;
  }

  private send(ticket: number, operation: ZkOperation): void {
    const manager = this.library.connectionManager;
    if (manager.xid >= LAST_XID) manager.xid = 1;
    try {
      this.operations.start(operation, (reply) => this.requests.settle(ticket, reply));
    } catch (error) {
      this.requests.settle(ticket, replies.badArguments(`the ZooKeeper library refused it: ${String(error)}`));
      // It may have been thrown half way, after which answers would be given to the wrong requests.
      this.connection.break('a request could not be written');
    }
  }

  private sendClose(): void {
    const { jute } = this.loaded;
    const header = new jute.protocol.RequestHeader(0, jute.OP_CODES.CLOSE_SESSION);
    this.library.connectionManager.queue(new jute.Request(header, null), () => this.end('closed'));
  }

  /** The order on the wire matters: credentials, then watches, then whatever the handler asks for. */
  private established(): void {
    const { connection, library } = this;
    const manager = library.connectionManager;
    const timeoutMs = connection.sessionTimeoutMs;
    this.startHeartbeat(timeoutMs);
    if (this.closing) {
      this.sendClose();
      return;
    }
    if (this.options.auth !== undefined) {
      // The library keeps what it is given for its own handshake, which is not used.
      manager.credentials = [];
      library.addAuthInfo(this.options.auth.scheme, Buffer.from(this.options.auth.auth));
    }
    for (const request of this.watches.setAgain(manager.zxid)) manager.queue(request);
    const askedMs = this.options.sessionTimeoutMs;
    if (timeoutMs > askedMs) {
      // The least that a server grants is two of its ticks, so this one's are likely longer than the lease reckons with.
      const hint = 'tickTimeMs must not be less than the tickTime of the ensemble';
      this.options.logger.warn('ZooKeeper granted a longer session than asked for', { askedMs, timeoutMs, hint });
    }
    const session = { id: connection.sessionId ?? '', timeoutMs };
    this.delivery.push((handler) => handler.connected(session));
  }

  private startHeartbeat(sessionTimeoutMs: number): void {
    const { jute } = this.loaded;
    const header = new jute.protocol.RequestHeader(jute.XID_PING, jute.OP_CODES.PING);
    this.heartbeat = new Heartbeat({
      clock: this.options.clock,
      sessionTimeoutMs,
      oldestRequestAt: () => this.requests.oldestAt,
      sendPing: () => this.library.connectionManager.queue(new jute.Request(header, null)),
      silent: () => this.connection.break('no answer for a third of the session timeout'),
    });
  }

  private lost(): void {
    this.heartbeat?.stop();
    this.requests.settleAll(replies.CONNECTION_LOSS);
    this.delivery.push((handler) => handler.disconnected());
  }

  private end(reason: ZkSessionEnd): void {
    if (this.over) return;
    this.over = true;
    this.heartbeat?.stop();
    this.cancelClose?.();
    this.connection.stop();
    this.requests.settleAll(replies.SESSION_ENDED);
    this.delivery.finish(this.closing ? 'closed' : reason, this.resolveDone);
  }

  private deliver(request: number, reply: ZkReply): void {
    this.delivery.push((handler) => handler.reply(request, reply));
  }
}
