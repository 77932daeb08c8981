/** Whoever speaks to a node's port without being a node of its cluster: closed with a reason, and no harm done. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Owner } from '../../conformance/transport/harness.ts';
import { scaled, until } from '../../support/wait.ts';
import { type Ended, frame, Rig } from './rig.ts';

const MAX_FRAME = 100_000;
const nonce = Buffer.alloc(16, 9);

describe('a live port, with an honest neighbour connected,', () => {
  const rig = new Rig();
  let node: Owner;
  let neighbour: Owner;

  beforeEach(async () => {
    node = await rig.node(1, { maxFrameBytes: MAX_FRAME });
    neighbour = await rig.node(2);
    await rig.connect(neighbour, node, 1);
  });
  afterEach(async () => {
    try {
      await rig.expectHealthy(neighbour, node);
      expect(
        node.of('up').filter(({ peer }) => peer.address !== neighbour.address && peer.incarnation !== 77n),
      ).toEqual([]);
    } finally {
      await rig.close();
    }
  });

  it('closes on bytes that are no HTTP', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
        const { socket, closed } = rig.tcp(node);
        socket.end(bytes);
        await closed;
      }),
      { numRuns: 20 },
    );
  });

  it('closes on who says nothing, before the upgrade and after it', async () => {
    const tcp = rig.tcp(node);
    const { ended } = rig.websocket(node);
    await tcp.closed;
    await ended;
  });

  it('closes on who sends its request byte by byte for ever', async () => {
    const { socket, closed } = rig.tcp(node);
    socket.write('GET / HTTP/1.1\r\nX: ');
    const drip = setInterval(() => socket.write('x'), 20);
    await closed;
    clearInterval(drip);
  });

  it('answers a plain request with "upgrade required"', async () => {
    const response = await fetch(`http://${node.address}/`);
    expect(response.status).toBe(426);
    await response.text();
  });

  it('lets no page in a browser through', async () => {
    const { ended, open } = rig.websocket(node, { origin: 'http://127.0.0.1' });
    const first = await Promise.race([ended.then(({ code }) => code), open]);
    expect(first).toBe(1006);
  });

  it('closes on garbage in place of a hello', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { ws, open, ended } = rig.websocket(node);
        await open;
        ws.send(bytes);
        expect((await ended).code).toBe(4004);
      }),
      { numRuns: 20 },
    );
  });

  it('closes on text in place of a hello', async () => {
    const { ws, open, ended } = rig.websocket(node);
    await open;
    ws.send('hello');
    expect((await ended).code).toBe(1003);
  });

  it('does not even take in a large frame before the hello', async () => {
    const { ws, open, ended } = rig.websocket(node);
    await open;
    ws.send(Buffer.alloc(MAX_FRAME - 1));
    expect((await ended).code).toBe(1006);
  });

  const hello = (version: number, cluster: string, ...more: unknown[]) =>
    frame('zistore', version, cluster, 'node:9', 9n, node.address, 1n, nonce, ...more);

  it.each<[string, () => Buffer, number]>([
    ['another cluster', () => hello(1, 'other'), 4000],
    ['another wire version', () => hello(2, 'default'), 4000],
    ['another wire version with other fields', () => frame('zistore', 3, { some: 'thing' }), 4004],
    ['another wire version with more fields', () => hello(2, 'default', 1, 2, 3), 4000],
    ['a field too many', () => hello(1, 'default', 1), 4004],
    [
      'a nonce that is too short',
      () => frame('zistore', 1, 'default', 'node:9', 9n, node.address, 1n, Buffer.alloc(3)),
      4004,
    ],
    [
      'an incarnation that is no zxid',
      () => frame('zistore', 1, 'default', 'node:9', 9, node.address, 1n, nonce),
      4004,
    ],
    ['another addressee', () => frame('zistore', 1, 'default', 'node:9', 9n, 'node:8', 1n, nonce), 4002],
    [
      'another life of the addressee',
      () => frame('zistore', 1, 'default', 'node:9', 9n, node.address, 2n, nonce),
      4002,
    ],
  ])('closes on a hello with %s', async (_what, first, code) => {
    const { ws, open, ended } = rig.websocket(node);
    await open;
    ws.send(first());
    expect(await ended).toMatchObject({ code, reason: expect.stringMatching(/./) });
  });

  it('closes on garbage in place of a proof', async () => {
    const { ws, open, ended } = rig.websocket(node);
    await open;
    ws.send(hello(1, 'default'));
    ws.send(frame('something else', 1));
    expect((await ended).code).toBe(4004);
  });

  it('closes on malformed frames of a member, and tells its owner only that it is down', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const before = node.of('down').length;
        const { ws, ended } = await rig.admitted(node, 1);
        ws.send(Buffer.concat([Buffer.from([0xc1]), bytes]));
        expect((await ended).code).toBe(4004);
        await until('down', () => node.of('down').length === before + 1);
      }),
      { numRuns: 10 },
    );
    expect(node.of('message')).toEqual([]);
  });

  it('delivers nothing of a frame that is malformed at its end', async () => {
    const { ws, ended } = await rig.admitted(node, 1);
    ws.send(Buffer.concat([frame(8, 7n), frame(8)]));
    await ended;
    expect(node.of('message')).toEqual([]);
  });

  it('closes on text and on oversized frames of a member', async () => {
    const first = await rig.admitted(node, 1);
    first.ws.send('text');
    expect((await first.ended).code).toBe(1003);
    const second = await rig.admitted(node, 1);
    second.ws.send(Buffer.alloc(MAX_FRAME + 1));
    expect((await second.ended).code).toBe(1009);
  });
});

describe('a node that is nobody yet', () => {
  const rig = new Rig();
  afterEach(() => rig.close());

  const call = async (node: Owner, from: number): Promise<Ended> => {
    const { ws, open, ended } = rig.websocket(node);
    await open;
    ws.send(frame('zistore', 1, 'default', 'node:9', BigInt(from), node.address, 1n, nonce));
    return ended;
  };

  it('holds back a hello only for so long', async () => {
    const node = await rig.owner().listen();
    expect((await call(node, 1)).code).toBe(1006);
    expect(node.events).toEqual([]);
  });

  it('holds back only so many hellos: the oldest makes room', async () => {
    const node = await rig.owner({ helloTimeoutMs: scaled(30_000) }).listen();
    const codes: number[] = [];
    for (let from = 0; from < 260; from++) void call(node, from).then(({ code }) => codes.push(code));
    await until('four too many', () => codes.length === 4);
    expect(codes).toEqual([1006, 1006, 1006, 1006]);
    node.identify(2);
    await until('the others answered that another member lives here', () => codes.length === 260);
    expect(new Set(codes.slice(4))).toEqual(new Set([4002]));
    expect(node.events).toEqual([]);
  });
});

describe('a node with a secret', () => {
  const rig = new Rig();
  afterEach(() => rig.close());

  it('is not taken in by a hello that was overheard and is sent again', async () => {
    const node = await rig.node(1, { secret: 'a secret of the whole cluster' });
    const honest = await rig.admitted(node, 1, 'a secret of the whole cluster');
    const { ws, open, ended } = rig.websocket(node);
    await open;
    for (const sent of honest.sent) ws.send(sent);
    expect((await ended).code).toBe(4001);
    expect(node.of('up')).toHaveLength(1);
    expect(node.of('down')).toHaveLength(0);
  });
});

describe('a node with as many connections as it takes', () => {
  const rig = new Rig();
  afterEach(() => rig.close());

  it('closes further ones at once, and takes new ones when there is room', async () => {
    const node = await rig.node(1, { maxConnections: 2 });
    const [a, b, c] = [await rig.node(2), await rig.node(3), await rig.node(4)];
    await rig.connect(a, node, 1);
    await rig.connect(b, node, 1);
    c.transport.dial(node.member(1));
    await rig.tcp(node).closed;
    expect([c.of('up'), node.of('down')]).toEqual([[], []]);
    a.transport.hangup(node.member(1));
    await until('room for the next', () => c.live('out').length === 1);
  });

  it('keeps places free for members: of strangers the one that is there longest makes room for who comes', async () => {
    const node = await rig.node(1, { maxConnections: 20, helloTimeoutMs: 600_000 });
    const calls: ReturnType<typeof rig.tcp>[] = [];
    for (let i = 0; i < 19; i++) {
      const call = rig.tcp(node);
      await new Promise((resolve) => call.socket.once('connect', resolve));
      calls.push(call);
    }
    await Promise.all(calls.slice(0, 14).map(({ closed }) => closed));
    expect(calls.map(({ socket }) => socket.closed).indexOf(false)).toBe(14);
    const member = await rig.node(2);
    await rig.connect(member, node, 1);
    await rig.expectHealthy(member, node);
  });
});

describe('more callers than there are places for strangers', () => {
  const rig = new Rig();
  afterEach(() => rig.close());

  it('Z14: honest ones that waited for a node to be somebody, and were cut off again and again, all get through', async () => {
    const places = 20;
    const node = await rig.owner({ maxConnections: 4 * places, helloTimeoutMs: scaled(5000) }).listen();
    const callers = await Promise.all(
      Array.from({ length: 3 * places }, (_none, index) => rig.node(index + 2, { helloTimeoutMs: scaled(5000) })),
    );
    const began = performance.now();
    for (const caller of callers) caller.transport.dial(node.member(1));
    await until('they come again for a while', () => performance.now() - began > scaled(1500));
    expect(node.of('up')).toEqual([]);
    node.identify(1);
    await until('all are through', () => node.live('in').length === callers.length);
    await until('all know it', () => callers.every((caller) => caller.live('out').length === 1));
    expect(node.of('down')).toEqual([]);
  });
});
