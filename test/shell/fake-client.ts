/**
 * The program of a scripted client: the shell's real client behind a store that does as its keys say. Needs no
 * coordination service; `zookeeper` reads one line through the connect string that the shell gave it.
 */
import { connect } from 'node:net';
import { ZiStoreError } from '../../src/errors.ts';
import type { CallOptions } from '../../src/node.ts';
import { type ClientStore, serveClient } from '../../src/shell/client.ts';
import { ignoreTerminalSignals } from '../../src/shell/ipc.ts';

async function firstLine(connectString: string): Promise<string> {
  const [host, port] = (connectString.split(/[,/]/)[0] ?? '').split(':');
  return await new Promise((resolve, reject) => {
    const socket = connect(Number(port), host ?? '', () => socket.write('hello\n'));
    socket.once('data', (data) => {
      resolve(data.toString().trim());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => {
    const interval = setInterval(() => {}, 1000);
    signal?.addEventListener('abort', () => {
      clearInterval(interval);
      reject(new ZiStoreError('ZISTORE_ABORTED', 'the call was aborted'));
    });
  });

function createStore(zookeeper: string): ClientStore {
  const values = new Map<string, string>();
  return {
    get: async (key: string, call?: CallOptions) => {
      if (key === 'zookeeper') return await firstLine(zookeeper);
      if (key === 'hang') return await untilAborted(call?.signal);
      if (key === 'lost') throw new ZiStoreError('ZISTORE_SESSION_LOST', 'no live session');
      if (key === 'timeout') return String(call?.timeoutMs);
      return values.get(key);
    },
    set: async (key: string, value: string, call?: CallOptions) => {
      if (key === 'hang') await untilAborted(call?.signal);
      if (key === 'lost') throw new ZiStoreError('ZISTORE_SESSION_LOST', 'no live session', { outcome: 'notApplied' });
      if (key === 'crash') {
        process.stderr.write('something broke\n');
        process.exit(3);
      }
      values.set(key, value);
    },
    delete: async (key: string) => values.delete(key),
    status: () =>
      ({
        address: `127.0.0.1:${process.pid}`,
        role: 'leader',
        epoch: '4294967298',
        live: true,
        cache: { entries: values.size, bytes: 0, visible: true },
        members: [`127.0.0.1:${process.pid}`],
      }) as unknown as ReturnType<ClientStore['status']>,
    close: async () => {},
  };
}

ignoreTerminalSignals();
serveClient(
  process,
  async ({ zookeeper, cluster }) => {
    if (cluster === 'refused') throw new ZiStoreError('ZISTORE_COORDINATION_UNAVAILABLE', 'nobody is there');
    let closed = false;
    const gate = {
      get closed() {
        return closed;
      },
      open: () => {
        closed = false;
      },
      close: () => {
        closed = true;
      },
    };
    return { store: createStore(zookeeper), gate };
  },
  () => process.exit(0),
);
