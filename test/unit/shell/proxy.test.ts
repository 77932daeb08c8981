/** The contract of `zk-down`: bytes stop, sockets stay open, new connections hang, as a real partition does it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FreezingProxy, startFreezingProxy } from '../../../src/shell/proxy.ts';
import { scaled, until } from '../../support/wait.ts';

/** What one side of a connection has seen. */
interface End {
  readonly socket: Socket;
  received: string;
  ended: boolean;
  closed: boolean;
}

function observe(socket: Socket): End {
  const end: End = { socket, received: '', ended: false, closed: false };
  socket.on('error', () => {});
  socket.on('data', (data) => {
    end.received += data.toString();
  });
  socket.on('end', () => {
    end.ended = true;
  });
  socket.on('close', () => {
    end.closed = true;
  });
  return end;
}

/** Long enough for loopback many times over: what has not come by then was held. */
const nothingHappens = (): Promise<void> => delay(scaled(150));

describe('a freezing proxy', () => {
  let server: Server;
  let proxy: FreezingProxy;
  const accepted: End[] = [];
  const dialled: End[] = [];

  const dial = (): End => {
    const end = observe(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
    dialled.push(end);
    return end;
  };
  const pair = async (): Promise<{ near: End; far: End }> => {
    const count = accepted.length;
    const near = dial();
    const far = await until('the target has the connection', () => accepted[count]);
    return { near, far };
  };

  beforeEach(async () => {
    accepted.length = 0;
    server = createServer({ allowHalfOpen: true }, (socket) => void accepted.push(observe(socket)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    proxy = await startFreezingProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } });
  });

  afterEach(async () => {
    await proxy.close();
    for (const { socket } of [...accepted, ...dialled.splice(0)]) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('passes bytes on in both directions', async () => {
    const { near, far } = await pair();
    near.socket.write('to the target');
    far.socket.write('to the client');
    await until('both have arrived', () => far.received === 'to the target' && near.received === 'to the client');
  });

  it('frozen, it stops bytes in both directions and keeps connections open; thawed, nothing is missing', async () => {
    const { near, far } = await pair();
    near.socket.write('a');
    await until('the first byte', () => far.received === 'a');
    proxy.freeze();
    near.socket.write('b');
    far.socket.write('c');
    await nothingHappens();
    expect([far.received, near.received]).toEqual(['a', '']);
    expect([near.closed, far.closed, near.ended, far.ended]).toEqual([false, false, false, false]);
    proxy.thaw();
    await until('the rest', () => far.received === 'ab' && near.received === 'c');
  });

  it('frozen, it lets new connections hang; thawed, they get through', async () => {
    proxy.freeze();
    const near = dial();
    near.socket.write('early');
    await nothingHappens();
    expect([accepted.length, near.closed, near.ended]).toEqual([0, false, false]);
    proxy.thaw();
    await until('the target hears of it', () => accepted[0]?.received === 'early');
    accepted[0]?.socket.write('late');
    await until('the answer', () => near.received === 'late');
  });

  it('frozen, it hides from each side that the other one has gone', async () => {
    const first = await pair();
    const second = await pair();
    proxy.freeze();
    first.near.socket.destroy();
    second.far.socket.destroy();
    await nothingHappens();
    expect([first.far.ended, first.far.closed, second.near.ended, second.near.closed]).toEqual(
      Array.from({ length: 4 }, () => false),
    );
    proxy.thaw();
    await until('both hear of it', () => first.far.ended && (second.near.ended || second.near.closed));
  });

  it('never tells the target of somebody who gave up while the path was frozen', async () => {
    proxy.freeze();
    const near = dial();
    near.socket.write('a request of long ago');
    await nothingHappens();
    near.socket.destroy();
    proxy.thaw();
    const { far } = await pair();
    await nothingHappens();
    expect(accepted.map((end) => end.received).join('')).toBe('');
    expect(far.closed).toBe(false);
  });

  it('can be frozen and thawed again and again; twice is as good as once', async () => {
    const { near, far } = await pair();
    for (const letter of 'abc') {
      proxy.freeze();
      proxy.freeze();
      near.socket.write(letter);
      proxy.thaw();
      proxy.thaw();
    }
    await until('all of it, in order', () => far.received === 'abc');
  });

  it('carries a lot at the pace of the slower side, also across a freeze', async () => {
    const { near, far } = await pair();
    const chunk = 'x'.repeat(64 * 1024);
    for (let i = 0; i < 64; i++) near.socket.write(chunk);
    proxy.freeze();
    await nothingHappens();
    proxy.thaw();
    await until('4 MiB', () => far.received.length === 64 * chunk.length);
  });

  it('passes a half-close on', async () => {
    const { near, far } = await pair();
    near.socket.end('bye');
    await until('the end', () => far.received === 'bye' && far.ended);
    far.socket.end('so long');
    await until('the answer', () => near.received === 'so long' && near.ended);
  });

  it('breaks a connection whose target does not listen', async () => {
    await new Promise((resolve) => server.close(resolve));
    const near = dial();
    await until('it is broken', () => near.closed || near.ended);
  });

  it('closes everything, also while it is frozen', async () => {
    const { near, far } = await pair();
    proxy.freeze();
    await proxy.close();
    await proxy.close();
    await until('both are closed', () => (near.closed || near.ended) && (far.closed || far.ended));
  });

  it('holds a bounded number of connections: the oldest goes', async () => {
    const { port } = server.address() as AddressInfo;
    const small = await startFreezingProxy({ target: { host: '127.0.0.1', port }, maxConnections: 2 });
    small.freeze();
    const ends: End[] = [];
    for (let i = 0; i < 3; i++) {
      const end = observe(connect(small.port, '127.0.0.1'));
      dialled.push(end);
      ends.push(end);
      await once(end.socket, 'connect');
    }
    await until('the oldest is broken', () => ends[0]?.ended || ends[0]?.closed);
    expect([ends[1]?.closed, ends[2]?.closed]).toEqual([false, false]);
    await small.close();
  });
});
