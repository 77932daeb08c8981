/** The program of the embedded coordinator: a process of its own, so that a busy shell does not make sessions expire. */
import { type EmbeddedCoordinator, startEmbeddedCoordinator } from '../embedded/server.ts';
import type { CoordinatorProtocol } from './client-protocol.ts';
import { ignoreTerminalSignals, serveParent } from './ipc.ts';

let coordinator: EmbeddedCoordinator | undefined;

ignoreTerminalSignals();
serveParent<CoordinatorProtocol>(
  process,
  {
    start: async ({ tickTimeMs, sessionTimeoutMs }) => {
      const maxSessionTimeoutMs = Math.max(20 * tickTimeMs, sessionTimeoutMs);
      coordinator = await startEmbeddedCoordinator({ tickTimeMs, maxSessionTimeoutMs });
      return { port: coordinator.port };
    },
    close: async () => {
      await coordinator?.close();
      return null;
    },
  },
  { orphaned: () => process.exit(0) },
);
