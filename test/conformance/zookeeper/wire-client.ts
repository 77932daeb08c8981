/** A bare client of ZooKeeper's wire protocol: sends what it is told, and writes down every frame that comes back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { JuteReader, JuteWriter } from '../../../src/embedded/jute.ts';
import { until } from '../../support/wait.ts';

export const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  auth: 100,
  setWatches: 101,
  close: -11,
} as const;

export interface Handshake {
  readonly sessionId?: bigint;
  readonly password?: Uint8Array;
  readonly timeoutMs?: number;
  readonly lastZxid?: bigint;
  readonly readOnlyFlag?: boolean;
}

export interface Welcome {
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
  readonly extraBytes: number;
}

export interface Frame {
  readonly xid: number;
  readonly zxid: bigint;
  readonly code: number;
  readonly body: JuteReader;
}

export class WireClient {
  readonly socket: Socket;
  readonly frames: Buffer[] = [];
  #unread = Buffer.alloc(0);
  #taken = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#read(chunk));
  }

  static async dial(port: number): Promise<WireClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  async greet(handshake: Handshake = {}): Promise<Welcome> {
    this.send(handshakeBody(handshake));
    const reader = new JuteReader(await this.#next());
    reader.int();
    const timeoutMs = reader.int();
    const sessionId = reader.unsignedLong();
    const password = reader.buffer() ?? Buffer.alloc(0);
    return { timeoutMs, sessionId, password, extraBytes: reader.remaining };
  }

  send(body: JuteWriter): void {
    this.socket.write(body.frame());
  }

  request(xid: number, type: number, body: (writer: JuteWriter) => JuteWriter = (w) => w): void {
    this.send(body(new JuteWriter().int(xid).int(type)));
  }

  async frame(): Promise<Frame> {
    const body = new JuteReader(await this.#next());
    return { xid: body.int(), zxid: body.long(), code: body.int(), body };
  }

  async closed(): Promise<void> {
    await until('the server closes the connection', () => this.socket.closed);
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #next(): Promise<Buffer> {
    const index = this.#taken++;
    await until(`frame ${index}`, () => this.frames.length > index || this.socket.closed, { intervalMs: 2 });
    const frame = this.frames[index];
    if (frame === undefined) throw new Error('the connection was closed');
    return frame;
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 4 && this.#unread.length >= 4 + this.#unread.readInt32BE(0)) {
      const end = 4 + this.#unread.readInt32BE(0);
      this.frames.push(this.#unread.subarray(4, end));
      this.#unread = this.#unread.subarray(end);
    }
  }
}

export function handshakeBody(handshake: Handshake): JuteWriter {
  const writer = new JuteWriter()
    .int(0)
    .long(handshake.lastZxid ?? 0n)
    .int(handshake.timeoutMs ?? 5000)
    .long(handshake.sessionId ?? 0n)
    .buffer(handshake.password ?? new Uint8Array(16));
  return handshake.readOnlyFlag === false ? writer : writer.boolean(false);
}
