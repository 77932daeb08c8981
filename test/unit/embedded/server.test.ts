import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CoordinatorFaults, RequestInfo } from '../../../src/embedded/faults.ts';
import {
  type EmbeddedCoordinator,
  type EmbeddedCoordinatorOptions,
  startEmbeddedCoordinator,
} from '../../../src/embedded/server.ts';
import { handshakeBody, OP, WireClient } from '../../conformance/zookeeper/wire-client.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { pause, until } from '../../support/wait.ts';

const running: EmbeddedCoordinator[] = [];
const clients: WireClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(running.splice(0).map((coordinator) => coordinator.close()));
});

async function start(options: EmbeddedCoordinatorOptions = {}): Promise<EmbeddedCoordinator> {
  const coordinator = await startEmbeddedCoordinator(options);
  running.push(coordinator);
  return coordinator;
}

async function dial(coordinator: EmbeddedCoordinator): Promise<WireClient> {
  const client = await WireClient.dial(coordinator.port);
  clients.push(client);
  return client;
}

/** A whole round trip of a new client. */
async function serves(coordinator: EmbeddedCoordinator): Promise<void> {
  const client = await dial(coordinator);
  await client.greet();
  client.request(7, OP.exists, (w) => w.string('/').boolean(false));
  expect(await client.frame()).toMatchObject({ xid: 7, code: 0 });
  client.destroy();
}

const idText = (id: bigint) => id.toString(16).padStart(16, '0');

describe('the embedded coordinator', () => {
  it('listens on the loopback interface alone', async () => {
    const coordinator = await start();
    expect(coordinator.connectString).toBe(`127.0.0.1:${coordinator.port}`);
    const outside = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address } of outside.filter(({ internal, family }) => !internal && family === 'IPv4')) {
      const socket = connect({ host: address, port: coordinator.port });
      const outcome = await new Promise((resolve) => {
        socket.on('connect', () => resolve('connected')).on('error', () => resolve('refused'));
      });
      socket.destroy();
      expect(outcome).toBe('refused');
    }
  });

  it('grants timeouts from two to twenty ticks unless told otherwise', async () => {
    const granted = async (options: EmbeddedCoordinatorOptions, timeoutMs: number) =>
      (await (await dial(await start(options))).greet({ timeoutMs })).timeoutMs;
    expect(await granted({}, 1)).toBe(400);
    expect(await granted({}, 999_999)).toBe(4000);
    expect(await granted({ tickTimeMs: 100, minSessionTimeoutMs: 150 }, 1)).toBe(150);
    expect(await granted({ tickTimeMs: 100, maxSessionTimeoutMs: 60_000 }, 999_999)).toBe(60_000);
  });

  it.each([
    { tickTimeMs: 0 },
    { tickTimeMs: 1.5 },
    { tickTimeMs: Number.NaN },
    { minSessionTimeoutMs: -1 },
    { minSessionTimeoutMs: 500, maxSessionTimeoutMs: 400 },
  ])('refuses %j', async (options) => {
    await expect(startEmbeddedCoordinator(options)).rejects.toMatchObject({ code: 'ZISTORE_INVALID_ARGUMENT' });
  });

  it('says so when its port is taken', async () => {
    const { port } = await start();
    await expect(startEmbeddedCoordinator({ port })).rejects.toMatchObject({
      code: 'ZISTORE_COORDINATION_UNAVAILABLE',
      message: expect.stringContaining(String(port)),
    });
  });

  it('closes with clients connected, twice, and frees its port', async () => {
    const coordinator = await start();
    const client = await dial(coordinator);
    await client.greet();
    await Promise.all([coordinator.close(), coordinator.close()]);
    await client.closed();
    await serves(await start({ port: coordinator.port }));
  });

  it('started again, knows no old session and repeats no zxid', async () => {
    const first = await start();
    const client = await dial(first);
    const welcome = await client.greet();
    client.request(1, OP.exists, (w) => w.string('/').boolean(false));
    const { zxid } = await client.frame();
    await first.close();
    const again = await dial(await start({ port: first.port }));
    expect(await again.greet({ ...welcome, lastZxid: zxid })).toMatchObject({ timeoutMs: 0, sessionId: 0n });
  });

  it('does not take its own standstill for silence of its clients', async () => {
    const clock = new VirtualClock();
    const coordinator = await start({ clock, tickTimeMs: 100 });
    const welcome = await (await dial(coordinator)).greet({ timeoutMs: 500 });
    await clock.advance(150);
    clock.jump(5000);
    await clock.advance(300);
    expect(coordinator.sessionIds()).toEqual([idText(welcome.sessionId)]);
    await clock.advance(600);
    expect(coordinator.sessionIds()).toEqual([]);
  });

  it("reports on itself in ZooKeeper's way, and forgets the watches of connections that are gone", async () => {
    const coordinator = await start();
    const report = async () => {
      const client = await dial(coordinator);
      let text = '';
      client.socket.on('data', (chunk) => {
        text += chunk;
      });
      client.socket.write('srvr');
      await client.closed();
      return text;
    };
    const watching = await dial(coordinator);
    await watching.greet();
    for (const path of ['/a', '/b']) {
      watching.request(1, OP.exists, (w) => w.string(path).boolean(true));
      await watching.frame();
    }
    expect(await report()).toContain('Watch count: 2\n');
    watching.destroy();
    await until('no watches', async () => (await report()).includes('Watch count: 0\n'));
    expect(await report()).toContain('Mode: standalone\n');
  });

  it('ends a session on demand, once', async () => {
    const coordinator = await start();
    const client = await dial(coordinator);
    const { sessionId } = await client.greet();
    expect(coordinator.expireSession(idText(sessionId))).toBe(true);
    await client.closed();
    expect(coordinator.expireSession(idText(sessionId))).toBe(false);
    expect(() => coordinator.expireSession('no session id')).toThrow(
      expect.objectContaining({ code: 'ZISTORE_INVALID_ARGUMENT' }),
    );
  });
});

