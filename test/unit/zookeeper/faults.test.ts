/** The library's pitfalls, each provoked by a scripted server. Numbers are those of the table of the library's faults. */
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { EVENT, FakeConnection, frame, int, long, OP, stat, text } from '../../support/fake-zookeeper.ts';
import { scaled, until } from '../../support/wait.ts';
import { afterTest, open, startFake } from './harness.ts';

const SESSION_TIMEOUT_MS = Math.round(scaled(600));
const get = { op: 'get', path: '/a' } as const;

describe('pitfall 1: no read timeout', () => {
  it('leaves a server that falls silent, keeps the session and says that what was in flight is unknown', async () => {
    const [silent, healthy] = [await startFake(), await startFake()];
    let silenced: FakeConnection | undefined;
    for (const fake of [silent, healthy]) {
      fake.onRequest = (connection, request) => {
        if (connection !== silenced) fake.answer(connection, request);
      };
    }
    const servers = `${silent.connectString},${healthy.connectString}`;
    const client = open(servers, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    const { id } = await client.untilConnected();
    silenced = [...silent.connections, ...healthy.connections].at(-1) as FakeConnection;
    const request = client.submit({ op: 'set', path: '/a', data: 'x' });
    expect(await client.replyTo(request)).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
    expect((await client.untilConnected(2)).id).toBe(id);
    const other = silent.connections.includes(silenced) ? healthy : silent;
    expect(other.last.hello?.sessionId).toBe(0x1234n);
    await client.done(get);
  });

  it('leaves a server that answers pings but no request', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.ping) fake.answer(connection, request);
    };
    const client = open(fake.connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    await client.untilConnected();
    expect(await client.run(get)).toMatchObject({ code: 'CONNECTION_LOSS' });
  });
});

describe('pitfall 2: no answer to the connect request', () => {
  it('goes on to the next server', async () => {
    const [silent, healthy] = [await startFake(), await startFake()];
    silent.onConnect = () => {};
    // Whichever is tried first: the healthy one then drops the client once.
    const servers = `${silent.connectString},${healthy.connectString}`;
    const client = open(servers, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    await client.untilConnected();
    healthy.last.socket.destroy();
    await client.untilConnected(2);
    expect(silent.connections.length).toBeGreaterThan(0);
  });

  it('gives up a connection whose TCP handshake does not end', async () => {
    // Full accept queue: the listener never takes anybody, so that further connections hang or wait unanswered.
    const listener = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => listener.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, resolve));
    afterTest(() => new Promise((resolve) => listener.close(() => resolve())));
    listener.on('connection', (socket) => afterTest(async () => void socket.destroy()));
    const { port } = listener.address() as { port: number };
    const healthy = await startFake();
    const client = open(`127.0.0.1:${port},${healthy.connectString}`, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    await client.untilConnected();
    healthy.last.socket.destroy();
    await client.untilConnected(2);
  });
});

describe('pitfall 3: bytes of a broken connection read as part of the next one', () => {
  const reply = frame(int(0), long(9n), int(0), text('value'), stat());

  it.each(Array.from({ length: reply.length }, (_, at) => at))('cut %d bytes into a reply', async (at) => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type !== OP.get || fake.connections.length > 1) return fake.answer(connection, request);
      connection.socket.end(reply.subarray(0, at));
      return undefined;
    };
    const client = open(fake.connectString);
    const { id } = await client.untilConnected();
    expect(await client.run(get)).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect((await client.untilConnected(2)).id).toBe(id);
    await client.done(get);
  });

  const acceptance = FakeConnection.acceptance(0x1234n, 2000);

  it.each([0, 1, 3, 4, 5, 20, acceptance.length - 1])('cut %d bytes into the answer to the connect', async (at) => {
    const fake = await startFake();
    fake.onConnect = (connection) => {
      if (fake.connections.length === 1) connection.socket.end(acceptance.subarray(0, at));
      else connection.accept();
    };
    const client = open(fake.connectString);
    expect((await client.untilConnected()).id).toBe('0000000000001234');
    await client.done(get);
  });
});

