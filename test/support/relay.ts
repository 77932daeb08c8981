/** A TCP relay that waits for a target which does not listen yet, and may change the first bytes of each client. */
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Relay {
  readonly port: number;
  close(): Promise<void>;
}

const DIAL_AGAIN_MS = 50;
const DIALS = 100;

/** `rewrite` sees what a client's first packet holds. */
export async function startRelay(target: number, rewrite = (first: Buffer): Buffer => first): Promise<Relay> {
  const sockets = new Set<Socket>();
  const own = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}); // 'close' follows
    return socket.on('close', () => sockets.delete(socket));
  };
  const reach = (near: Socket, dialsLeft: number): void => {
    if (near.destroyed) return;
    const far = own(dial({ host: '127.0.0.1', port: target }));
    // Refused here would be a broken connection there: a server gives up at once then instead of calling again.
    const refused = () =>
      void (dialsLeft === 0 ? near.destroy() : setTimeout(reach, DIAL_AGAIN_MS, near, dialsLeft - 1));
    far.once('close', refused);
    far.once('connect', () => {
      far.off('close', refused).once('close', () => near.destroy());
      near.once('close', () => far.destroy());
      near.once('data', (first) => {
        far.write(rewrite(first));
        near.pipe(far);
      });
      far.pipe(near);
      near.resume();
    });
  };
  const server = createServer({ pauseOnConnect: true }, (near) => reach(own(near), DIALS));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server.close(), 'close');
    },
  };
}