describe('the embedded coordinator, sent nonsense', () => {
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 200 });

  it('closes that connection at most, before and after a handshake', async () => {
    const coordinator = await start();
    await fc.assert(
      fc.asyncProperty(garbage, fc.boolean(), fc.boolean(), async (bytes, greeted, framed) => {
        const client = await dial(coordinator);
        if (greeted) await client.greet();
        if (framed) client.socket.write(Buffer.from([0, 0, 0, bytes.length]));
        client.socket.end(bytes);
        await client.closed();
      }),
      { numRuns: 60 },
    );
    await serves(coordinator);
  });

  it('answers a request that is cut off anywhere with nothing but the end', async () => {
    const coordinator = await start();
    const whole = handshakeBody({}).frame();
    for (let length = 1; length < whole.length; length++) {
      const client = await dial(coordinator);
      client.socket.end(whole.subarray(0, length));
      await client.closed();
      expect(client.frames).toEqual([]);
    }
    await serves(coordinator);
  });

  it('understands frames that arrive byte by byte, and many at once', async () => {
    const coordinator = await start();
    const client = await dial(coordinator);
    for (const byte of handshakeBody({}).frame()) client.socket.write(Buffer.of(byte));
    await until('the welcome', () => client.frames.length === 1);
    client.socket.cork();
    for (let xid = 1; xid <= 100; xid++) client.request(xid, OP.exists, (w) => w.string('/').boolean(false));
    client.socket.uncork();
    await until('100 answers', () => client.frames.length === 101);
    expect(client.frames.slice(1).map((frame) => frame.readInt32BE(0))).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
  });

  it.each([
    [
      'a count of two thousand million',
      (client: WireClient) =>
        client.request(1, OP.multi, (w) => w.int(1).boolean(false).int(-1).string('/a').buffer(null).int(0x7fffffff)),
    ],
    [
      'a length of two thousand million',
      (client: WireClient) => client.request(1, OP.getData, (w) => w.int(0x7fffffff)),
    ],
    [
      'text that is not UTF-8',
      (client: WireClient) => client.request(1, OP.getData, (w) => w.buffer(Buffer.of(0xff, 0xfe)).boolean(false)),
    ],
    ['a path that is missing', (client: WireClient) => client.request(1, OP.getData, (w) => w.int(-1))],
    [
      'a multi with a step of no kind',
      (client: WireClient) => client.request(1, OP.multi, (w) => w.int(77).boolean(false).int(-1)),
    ],
    [
      'a frame that is announced as longer than the limit',
      (client: WireClient) => client.socket.write(Buffer.of(0x00, 0x10, 0x00, 0x00)),
    ],
    ['an empty frame', (client: WireClient) => client.socket.write(Buffer.alloc(4))],
  ])('survives %s', async (_what, send) => {
    // Time stands still: what ends the connection is the frame, not the session's expiry.
    const coordinator = await start({ clock: new VirtualClock() });
    const client = await dial(coordinator);
    await client.greet();
    send(client);
    await client.closed();
    expect(client.frames).toHaveLength(1);
    await serves(coordinator);
  });

  it('answers what it does not know with an error', async () => {
    const client = await dial(await start());
    await client.greet();
    client.request(3, 106);
    expect(await client.frame()).toMatchObject({ xid: 3, code: -6 });
  });

  it('lets go of a client that does not shake hands', async () => {
    const clock = new VirtualClock();
    const client = await dial(await start({ clock }));
    client.socket.write(Buffer.of(0));
    await until('a timer for it', async () => {
      await clock.advance(11_000);
      return client.socket.closed;
    });
  });
});

