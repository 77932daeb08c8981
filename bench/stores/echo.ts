/**
 * The limits for round trips: a server that sends back what it gets, over bare TCP and over a bare WebSocket. All that
 * is sent in one turn goes out together. Answers come in the order of the questions, and each is as long as its value.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Store } from './store.ts';

interface Waiting {
  readonly bytes: number;
  readonly resolve: (payload: string) => void;
}

/** What is the same for both. */
class EchoStore implements Store {
  readonly #send: (bytes: Buffer) => void;
  readonly #end: () => void;
  readonly #size: number;
  #out: Buffer[] = [];
  #waiting: Waiting[] = [];
  #answered = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(size: number, send: (bytes: Buffer) => void, end: () => void) {
    this.#size = size;
    this.#send = send;
    this.#end = end;
  }

  get(key: string): Promise<string> {
    return this.#ask(key.padEnd(this.#size, '.'));
  }

  set(_key: string, value: string): Promise<string> {
    return this.#ask(value);
  }

  async close(): Promise<void> {
    this.#end();
  }

  received(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const next = this.#waiting[this.#answered];
      if (next === undefined || bytes.length - at < next.bytes) break;
      next.resolve(bytes.toString('latin1', at, at + next.bytes));
      at += next.bytes;
      this.#answered += 1;
    }
    this.#rest = bytes.subarray(at);
    if (this.#answered > 1024) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#answered = 0;
    }
  }

  #ask(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes: text.length, resolve });
      this.#out.push(Buffer.from(text, 'latin1'));
      if (this.#out.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const out = this.#out;
    this.#out = [];
    this.#send(out.length === 1 ? out[0]! : Buffer.concat(out));
  }
}

export async function connectNet(port: number, size: number): Promise<Store> {
  const socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const store = new EchoStore(
    size,
    (bytes) => socket.write(bytes),
    () => socket.destroy(),
  );
  socket.on('data', (chunk) => store.received(chunk));
  return store;
}

export async function connectWs(port: number, size: number): Promise<Store> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  await once(ws, 'open');
  const store = new EchoStore(
    size,
    (bytes) => ws.send(bytes, { binary: true }),
    () => ws.terminate(),
  );
  ws.on('message', (data) => store.received(data as Buffer));
  return store;
}

/** Both servers; resolves to their ports. They end with their process. */
export async function serveEchoes(): Promise<{ net: number; ws: number }> {
  const plain = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => socket.write(chunk));
  });
  await once(plain.listen(0, '127.0.0.1'), 'listening');
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  sockets.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data) => ws.send(data as Buffer, { binary: true }));
  });
  await once(sockets, 'listening');
  const portOf = (address: unknown): number => (address as { port: number }).port;
  return { net: portOf(plain.address()), ws: portOf(sockets.address()) };
}
