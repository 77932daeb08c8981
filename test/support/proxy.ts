/** A TCP proxy that can freeze: bytes stop, sockets stay open, new connections hang. As a network partition does. */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

export interface ProxyOptions {
  readonly target: number;
  /** Changes the first bytes that a client sends. */
  readonly rewrite?: (first: Buffer) => Buffer;
}

export class FreezingProxy {
  readonly #target: number;
  readonly #rewrite: (first: Buffer) => Buffer;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #frozen = false;

  private constructor(options: ProxyOptions, server: Server) {
    this.#target = options.target;
    this.#rewrite = options.rewrite ?? ((first) => first);
    this.#server = server;
    server.on('connection', (client: Socket) => this.#accept(client));
  }

  static async start(options: ProxyOptions): Promise<FreezingProxy> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FreezingProxy(options, server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  freeze(): void {
    this.#frozen = true;
    for (const link of this.#links) link.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    for (const link of this.#links) link.thaw();
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy();
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }

  #accept(client: Socket): void {
    const link = new Link(client, this.#target, this.#rewrite);
    this.#links.add(link);
    client.on('close', () => this.#links.delete(link));
    if (!this.#frozen) link.thaw();
  }
}

/** One client's connection; the target is dialled at the first thaw. */
class Link {
  readonly #client: Socket;
  readonly #target: number;
  readonly #rewrite: (first: Buffer) => Buffer;
  #server: Socket | null = null;
  #frozen = true;

  constructor(client: Socket, target: number, rewrite: (first: Buffer) => Buffer) {
    this.#client = client;
    this.#target = target;
    this.#rewrite = rewrite;
    client.on('error', () => this.destroy());
    client.on('close', () => this.destroy());
  }

  freeze(): void {
    this.#frozen = true;
    this.#client.pause();
    this.#server?.pause();
  }

  thaw(): void {
    this.#frozen = false;
    this.#server ??= this.#connect();
    this.#client.resume();
    this.#server.resume();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server?.destroy();
  }

  #connect(): Socket {
    const server = dial({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true });
    server.on('error', () => this.destroy());
    server.on('close', () => this.destroy());
    this.#client.once('data', (first) => {
      server.write(this.#rewrite(first));
      this.#forward(this.#client, server);
    });
    this.#forward(server, this.#client);
    return server;
  }

  #forward(from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (!this.#frozen) from.resume();
      });
    });
    from.on('end', () => to.end());
  }
}
