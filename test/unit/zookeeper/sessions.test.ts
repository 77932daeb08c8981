/** One client is one session: its id, its zxid, its end, against a scripted server. */
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { realClock } from '../../../src/clock.ts';
import type { Clock } from '../../../src/ports.ts';
import type { LibraryClient } from '../../../src/zookeeper/library.ts';
import { FUTURE_ZXID_MS } from '../../../src/zookeeper/route.ts';
import { EVENT, FakeZooKeeper, frame, int, long, OP } from '../../support/fake-zookeeper.ts';
import { scaled, until } from '../../support/wait.ts';
import { afterTest, open, startFake } from './harness.ts';

const get = { op: 'get', path: '/a' } as const;

describe('a session', () => {
  it('is reported with its id and the negotiated timeout, on every connection', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => connection.accept(0xfedcba9876543210n - (1n << 64n), 1500);
    const client = open(fake.connectString, { sessionTimeoutMs: 4000 });
    expect(await client.untilConnected()).toEqual({ id: 'fedcba9876543210', timeoutMs: 1500 });
    fake.last.socket.destroy();
    expect(await client.untilConnected(2)).toEqual({ id: 'fedcba9876543210', timeoutMs: 1500 });
    // What one server granted must not lower what is asked of the next one
    expect(fake.last.hello?.timeoutMs).toBe(4000);
  });

  it('that the server replaced by another one has expired', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => connection.accept(BigInt(fake.connections.length));
    const client = open(fake.connectString);
    await client.untilConnected();
    fake.last.socket.destroy();
    expect(await client.untilEnded()).toBe('expired');
    expect(client.sessions).toHaveLength(1);
  });

  it('that the server no longer knows has expired', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => connection.accept(0x1234n, fake.connections.length === 1 ? 2000 : 0);
    const client = open(fake.connectString);
    await client.untilConnected();
    fake.last.socket.destroy();
    expect(await client.untilEnded()).toBe('expired');
  });

  it('whose credentials are refused ends as such', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => connection.reply(request, 0n, request.type === OP.auth ? -115 : 0);
    const client = open(fake.connectString, { auth: { scheme: 'digest', auth: 'wrong' } });
    expect(await client.untilEnded()).toBe('authFailed');
  });

  it('sends its credentials before anything else, and keeps what it creates to itself', async () => {
    const fake = await startFake();
    const client = open(fake.connectString, { auth: { scheme: 'digest', auth: 'user:password' } });
    await client.untilConnected();
    await client.done({ op: 'create', path: '/a', data: '', mode: 'persistent' });
    expect(fake.last.requests.map(({ type }) => type)).toEqual([OP.auth, OP.create]);
    expect(fake.last.requests[0]!.body.toString()).toContain('user:password');
    expect(fake.last.requests[1]!.body.toString()).toContain('auth');
    expect(fake.last.requests[1]!.body.toString()).not.toContain('world');
  });
});

describe('request numbers', () => {
  it('start again before their 32 bits end', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    const { connectionManager } = Reflect.get(client.client, 'library') as LibraryClient;
    connectionManager.xid = 2 ** 31 - 1;
    for (let i = 0; i < 3; i += 1) await client.done(get);
    expect(client.disconnections).toBe(0);
  });
});

describe('an IPv6 literal in the connect string', () => {
  const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

  (hasIPv6 ? it : it.skip)('is connected to', async () => {
    const fake = await FakeZooKeeper.start('::1');
    afterTest(() => fake.stop());
    await open(`[::1]:${fake.port}/app`).untilConnected();
  });
});

describe('lastZxid', () => {
  it('is that of the newest reply, never goes back, and is where the next connection starts from', async () => {
    const fake = await startFake();
    const client = open(fake.connectString, { lastZxid: 3n });
    await client.untilConnected();
    expect(fake.last.hello?.lastZxid).toBe(3n);
    for (const zxid of [7n, 0n, -1n, 5n]) {
      fake.zxid = zxid;
      await client.done(get);
    }
    expect(client.client.lastZxid).toBe(7n);
    fake.last.socket.destroy();
    await client.untilConnected(2);
    expect(fake.last.hello?.lastZxid).toBe(7n);
  });

  it('a reply carries its own zxid, not that of the newest one', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type !== OP.set) return fake.answer(connection, request);
      // Three replies in one chunk: all are dispatched before the first is delivered.
      if (connection.count(OP.set) < 3) return undefined;
      const replies = [0, 1, 2].map((xid) => frame(int(xid), long(BigInt(10 + xid)), int(0), Buffer.alloc(68)));
      return connection.send(Buffer.concat(replies));
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    for (let i = 0; i < 3; i += 1) client.submit({ op: 'set', path: '/a', data: '' });
    await until('three replies', () => client.replies.length === 3);
    expect(client.replies.map(({ reply }) => reply)).toMatchObject([{ zxid: 10n }, { zxid: 11n }, { zxid: 12n }]);
  });

  it('that the servers have not reached is given up after some seconds, with a warning', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => {
      if (connection.hello!.lastZxid > 5n) connection.socket.destroy();
      else connection.accept();
    };
    // Time runs twenty times as fast.
    const clock: Clock = {
      now: () => realClock.now() * 20,
      setTimer: (delayMs, callback) => realClock.setTimer(delayMs / 20, callback),
    };
    const client = open(fake.connectString, { lastZxid: 100n, sessionTimeoutMs: 40_000, clock });
    const from = clock.now();
    await client.untilConnected();
    expect(clock.now() - from).toBeGreaterThanOrEqual(FUTURE_ZXID_MS);
    expect(fake.connections.filter(({ hello }) => hello?.lastZxid === 0n)).toHaveLength(1);
    expect(client.log).toContainEqual(expect.objectContaining({ level: 'warn' }));
    expect(client.client.lastZxid).toBe(0n);
  });
});

