/**
 * A ZooKeeper server made of a script, for the faults that no real one shows on demand. Left alone it accepts every
 * session and answers every request; a test replaces `onConnect` and `onRequest`, or writes bytes of its own.
 */
import { createServer, type Server, type Socket } from 'node:net';

export const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  get: 4,
  set: 5,
  ping: 11,
  children: 12,
  multi: 14,
  auth: 100,
  setWatches: 101,
  close: -11,
} as const;

export const EVENT = { created: 1, deleted: 2, changed: 3, children: 4 } as const;

export interface FakeRequest {
  readonly xid: number;
  readonly type: number;
  readonly body: Buffer;
}

export const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};

export const text = (value: string): Buffer => Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);

export const frame = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([int(body.length), body]);
};

/** A stat of zeros but for its creation. */
export const stat = (czxid = 1n): Buffer => Buffer.concat([long(czxid), Buffer.alloc(60)]);

/** The path with which the body of most requests starts. */
export const pathOf = (request: FakeRequest): string =>
  request.body.toString('utf8', 4, 4 + request.body.readInt32BE(0));

/** One connection of a client, also after it is gone. */
export class FakeConnection {
  readonly socket: Socket;
  readonly requests: FakeRequest[] = [];
  /** What the client asked for; undefined until the connect request has come. */
  hello: { lastZxid: bigint; timeoutMs: number; sessionId: bigint } | undefined;
  private unread = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get open(): boolean {
    return !this.socket.destroyed;
  }

  /** Requests of one type that have come. */
  count(type: number): number {
    return this.requests.filter((request) => request.type === type).length;
  }

  send(bytes: Buffer): void {
    if (this.open) this.socket.write(bytes);
  }

  accept(sessionId = 0x1234n, timeoutMs = this.hello?.timeoutMs ?? 0): void {
    this.send(FakeConnection.acceptance(sessionId, timeoutMs));
  }

  static acceptance(sessionId: bigint, timeoutMs: number): Buffer {
    return frame(int(0), int(timeoutMs), long(sessionId), int(16), Buffer.alloc(16, 7), Buffer.alloc(1));
  }

  reply(request: FakeRequest, zxid: bigint, err = 0, ...payload: Buffer[]): void {
    this.send(frame(int(request.xid), long(zxid), int(err), ...payload));
  }

  event(type: number, path: string): void {
    this.send(frame(int(-1), long(-1n), int(0), int(type), int(3), text(path)));
  }

  read(bytes: Buffer, server: FakeZooKeeper): void {
    this.unread = Buffer.concat([this.unread, bytes]);
    while (this.unread.length >= 4 && this.unread.length >= 4 + this.unread.readInt32BE(0)) {
      const body = this.unread.subarray(4, 4 + this.unread.readInt32BE(0));
      this.unread = this.unread.subarray(4 + body.length);
      this.readFrame(body, server);
    }
  }

  private readFrame(body: Buffer, server: FakeZooKeeper): void {
    if (this.hello === undefined) {
      const [lastZxid, sessionId] = [body.readBigInt64BE(4), body.readBigInt64BE(16)];
      this.hello = { lastZxid, timeoutMs: body.readInt32BE(12), sessionId };
      server.onConnect(this);
      return;
    }
    const request = { xid: body.readInt32BE(0), type: body.readInt32BE(4), body: body.subarray(8) };
    this.requests.push(request);
    server.onRequest(this, request);
  }
}

export class FakeZooKeeper {
  readonly port: number;
  /** In the order in which they came. */
  readonly connections: FakeConnection[] = [];
  zxid = 1n;
  onAccept: (connection: FakeConnection) => void = () => {};
  onConnect: (connection: FakeConnection) => void = (connection) => connection.accept();
  onRequest: (connection: FakeConnection, request: FakeRequest) => void = (connection, request) =>
    this.answer(connection, request);
  private readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  static async start(host = '127.0.0.1'): Promise<FakeZooKeeper> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const fake = new FakeZooKeeper(server, (server.address() as { port: number }).port);
    server.on('connection', (socket) => {
      const connection = new FakeConnection(socket);
      fake.connections.push(connection);
      socket.on('error', () => {}); // the client may hang up at any time
      socket.on('data', (bytes) => connection.read(bytes, fake));
      fake.onAccept(connection);
    });
    return fake;
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error('nobody has connected yet');
    return last;
  }

  /** What a healthy server would say, from a tree in which everything exists and is empty. */
  answer(connection: FakeConnection, request: FakeRequest): void {
    const payload: Record<number, Buffer[]> = {
      [OP.create]: [request.body.subarray(0, 4 + (request.type === OP.create ? request.body.readInt32BE(0) : 0))],
      [OP.get]: [text(''), stat()],
      [OP.exists]: [stat()],
      [OP.set]: [stat()],
      [OP.children]: [int(0), stat()],
      [OP.multi]: [int(-1), Buffer.from([1]), int(-1)],
    };
    connection.reply(request, this.zxid, 0, ...(payload[request.type] ?? []));
    if (request.type === OP.close) connection.socket.end();
  }

  /** Breaks all connections and frees the port. */
  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
