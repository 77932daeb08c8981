/** The program of a scripted coordinator: a TCP server that answers every line with itself. */
import { type AddressInfo, createServer } from 'node:net';
import type { CoordinatorProtocol } from '../../src/shell/client-protocol.ts';
import { ignoreTerminalSignals, serveParent } from '../../src/shell/ipc.ts';

ignoreTerminalSignals();
serveParent<CoordinatorProtocol>(
  process,
  {
    start: async () => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { port: (server.address() as AddressInfo).port };
    },
    close: async () => null,
  },
  { orphaned: () => process.exit(0) },
);
