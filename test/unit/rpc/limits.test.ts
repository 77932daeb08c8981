/** Batches, limits, slow and silent peers, and those that are dialled but are no nodes. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { realClock } from '../../../src/clock.ts';
import type { Message } from '../../../src/core/messages.ts';
import { type Key, toAddress, toEpoch, toIncarnation } from '../../../src/core/types.ts';
import { realRandom } from '../../../src/random.ts';
import { decode, encode } from '../../../src/rpc/codec.ts';
import { createWsTransport } from '../../../src/rpc/transport.ts';
import { numbered, numbers, type Owner } from '../../conformance/transport/harness.ts';
import { liveBytes } from '../../support/memory.ts';
import { scaled, until } from '../../support/wait.ts';
import { frame, HELLO_TIMEOUT_MS, Rig } from './rig.ts';

const MIB = 1024 * 1024;
const rig = new Rig();
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await rig.close();
});

const large = (bytes: number): Message => ({
  type: 'write',
  epoch: toEpoch(1n),
  id: 1,
  settled: 0,
  key: 'k' as Key,
  action: { kind: 'set', value: 'x'.repeat(bytes) },
});

/** Messages numbered from 1 on, every other one of a million bytes. */
function burst(from: Owner, count: number): void {
  const [channel] = from.live('out');
  const value = 'x'.repeat(1_000_000);
  for (let id = 1; id <= count; id += 2) {
    from.transport.send(channel as number, { ...large(0), id, action: { kind: 'set', value } } as Message);
    from.transport.send(channel as number, numbered(id + 1));
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('batches', () => {
  it('put what is sent in one turn into one frame, unless it is much, at most as large as frames may be', async () => {
    const node = await rig.node(1, { maxFrameBytes: 3000 });
    const { ws } = await rig.admitted(node, 1);
    const frames: Buffer[] = [];
    ws.on('message', (data: Buffer) => void frames.push(data));
    const [channel] = node.live('in');
    for (let id = 0; id < 20; id++) node.transport.send(channel as number, numbered(id));
    await until('a frame', () => frames.length > 0);
    expect(frames.map((it) => decode(it).length)).toEqual([20]);
    for (let id = 0; id < 5; id++) node.transport.send(channel as number, large(1000));
    await until('all five', () => frames.slice(1).flatMap((it) => decode(it)).length === 5);
    expect(frames.slice(1).map((it) => decode(it).length)).toEqual([2, 2, 1]);
    expect(Math.max(...frames.map((it) => it.length))).toBeLessThanOrEqual(3000);
  });

  it('go out before the close frame of the connection', async () => {
    const node = await rig.node(1);
    const { ws, ended } = await rig.admitted(node, 1);
    const frames: Buffer[] = [];
    ws.on('message', (data: Buffer) => void frames.push(data));
    node.transport.send(node.live('in')[0] as number, numbered(1));
    node.transport.drop(node.live('in')[0] as number, 'for a test');
    expect(await ended).toEqual({ code: 4007, reason: 'for a test' });
    expect(frames.flatMap((it) => decode(it))).toEqual([numbered(1)]);
  });
});

describe('limits', () => {
  it('a message over the limit costs its connection, says so, and wedges nothing', async () => {
    const [a, b] = [await rig.node(1, { maxFrameBytes: 10_000 }), await rig.node(2)];
    await rig.connect(a, b, 2);
    a.transport.send(a.live('out')[0] as number, large(10_000));
    await until('up again', () => a.of('up').length === 2 && a.of('down').length === 1);
    a.transport.send(a.live('out')[0] as number, numbered(5));
    await until('a message', () => numbers(b).includes(5));
    expect(rig.errors).toHaveLength(1);
  });

  it('a burst of whatever size is sent as the peer takes it, in order, on one connection', async () => {
    const [a, b] = [await rig.node(1, { maxFrameBytes: 1_100_000 }), await rig.node(2)];
    await rig.connect(a, b, 2);
    burst(a, 160);
    await until('all of it', () => numbers(b).length === 160);
    expect(numbers(b)).toEqual(Array.from({ length: 160 }, (_none, index) => index + 1));
    expect([a.of('down'), b.of('down'), rig.errors]).toEqual([[], [], []]);
  });

  it('so it is where the program lets sockets keep more than that before they say so', async () => {
    const before = getDefaultHighWaterMark(false);
    setDefaultHighWaterMark(false, 16 * MIB);
    closers.push(() => setDefaultHighWaterMark(false, before));
    const [a, b] = [await rig.node(1), await rig.node(2)];
    await rig.connect(a, b, 2);
    burst(a, 40);
    await until('all of it', () => numbers(b).length === 40);
  });

  it('of what waits for a slow reader only a little is encoded', async () => {
    const node = await rig.node(1, { keepaliveMs: 600_000 });
    const { ws } = await rig.admitted(node, 1);
    ws.pause();
    const [channel] = node.live('in');
    const before = process.memoryUsage();
    const one = large(1_000_000);
    for (let i = 0; i < 300; i++) node.transport.send(channel as number, one);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const after = process.memoryUsage();
    expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(60_000_000);
    expect(node.of('down')).toEqual([]);
  });

  it('a peer that reads too slowly is dropped before what waits for it fills the memory', async () => {
    const node = await rig.node(1, { maxWaitingMessages: 1000, keepaliveMs: 600_000 });
    const { ws } = await rig.admitted(node, 1);
    ws.pause();
    const [channel] = node.live('in');
    await until('dropped', () => {
      for (let i = 0; i < 20; i++) node.transport.send(channel as number, large(100_000));
      return node.of('down').length === 1;
    });
  });

  /** Bytes that are alive in buffers, while a peer that reads nothing is sent what `say` says, many times over. */
  async function aliveWhileNothingIsRead(say: (send: (message: Message) => void, index: number) => void) {
    const node = await rig.node(1, { keepaliveMs: 600_000, maxWaitingBytes: 50 * MIB });
    const { ws } = await rig.admitted(node, 1);
    const read: Message[] = [];
    ws.on('message', (data: Buffer) => void read.push(...decode(data)));
    ws.pause();
    const [channel] = node.live('in');
    const before = await liveBytes();
    let told = 0;
    for (let index = 1; index <= 300; index++) {
      if (node.of('down').length === 0) told = index;
      say((message) => node.transport.send(channel as number, message), index);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { node, ws, read, told, bytes: (await liveBytes()) - before };
  }
  const value = (index: number): Uint8Array => Buffer.alloc(MIB, index);
  const writeOf = (id: number, settled = 0): Message => ({
    ...(large(0) as Message & { type: 'write' }),
    id,
    settled,
    action: { kind: 'set', value: value(id) },
  });
  const settled = (id: number): Message => ({ type: 'settled', epoch: toEpoch(1n), ids: [id] });

  it('a write whose caller gave up while it waited for a slow reader is not sent, and costs no memory', async () => {
    const { node, ws, read, bytes } = await aliveWhileNothingIsRead((send, id) => {
      send(writeOf(id));
      if (id > 10) send(settled(id));
    });
    expect(bytes).toBeLessThan(50 * MIB);
    ws.resume();
    await until('all that is left', () => read.filter(({ type }) => type === 'settled').length === 290);
    const written = read.flatMap((message) => (message.type === 'write' ? [message.id] : []));
    expect(written.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(written.length).toBeLessThan(50);
    expect(node.of('down')).toEqual([]);
  });

  it('nor are those which a later write says to be settled, all at once', async () => {
    const { node, bytes } = await aliveWhileNothingIsRead((send, id) => send(writeOf(id, id - 1)));
    expect(bytes).toBeLessThan(50 * MIB);
    expect(node.of('down')).toEqual([]);
  });

  it('writes that are waited for are in memory anyway: of them any number of bytes may wait', async () => {
    const values = Array.from({ length: 300 }, (_none, index) => value(index));
    const { node } = await aliveWhileNothingIsRead((send, id) =>
      send({ ...writeOf(id), action: { kind: 'set', value: values[id - 1] } } as Message),
    );
    expect(node.of('down')).toEqual([]);
  });

  it('of answers, which may be of values that are gone from the store, only so many bytes wait for a slow reader', async () => {
    const { node, told } = await aliveWhileNothingIsRead((send, id) => {
      const found = { value: value(id), version: { epoch: toEpoch(1n), counter: id } };
      send({ type: 'value', epoch: toEpoch(1n), id, found, holder: true });
    });
    // And what the sockets took.
    expect(told).toBeGreaterThan(50);
    expect(told).toBeLessThan(80);
    expect(node.of('down')).toHaveLength(1);
    expect(rig.errors).toEqual([]);
  });

  it('a message that cannot be encoded costs its connection, is told of, and ends nothing else', async () => {
    const [a, b, c] = [await rig.node(1), await rig.node(2), await rig.node(3)];
    await rig.connect(a, b, 2);
    a.transport.dial(c.member(3));
    await until('both', () => a.live('out').length === 2);
    const [broken, other] = a.live('out') as [number, number];
    a.transport.send(broken, { type: 'nonsense' } as unknown as Message);
    await until('down', () => a.of('down').length === 1);
    expect(a.of('down')).toMatchObject([{ channel: broken }]);
    expect(rig.errors).toEqual(['a message could not be encoded; its connection is closed']);
    a.transport.send(other, numbered(7));
    await until('a message', () => numbers(c).includes(7));
  });

  it('a peer that sends but does not read is dropped, though it is not silent and little waits for it', async () => {
    const node = await rig.node(1, { keepaliveMs: scaled(20) });
    const { ws } = await rig.admitted(node, 1);
    ws.pause();
    const talk = setInterval(() => ws.send(encode([numbered(1)])), 5);
    const [channel] = node.live('in');
    // More than the system takes for a reader that does not read, so that it is known to be one.
    for (let i = 0; i < 20; i++) node.transport.send(channel as number, large(1_000_000));
    await until('dropped', () => node.of('down').length === 1);
    clearInterval(talk);
  });

  it('a reason that is too long for a close frame is cut', async () => {
    const node = await rig.node(1);
    const { ended } = await rig.admitted(node, 1);
    node.transport.drop(node.live('in')[0] as number, 'ä'.repeat(200));
    expect(await ended).toEqual({ code: 4007, reason: 'ä'.repeat(61) });
  });

  it('an empty secret is an invalid argument', () => {
    const invalid = expect.objectContaining({ code: 'ZISTORE_INVALID_ARGUMENT' });
    expect(() => rig.owner({ secret: '' })).toThrow(invalid);
  });

  it('an owner that throws is told of, and goes on to be told', async () => {
    const [a, b] = [await rig.node(1), await rig.node(2)];
    await rig.connect(a, b, 2);
    b.react = () => {
      b.react = () => {};
      throw new Error('a fault of the owner');
    };
    a.transport.send(a.live('out')[0] as number, numbered(1));
    a.transport.send(a.live('out')[0] as number, numbered(2));
    await until('the second', () => numbers(b).includes(2));
    expect(rig.errors).toEqual(['the owner of the transport threw']);
  });
});

describe('keepalive', () => {
  /** A path to a port that can be frozen: bytes stop, sockets stay open. */
  async function path(port: number) {
    const sockets: Socket[] = [];
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const socket of [near, far]) {
        socket.on('error', () => {});
        sockets.push(socket);
      }
      near.pipe(far).pipe(near);
    });
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const freeze = (): void => {
      for (const socket of sockets) socket.unpipe().pause();
    };
    return { port: await listening(server), freeze };
  }

  const fast = { keepaliveMs: scaled(50) };
  const portOf = (owner: Owner) => Number(owner.address.split(':')[1]);

  it('notices at both ends a connection that has gone silent, and dials again', async () => {
    const [a, b] = [await rig.node(1, fast), await rig.node(2, fast)];
    const between = await path(portOf(b));
    const member = { address: toAddress(`127.0.0.1:${between.port}`), incarnation: toIncarnation(2n) };
    b.transport.identify(member);
    a.transport.dial(member);
    await until('up', () => a.live('out').length === 1 && b.live('in').length === 1);
    between.freeze();
    await until('down at both ends', () => a.of('down').length >= 1 && b.of('down').length >= 1);
    await until('up again', () => a.live('out').length === 1 && b.live('in').length === 1);
  });

  it('leaves a connection alone on which nothing is said, but pings are answered', async () => {
    const [a, b] = [await rig.node(1, fast), await rig.node(2, { keepaliveMs: 60_000 })];
    await rig.connect(a, b, 2);
    const started = performance.now();
    await until('ten keepalives', () => performance.now() - started > 10 * fast.keepaliveMs);
    expect([a.of('down'), b.of('down')]).toEqual([[], []]);
  });

  it('does not take the peers of a process that was stopped for silent', async () => {
    // The clock stands for the process: hours have passed, and one timer runs before any input is read.
    let due: (() => void)[] = [];
    let stoppedMs = 0;
    const clock = {
      now: () => performance.now() + stoppedMs,
      setTimer: (_ms: number, run: () => void) => {
        due.push(run);
        return () => {};
      },
    };
    const node = await rig.node(1, { clock });
    await rig.admitted(node, 1);
    const stopped = due;
    due = [];
    stoppedMs = 3_600_000;
    for (const run of stopped.slice(-1)) run();
    expect(node.of('down')).toEqual([]);
  });
});

describe('whoever is dialled but is no node', () => {
  const dial = async (port: number, secret?: string): Promise<Owner> => {
    const owner = await rig.node(1, { secret });
    owner.transport.dial({ address: toAddress(`127.0.0.1:${port}`), incarnation: toIncarnation(2n) });
    return owner;
  };

  it('a web server is reported as incompatible', async () => {
    const server = createHttpServer((_request, response) => void response.end('hello'));
    const owner = await dial(await listening(server));
    await until('refused', () => owner.of('refused').length >= 1);
    expect(owner.of('refused')[0]).toMatchObject({ code: 'ZISTORE_INCOMPATIBLE' });
  });

  it('a server of another protocol is reported as incompatible', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}).write('+OK ready\r\n'));
    const owner = await dial(await listening(server));
    await until('refused', () => owner.of('refused').length >= 1);
    expect(owner.of('refused')[0]).toMatchObject({ code: 'ZISTORE_INCOMPATIBLE' });
  });

  it('a silent server is given up after the hello timeout and dialled again', async () => {
    let calls = 0;
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      calls++;
      sockets.push(socket.on('error', () => {}));
    });
    closers.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const started = performance.now();
    await dial(await listening(server));
    await until('a second call', () => calls >= 2);
    expect(performance.now() - started).toBeGreaterThanOrEqual(HELLO_TIMEOUT_MS);
  });

  it.each<[string, (secretless: Buffer) => Uint8Array[]]>([
    ['garbage', () => [Buffer.from([1, 2, 3])]],
    ['a malformed challenge', () => [frame(Buffer.alloc(3))]],
    ['a welcome of no kind', () => [frame(Buffer.alloc(16)), frame(1, 2, 3)]],
  ])('one that answers a hello with %s is hung up on', async (_what, answers) => {
    const http = createHttpServer();
    const server = new WebSocketServer({ server: http });
    const codes: number[] = [];
    server.on('connection', (ws) => {
      ws.on('close', (code) => void codes.push(code));
      ws.once('message', (data: Buffer) => {
        for (const answer of answers(data)) ws.send(answer);
      });
    });
    const owner = await dial(await listening(http));
    await until('hung up on', () => codes.includes(4004));
    expect(owner.events).toEqual([]);
  });

  it('an impostor who does not know the secret is reported as unauthorized', async () => {
    const http = createHttpServer();
    const server = new WebSocketServer({ server: http });
    server.on('connection', (ws) => {
      ws.send(frame(Buffer.alloc(16)));
      ws.send(frame(Buffer.alloc(32)));
    });
    const owner = await dial(await listening(http), 'a secret of the whole cluster');
    await until('refused', () => owner.of('refused').length >= 1);
    expect(owner.of('refused')[0]).toMatchObject({ code: 'ZISTORE_UNAUTHORIZED' });
    expect(owner.of('up')).toEqual([]);
  });

  it.each(['nowhere', 'host:0', 'host:99999', 'user@host:1', 'host/path:1', 'a b:1', ':1'])(
    'an address like %s is refused and harms nothing',
    async (address) => {
      const owner = await rig.node(1);
      owner.transport.dial({ address: toAddress(address), incarnation: toIncarnation(2n) });
      await until('refused', () => owner.of('refused').length >= 1);
      expect(owner.of('refused')[0]).toMatchObject({ code: 'ZISTORE_INCOMPATIBLE' });
    },
  );
});

it('nothing happens before it is asked to: a transport that was only made keeps no process alive', () => {
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const listen = { host: '127.0.0.1', port: 0 };
  createWsTransport({ listen, cluster: 'c', logger, clock: realClock, random: realRandom });
});