describe('its faults on demand', () => {
  async function faulty(faults: CoordinatorFaults): Promise<{ coordinator: EmbeddedCoordinator; client: WireClient }> {
    const coordinator = await start({ faults });
    return { coordinator, client: await dial(coordinator) };
  }
  const look = (client: WireClient, xid = 1) => client.request(xid, OP.exists, (w) => w.string('/').boolean(false));

  it('answer pings of a session that is over, as a server cut off from its quorum does [§0.2, 1]', async () => {
    const { coordinator, client } = await faulty({
      request: ({ kind }) => (kind === 'ping' || kind === 'connect' ? 'handle' : 'ignore'),
      keepConnection: () => true,
    });
    const { sessionId } = await client.greet();
    coordinator.expireSession(idText(sessionId));
    look(client);
    client.request(-2, OP.ping);
    expect(await client.frame()).toMatchObject({ xid: -2, code: 0 });
    expect(coordinator.sessionIds()).toEqual([]);
  });

  it('carry a request out and lose its answer [14]', async () => {
    const { coordinator, client } = await faulty({ answer: ({ kind }) => (kind === 'create' ? 'disconnect' : 'send') });
    await client.greet();
    client.request(1, OP.create, (w) =>
      w
        .string('/a')
        .buffer(null)
        .vector([0], (v) => v.int(31).string('world').string('anyone'))
        .int(0),
    );
    await client.closed();
    const other = await dial(coordinator);
    await other.greet();
    other.request(1, OP.exists, (w) => w.string('/a').boolean(false));
    expect((await other.frame()).code).toBe(0);
  });

  it('answer with an error of their choice, or cut it off in the middle [4 7]', async () => {
    const { client } = await faulty({ request: ({ kind }) => (kind === 'exists' ? { error: -125 } : 'handle') });
    await client.greet();
    look(client);
    expect((await client.frame()).code).toBe(-125);

    const { client: cut } = await faulty({ answer: ({ kind }) => (kind === 'exists' ? { cutAfterBytes: 9 } : 'send') });
    let received = 0;
    cut.socket.on('data', (chunk) => {
      received += chunk.length;
    });
    await cut.greet();
    const before = received;
    look(cut);
    await cut.closed();
    expect(received - before).toBe(9);
  });

  it('answer late, and what follows in its turn', async () => {
    const clock = new VirtualClock();
    const asked: string[] = [];
    const answer = ({ kind }: RequestInfo) => {
      asked.push(kind);
      return kind === 'exists' ? { delayMs: 50 } : 'send';
    };
    const client = await dial(await start({ clock, faults: { answer } }));
    await client.greet();
    look(client, 1);
    client.request(-2, OP.ping);
    await until('both are carried out', () => asked.includes('ping'));
    await pause(50);
    expect(client.frames).toHaveLength(1);
    await clock.advance(50);
    expect([(await client.frame()).xid, (await client.frame()).xid]).toEqual([1, -2]);
  });

  it('never answer a handshake [6]', async () => {
    const { client } = await faulty({ request: ({ kind }) => (kind === 'connect' ? 'ignore' : 'handle') });
    client.send(handshakeBody({}));
    client.request(-2, OP.ping);
    await until('the end, or silence', () => client.socket.closed || client.frames.length === 0);
    expect(client.frames).toEqual([]);
  });
});
