/** The program of a client: one node whose Transport has a gate that the shell opens and closes. */
import { environmentOptions } from '../environment.ts';
import { ZiStoreError } from '../errors.ts';
import { gated, type TransportGate } from '../rpc/gate.ts';
import { openStore } from '../store.ts';
import { type OpenedClient, serveClient } from './client.ts';
import type { ClientOptions } from './client-protocol.ts';
import { ignoreTerminalSignals } from './ipc.ts';

/** Shorter than what the shell waits before it kills. Milliseconds. */
const CLOSE_TIMEOUT_MS = 3000;

async function open(options: ClientOptions, signal: AbortSignal): Promise<OpenedClient> {
  let gate: TransportGate | undefined;
  const store = await openStore<string>(
    { ...environmentOptions(), ...options, closeTimeoutMs: CLOSE_TIMEOUT_MS },
    {
      wrapTransport: (transport) => {
        gate = gated(transport);
        return gate.transport;
      },
    },
    { signal },
  );
  if (gate === undefined) throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', 'the transport was not wrapped');
  return { store, gate };
}

ignoreTerminalSignals();
serveClient(process, open, () => process.exit(0));