describe('pitfall 4: error codes that the library does not know', () => {
  it.each([-125, -124, -128, -999, 42])('code %d is an error reply, not a crash', async (code) => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.ping || request.type === OP.close) fake.answer(connection, request);
      else connection.reply(request, 5n, code);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    for (const operation of [get, { op: 'exists', path: '/a' }, { op: 'delete', path: '/a' }] as const) {
      const reply = await client.run(operation);
      expect(reply).toMatchObject({ ok: false, code: 'OTHER', message: expect.stringContaining(`(${code})`) });
    }
    const check = { op: 'check', path: '/a' } as const;
    expect(await client.run({ op: 'multi', steps: [check] })).toMatchObject({ ok: false, code: 'OTHER' });
    expect(client.disconnections).toBe(0);
  });

  it('an unknown code of one step of a multi keeps its step', async () => {
    const fake = await startFake();
    const error = (code: number) => [int(-1), Buffer.from([0]), int(code), int(code)];
    const end = [int(-1), Buffer.from([1]), int(-1)];
    fake.onRequest = (connection, request) => {
      if (request.type !== OP.multi) fake.answer(connection, request);
      else connection.reply(request, 5n, 0, ...error(0), ...error(-125), ...error(-2), ...end);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    const steps = ['/a', '/b', '/c'].map((path) => ({ op: 'check', path }) as const);
    expect(await client.run({ op: 'multi', steps })).toMatchObject({ ok: false, code: 'OTHER', step: 1 });
  });

  it('what a moved session asked for surely did not happen, and the connection is made anew', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.set && fake.connections.length === 1) connection.reply(request, 5n, -118);
      else fake.answer(connection, request);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    expect(await client.run({ op: 'set', path: '/a', data: '' })).toMatchObject({ code: 'NOT_SENT' });
    await client.untilConnected(2);
  });
});

describe('pitfall 5: inbound traffic starves the pings', () => {
  it('pings though events arrive all the time', async () => {
    const fake = await startFake();
    const client = open(fake.connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS });
    await client.untilConnected();
    const storm = setInterval(() => fake.last.event(EVENT.changed, '/somewhere'), 5);
    afterTest(async () => clearInterval(storm));
    await until('pings', () => fake.last.count(OP.ping) >= 5);
    expect(client.disconnections).toBe(0);
  });
});

describe('pitfall 6: requests made while disconnected', () => {
  it('are answered NOT_SENT at once and never sent', async () => {
    const fake = await startFake();
    let accepting = false;
    fake.onConnect = (connection) => {
      if (accepting) connection.accept();
      else connection.socket.destroy();
    };
    const client = open(fake.connectString);
    for (const path of ['/a', '/b']) {
      expect(await client.run({ op: 'delete', path })).toMatchObject({ ok: false, code: 'NOT_SENT' });
    }
    accepting = true;
    await client.untilConnected();
    await client.done(get);
    expect(fake.last.count(OP.delete)).toBe(0);
  });

  it('are never called from within submit', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    client.submit(get);
    client.submit({ op: 'get', path: 'bad' });
    expect(client.replies).toEqual([]);
    await until('both replies', () => client.replies.length === 2);
    expect(client.replies.map(({ reply }) => reply)).toMatchObject([{ code: 'NOT_SENT' }, { code: 'BAD_ARGUMENTS' }]);
  });

  it('are bounded in number', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.ping || request.type === OP.close) fake.answer(connection, request);
    };
    const client = open(fake.connectString, { sessionTimeoutMs: 60_000 });
    await client.untilConnected();
    for (let i = 0; i < 1001; i += 1) client.submit(get);
    await until('a refusal', () => client.replies.length === 1);
    expect(client.replies[0]).toMatchObject({ request: 1001, reply: { code: 'NOT_SENT' } });
  });
});

describe('pitfall 6: the end of a session', () => {
  it('answers everything in flight exactly once, in order, before it is reported', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => {
      if (fake.connections.length === 1) connection.accept();
      else connection.accept(0n, 0);
    };
    fake.onRequest = () => {};
    const client = open(fake.connectString, { sessionTimeoutMs: 60_000 });
    await client.untilConnected();
    for (let i = 0; i < 3; i += 1) client.submit(get);
    await until('the requests', () => fake.last.count(OP.get) === 3);
    fake.last.socket.destroy();
    expect(await client.untilEnded()).toBe('expired');
    expect(client.replies.map(({ request }) => request)).toEqual([1, 2, 3]);
    expect(client.calls).toEqual(['connected', 'reply', 'reply', 'reply', 'disconnected', 'ended']);
    client.submit(get);
    await new Promise(setImmediate);
    expect(client.calls.at(-1)).toBe('ended');
  });

  it('answers SESSION_ENDED when a request itself is told so', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.get) connection.reply(request, 5n, -112);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    client.submit(get);
    client.submit(get);
    expect(await client.untilEnded()).toBe('expired');
    expect(client.replies.map(({ reply }) => reply)).toMatchObject(Array(2).fill({ code: 'SESSION_ENDED' }));
    const connections = fake.connections.length;
    await until('the connection closed', () => !fake.last.open);
    expect(fake.connections).toHaveLength(connections);
  });
});

