/**
 * A TCP proxy whose path can be frozen, as a partition does it: bytes stop in both directions, connections stay open,
 * new ones hang. Also for tests, between the servers of an ensemble.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface FreezingProxy {
  /** On the loopback interface. */
  readonly port: number;
  readonly frozen: boolean;
  freeze(): void;
  /** Lets everything go on where it stopped. */
  thaw(): void;
  /** Breaks all connections and frees the port. Idempotent. */
  close(): Promise<void>;
}

export interface FreezingProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Connections held at a time; the oldest goes when there is one more. Default 64. */
  readonly maxConnections?: number;
}

/** Held of a connection while its target is being dialled. */
const MAX_EARLY_BYTES = 64 * 1024;

/** One accepted connection and, once dialled, its way to the target. */
interface Link {
  readonly near: Socket;
  far: Socket | undefined;
  /** What came before the target was reached. */
  early: Early | undefined;
  /** What happened while the path was frozen and the other side must not hear of before thaw, in order. */
  readonly news: (() => void)[];
}

/**
 * Turns of the event loop within which a connection's end is read that the system has known for long: one for its
 * data, one for its end, one for good measure.
 */
const TURNS_TO_READ_AN_END = 3;

/** Starts the proxy on a free port of 127.0.0.1. Rejects with the system's error when it cannot listen. */
export async function startFreezingProxy(options: FreezingProxyOptions): Promise<FreezingProxy> {
  const proxy = new TcpProxy(options);
  await proxy.listen();
  return proxy;
}

class TcpProxy implements FreezingProxy {
  port = 0;
  frozen = false;
  readonly #target: FreezingProxyOptions['target'];
  readonly #maxConnections: number;
  readonly #links = new Set<Link>();
  readonly #server: Server;

  constructor({ target, maxConnections = 64 }: FreezingProxyOptions) {
    this.#target = target;
    this.#maxConnections = maxConnections;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => this.#accept(near));
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  freeze(): void {
    if (this.frozen) return;
    this.frozen = true;
    for (const { near, far } of this.#links) {
      near.pause();
      far?.pause();
    }
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    for (const link of [...this.#links]) {
      if (link.far === undefined) void this.#dialLate(link);
      for (const tell of link.news.splice(0)) tell();
      link.near.resume();
      link.far?.resume();
    }
  }

  async close(): Promise<void> {
    this.frozen = false;
    for (const link of [...this.#links]) this.#break(link);
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }

  #accept(near: Socket): void {
    const link: Link = { near, far: undefined, early: undefined, news: [] };
    this.#links.add(link);
    this.#watch(link, near);
    const [oldest] = this.#links;
    if (this.#links.size > this.#maxConnections && oldest !== undefined) this.#break(oldest);
    if (!this.frozen) this.#dial(link);
  }

  #watch(link: Link, socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows and does the work
    socket.on('close', () => this.#tell(link, () => this.#break(link)));
  }

  /** Now, or once the path is thawed. */
  #tell(link: Link, news: () => void): void {
    if (this.frozen) link.news.push(news);
    else news();
  }

  #break(link: Link): void {
    this.#links.delete(link);
    link.near.destroy();
    link.far?.destroy();
  }

  /**
   * Who came and gave up again while the path was frozen must not be heard of at the target: a dropped SYN never is.
   * So first see whether it is still there.
   */
  async #dialLate(link: Link): Promise<void> {
    link.early ??= collect(link.near);
    for (let turn = 0; turn < TURNS_TO_READ_AN_END; turn++) await nextTurn();
    if (link.early.ended) this.#break(link);
    else if (!this.frozen && link.far === undefined && this.#links.has(link)) this.#dial(link);
  }

  #dial(link: Link): void {
    link.early ??= collect(link.near);
    const { near, early } = link;
    const far = connect({ ...this.#target, allowHalfOpen: true });
    link.far = far;
    this.#watch(link, far);
    far.once('connect', () => {
      for (const chunk of early.take()) far.write(chunk);
      this.#pump(link, near, far);
      this.#pump(link, far, near);
      if (early.ended) this.#tell(link, () => far.end());
    });
  }

  /** Copies what `from` sends to `to`, at the pace of `to`, and its end. */
  #pump(link: Link, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (!this.frozen) from.resume();
    });
    // A paused socket still reports its end when nothing is left to read.
    from.on('end', () => this.#tell(link, () => to.end()));
    if (this.frozen) from.pause();
    else from.resume();
  }
}

/** What a connection brings before its target has been reached; bounded. */
interface Early {
  readonly ended: boolean;
  /** Ends the collecting. */
  take(): Buffer[];
}

function collect(near: Socket): Early {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const early = {
    ended: false,
    take: () => {
      near.off('data', onData).off('end', onEnd);
      return chunks;
    },
  };
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_EARLY_BYTES) near.pause();
  };
  const onEnd = (): void => {
    early.ended = true;
  };
  near.on('data', onData).on('end', onEnd).resume();
  return early;
}
