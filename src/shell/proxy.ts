/**
 * A TCP proxy whose path can be frozen, as a partition does it: bytes stop in both directions, connections stay open,
 * new ones hang. Also for tests, between the servers of an ensemble.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

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

/** One accepted connection and, once dialled, its way to the target. */
interface Link {
  readonly near: Socket;
  far: Socket | undefined;
  /** Broken while frozen: the other side must not hear of it before thaw. */
  broken: boolean;
}

/** Held of a connection while its target is being dialled. */
const MAX_EARLY_BYTES = 64 * 1024;

class TcpProxy implements FreezingProxy {
  readonly port: number;
  frozen = false;
  readonly #server: Server;
  readonly #links: Set<Link>;
  readonly #dial: (link: Link) => void;

  constructor(server: Server, port: number, links: Set<Link>, dial: (link: Link) => void) {
    this.#server = server;
    this.port = port;
    this.#links = links;
    this.#dial = dial;
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
      if (link.broken) breakLink(link, this.#links);
      else if (link.far === undefined) this.#dial(link);
      else {
        link.near.resume();
        link.far.resume();
      }
    }
  }

  async close(): Promise<void> {
    for (const link of [...this.#links]) breakLink(link, this.#links);
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function breakLink(link: Link, links: Set<Link>): void {
  links.delete(link);
  link.near.destroy();
  link.far?.destroy();
}

/** Copies what `from` sends to `to`, at the pace of `to`, and its end. */
function pump(from: Socket, to: Socket, isFrozen: () => boolean): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => {
    if (!isFrozen()) from.resume();
  });
  from.on('end', () => to.end());
}

/** Starts the proxy on a free port of 127.0.0.1. Rejects with the system's error when it cannot listen. */
export async function startFreezingProxy(options: FreezingProxyOptions): Promise<FreezingProxy> {
  const links = new Set<Link>();
  const maxConnections = options.maxConnections ?? 64;
  // The handlers of sockets need the proxy, which needs the port, which needs the server with its handlers.
  let proxy: TcpProxy | undefined;
  const isFrozen = (): boolean => proxy?.frozen === true;

  const watch = (link: Link, socket: Socket): void => {
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows and does the work
    socket.on('close', () => {
      if (isFrozen()) link.broken = true;
      else breakLink(link, links);
    });
  };

  const dial = (link: Link): void => {
    let leftEarly = false;
    let earlyBytes = 0;
    const early: Buffer[] = [];
    const collect = (chunk: Buffer): void => {
      early.push(chunk);
      earlyBytes += chunk.length;
      if (earlyBytes > MAX_EARLY_BYTES) link.near.pause();
    };
    const ended = (): void => {
      leftEarly = true;
    };
    link.near.on('data', collect).on('end', ended).resume();
    const far = connect({ ...options.target, allowHalfOpen: true });
    link.far = far;
    watch(link, far);
    far.once('connect', () => {
      link.near.off('data', collect).off('end', ended).pause();
      // Somebody who gave up while the path was frozen must not be heard of at the target: a dropped SYN never is.
      if (leftEarly) return breakLink(link, links);
      for (const chunk of early) far.write(chunk);
      pump(link.near, far, isFrozen);
      pump(far, link.near, isFrozen);
      if (isFrozen()) {
        far.pause();
        return;
      }
      link.near.resume();
    });
  };

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    const link: Link = { near, far: undefined, broken: false };
    links.add(link);
    watch(link, near);
    const [oldest] = links;
    if (links.size > maxConnections && oldest !== undefined) breakLink(oldest, links);
    if (!isFrozen()) dial(link);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  proxy = new TcpProxy(server, typeof address === 'object' && address !== null ? address.port : 0, links, dial);
  return proxy;
}
