/** Strangers by the thousand at the port that peers use: nodes go on, and whoever says nothing is cut off. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { abuse, expectNormal, PATIENT, startAll } from './support.ts';

const STRANGERS = 1000;
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: node',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n');
/** A masked binary frame that announces 200 bytes and brings 20: half of a hello. */
const HALF_A_FRAME = Buffer.concat([Buffer.from([0x82, 0xfe, 0, 200, 0, 0, 0, 0]), Buffer.alloc(20, 0x93)]);

abuse('Strangers', (cluster) => {
  /** Whoever is closed by the node is taken out. */
  const sockets = new Set<Socket>();
  let connected = 0;
  let coming = true;

  beforeEach(() => {
    connected = 0;
    coming = true;
  });
  afterEach(() => {
    coming = false;
    for (const socket of sockets) socket.destroy();
  });

  /** With `again` it comes back a little after it was cut off. */
  function call(node: TestNode, say: (socket: Socket) => void, again = false): void {
    if (!coming) return;
    const [host, port] = node.address.split(':');
    const socket = connect({ host: host!, port: Number(port) });
    sockets.add(socket);
    socket.on('error', () => {}).resume();
    socket.once('connect', () => {
      connected += 1;
      say(socket);
    });
    socket.once('close', () => {
      sockets.delete(socket);
      if (again) setTimeout(() => call(node, say, again), 100 * Math.random());
    });
  }

  const silence = (): void => {};
  const upgrade = (socket: Socket): void => void socket.write(UPGRADE);
  const halfAHello = (socket: Socket): void => void socket.write(Buffer.concat([Buffer.from(UPGRADE), HALF_A_FRAME]));

  it.each([
    ['say nothing', silence],
    ['say nothing after the upgrade', upgrade],
    ['send half a hello', halfAHello],
  ])('Z14: 1,000 connections that %s: nodes serve and join, and all of them are ended', async (_what, say) => {
    const nodes = await startAll(cluster(), 2, PATIENT);
    for (let i = 0; i < STRANGERS; i += 1) call(nodes[0] as TestNode, say);
    await expectNormal(nodes);
    nodes.push(await cluster().start(PATIENT));
    await expectNormal(nodes);
    await until('every stranger is cut off', () => sockets.size === 0, { timeoutMs: 15_000 });
    await expectNormal(nodes);
  });

  it('Z14: strangers that come again whenever they are cut off keep no node from joining', async () => {
    const nodes = await startAll(cluster(), 2, PATIENT);
    const [leader, follower] = nodes as [TestNode, TestNode];
    // More than there are places for connections of all kinds, at each of the nodes.
    for (let i = 0; i < 1.5 * STRANGERS; i += 1) for (const node of [leader, follower]) call(node, halfAHello, true);
    await until('all were there', () => connected >= 3 * STRANGERS);
    for (let joined = 0; joined < 3; joined += 1) nodes.push(await cluster().start(PATIENT));
    await leader.set('k', 'v', { timeoutMs: scaled(20_000) });
    for (const node of nodes) expect(await node.get('k', { timeoutMs: scaled(20_000) })).toBe('v');
    coming = false;
    for (const socket of sockets) socket.destroy();
    await expectNormal(nodes);
  });
});
