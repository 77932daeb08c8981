/** A TCP path to a server that a test breaks: all connections at once, or silently, as a partition does. */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { afterTest } from './harness.ts';

export class TcpPath {
  port = 0;
  private readonly sockets = new Set<Socket>();
  private silent = false;

  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.sockets.size / 2;
  }

  static async to(connectString: string): Promise<TcpPath> {
    const path = new TcpPath();
    const target = Number(connectString.split(':')[1]);
    const server = createServer((near) => path.link(near, target));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    path.port = (server.address() as { port: number }).port;
    afterTest(async () => {
      path.sever();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    return path;
  }

  /** Breaks every connection; new ones are taken. */
  sever(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Bytes stop, connections stay open. What is sent meanwhile is held until `thaw`. */
  freeze(): void {
    this.silent = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.silent = false;
    for (const socket of this.sockets) socket.resume();
  }

  private link(near: Socket, port: number): void {
    const far = dial({ host: '127.0.0.1', port });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {}); // 'close' follows
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => {
        this.sockets.delete(from);
        // A connection that its client gave up while frozen: the server must not hear of it.
        if (!this.silent) to.destroy();
      });
      if (this.silent) from.pause();
    }
  }
}