describe('pitfall 7: close', () => {
  const closed = async (client: ReturnType<typeof open>): Promise<void> => {
    const from = performance.now();
    await Promise.all([client.client.close(), client.client.close()]);
    expect(performance.now() - from).toBeLessThan(scaled(3000));
    await client.client.close();
    expect(client.ends).toEqual(['closed']);
    expect(client.calls.at(-1)).toBe('ended');
  };

  it('in the same breath as open', async () => {
    const fake = await startFake();
    await closed(open(fake.connectString));
  });

  it('without a session: waits for nothing', async () => {
    const fake = await startFake();
    const never: Clock = { now: realClock.now, setTimer: () => () => {} };
    await closed(open(fake.connectString, { clock: never }));
  });

  it('with no server there', async () => {
    const fake = await FakeZooKeeper.start();
    await fake.stop();
    const client = open(fake.connectString);
    expect(await client.run(get)).toMatchObject({ code: 'NOT_SENT' });
    await closed(client);
  });

  it('while the TCP connection is being made, and while the server is silent', async () => {
    const fake = await startFake();
    fake.onConnect = () => {};
    const client = open(fake.connectString);
    await until('the connect request', () => fake.connections[0]?.hello);
    await closed(client);
    await until('the connection closed', () => !fake.last.open);
  });

  it('when connected: tells the server, which confirms, after the requests in flight were answered', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    const request = client.submit(get);
    await closed(client);
    expect(await client.replyTo(request)).toMatchObject({ ok: true });
    expect(fake.last.count(OP.close)).toBe(1);
    expect(fake.connections).toHaveLength(1);
  });

  it('in a blackhole: after its bound, with everything in flight answered first', async () => {
    const fake = await startFake();
    const client = open(fake.connectString, { sessionTimeoutMs: 30_000 });
    await client.untilConnected();
    fake.onRequest = () => {};
    const request = client.submit(get);
    await closed(client);
    expect(await client.replyTo(request)).toMatchObject({ code: 'SESSION_ENDED' });
    expect(fake.last.count(OP.close)).toBe(1);
    await until('the connection closed', () => !fake.last.open);
  });

  it('between two connections: uses the next one to tell the server', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    fake.last.socket.destroy();
    await until('disconnected', () => client.disconnections >= 1);
    await closed(client);
    expect(fake.last.count(OP.close)).toBe(1);
    expect(client.sessions).toHaveLength(1);
  });

  it('between two connections that never come: after its bound', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    await fake.stop();
    await until('disconnected', () => client.disconnections >= 1);
    await closed(client);
  });

  it('with garbage arriving instead of the confirmation', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    fake.onRequest = (connection) => connection.send(Buffer.alloc(64, 0xee));
    await closed(client);
  });

  it('after the session has expired', async () => {
    const fake = await startFake();
    fake.onConnect = (connection) => connection.accept(0n, 0);
    const client = open(fake.connectString);
    await client.untilEnded();
    await client.client.close();
    expect(client.ends).toEqual(['expired']);
  });

  it('takes no further requests', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    const closing = client.client.close();
    const request = client.submit({ op: 'delete', path: '/a' });
    await closing;
    expect(await client.replyTo(request)).toMatchObject({ code: 'NOT_SENT' });
    expect(fake.last.count(OP.delete)).toBe(0);
  });
});

describe('a handler that throws (pitfall 12)', () => {
  it('harms neither the session nor other calls', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    for (const name of ['connected', 'disconnected', 'reply', 'watch', 'ended'] as const) {
      const original = client[name].bind(client) as (...args: unknown[]) => void;
      client[name] = (...args: unknown[]) => {
        original(...args);
        throw new Error('the handler is broken');
      };
    }
    await client.untilConnected();
    await client.done({ ...get, watch: true });
    fake.last.event(EVENT.changed, '/a');
    await until('the watch', () => client.watches.length === 1);
    fake.last.socket.destroy();
    await client.untilConnected(2);
    await client.client.close();
    expect(client.ends).toEqual(['closed']);
  });
});
