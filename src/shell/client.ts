/** A client of the shell: one store behind the IPC channel. What opens the store is given, so that tests can fake it. */

import type { NodeStatus } from '../core/status.ts';
import { ZiStoreError } from '../errors.ts';
import type { CallOptions } from '../node.ts';
import type { ClientOptions, ClientProtocol, ClientStatus } from './client-protocol.ts';
import { type Handlers, type ParentChannel, serveParent } from './ipc.ts';

/** What of the public store a client uses. */
export interface ClientStore {
  get(key: string, options?: CallOptions): Promise<string | undefined>;
  set(key: string, value: string, options?: CallOptions): Promise<void>;
  delete(key: string, options?: CallOptions): Promise<boolean>;
  status(): NodeStatus;
  close(): Promise<void>;
}

/** Holds back what other nodes ask of this one. */
export interface ClientGate {
  readonly closed: boolean;
  open(): void;
  close(): void;
}

export interface OpenedClient {
  readonly store: ClientStore;
  readonly gate: ClientGate;
}

function describe({ store, gate }: OpenedClient): ClientStatus {
  const { address, role, epoch, live, cache, members } = store.status();
  return { address, role, epoch, live, entries: cache.entries, members, rmi: gate.closed ? 'down' : 'up' };
}

/** Serves the shell on `channel`; `end` ends the process, at once when the shell is gone. */
export function serveClient(
  channel: ParentChannel,
  open: (options: ClientOptions, signal: AbortSignal) => Promise<OpenedClient>,
  end: () => void,
): void {
  let opened: OpenedClient | undefined;
  const current = (): OpenedClient => {
    if (opened === undefined) throw new ZiStoreError('ZISTORE_CLOSED', 'the client has not been opened');
    return opened;
  };
  const handlers: Handlers<ClientProtocol> = {
    open: async (options, signal) => {
      opened = await open(options, signal);
      return describe(opened);
    },
    get: async ({ key, timeoutMs }, signal) => (await current().store.get(key, { timeoutMs, signal })) ?? null,
    put: async ({ key, value, timeoutMs }, signal) => {
      await current().store.set(key, value, { timeoutMs, signal });
      return null;
    },
    delete: async ({ key, timeoutMs }, signal) => current().store.delete(key, { timeoutMs, signal }),
    status: async () => describe(current()),
    rmi: async (position) => {
      if (position === 'up') current().gate.open();
      else current().gate.close();
      return describe(current());
    },
    close: async () => {
      await opened?.store.close();
      return null;
    },
  };
  serveParent<ClientProtocol>(channel, handlers, {
    orphaned: end,
    answered: (kind) => {
      if (kind === 'close') end();
    },
  });
}