describe('pitfall 9: failed handshakes pile up packets', () => {
  it('sends credentials and watches once, on the connection that is accepted', async () => {
    const fake = await startFake();
    let accepting = true;
    fake.onConnect = (connection) => {
      if (accepting) connection.accept();
      else connection.socket.destroy();
    };
    const client = open(fake.connectString, { auth: { scheme: 'digest', auth: 'a:b' } });
    await client.untilConnected();
    await client.done({ ...get, watch: true });
    accepting = false;
    fake.last.socket.destroy();
    await until('many refusals', () => fake.connections.length > 10);
    accepting = true;
    await client.untilConnected(2);
    await client.done(get);
    expect(fake.last.requests.map(({ type }) => type)).toEqual([OP.auth, OP.setWatches, OP.get]);
  });

  it('does not connect without pause to a server that hangs up after each handshake', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => {
      connection.accept();
      connection.socket.end();
    };
    const client = open(fake.connectString, { sessionTimeoutMs: 4000 });
    const from = performance.now();
    await until('some connections', () => fake.connections.length >= 8);
    // Pauses of at least 25, 50, 100, 200 and three times 333 ms; without growth at most 50 each.
    expect(performance.now() - from).toBeGreaterThan(1000);
    await client.client.close();
    const connections = fake.connections.length;
    await until('all closed', () => fake.connections.every((connection) => !connection.open));
    expect(fake.connections).toHaveLength(connections);
  });
});

describe('pitfall 11: retries', () => {
  it('a change whose answer was lost is not repeated', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.create) connection.socket.destroy();
      else fake.answer(connection, request);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    const operation = { op: 'create', path: '/n-', data: '', mode: 'ephemeralSequential' } as const;
    expect(await client.run(operation)).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
    await client.untilConnected(2);
    await client.done(get);
    const creates = fake.connections.map((connection) => connection.count(OP.create));
    expect(creates).toEqual([1, 0]);
  });
});

describe('pitfall 13: what no ZooKeeper server sends', () => {
  const strange: [string, Buffer][] = [
    ['an empty frame', int(0)],
    ['a negative length', int(-5)],
    ['a short frame', frame(Buffer.alloc(8))],
    ['an HTTP answer', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['an answer that nobody asked for', frame(int(77), long(1n), int(0))],
    ['an answer to another request', frame(int(1), long(1n), int(0))],
    ['an event without a path', frame(int(-1), long(-1n), int(0), int(1))],
    ['a string longer than the frame', frame(int(0), long(1n), int(0), int(1 << 30))],
  ];

  it.each(strange)('%s breaks this connection, not the session', async (_, bytes) => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.get && fake.connections.length === 1) connection.send(bytes);
      else fake.answer(connection, request);
    };
    const client = open(fake.connectString);
    const { id } = await client.untilConnected();
    expect(await client.run(get)).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect((await client.untilConnected(2)).id).toBe(id);
    expect(client.replies).toHaveLength(1);
  });

  const strangeAnswers: [string, Buffer][] = [
    ['another protocol version', frame(int(-1), int(0), long(0n), int(16), Buffer.alloc(16))],
    ['a password of another length', frame(int(0), int(0), long(0n), int(20), Buffer.alloc(20))],
  ];

  it.each([...strange, ...strangeAnswers])('%s instead of the answer to the connect request', async (_, bytes) => {
    const fake = await startFake();
    fake.onConnect = (connection) => {
      if (fake.connections.length === 1) connection.send(bytes);
      else connection.accept();
    };
    await open(fake.connectString, { sessionTimeoutMs: SESSION_TIMEOUT_MS }).untilConnected();
  });

  it('events of unknown types are ignored', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    await client.done({ ...get, watch: true });
    fake.last.event(99, '/a');
    await client.done(get);
    expect([client.disconnections, client.watches]).toEqual([0, []]);
  });
});
