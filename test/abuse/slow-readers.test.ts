/** Peers that take what they are sent slowly, or not at all, or send without reading: bounded, cut off with a reason, harmless. */
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Key, type Member, toAddress, toEpoch, toIncarnation } from '../../src/core/types.ts';
import type { Logger } from '../../src/ports.ts';
import { encodeMessage } from '../../src/rpc/codec.ts';
import { Dialling } from '../../src/rpc/hello.ts';
import type { TestNode } from '../support/test-node.ts';
import { scaled, until } from '../support/wait.ts';
import { abuse, expectNormal, liveBytes, MIB, PATIENT, startAll } from './support.ts';

const SLOW_BYTES_PER_MS = 2000;

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

abuse('Slow readers', (cluster) => {
  const callers: WebSocket[] = [];
  const links: { destroy(): unknown }[] = [];
  afterEach(() => {
    for (const caller of callers.splice(0)) caller.terminate();
    for (const link of links.splice(0)) link.destroy();
  });

  /** Why connections ended, as the node's logger was told. */
  function listening() {
    const ends: string[] = [];
    const ignore = (): void => {};
    const logger: Logger = {
      debug: ignore,
      warn: ignore,
      error: ignore,
      info: (text, fields) => {
        if (text === 'a connection ended' && String(fields?.peer).startsWith('stranger'))
          ends.push(String(fields?.reason));
      },
    };
    return { ends, logger };
  }

  /** A caller that went through its hello with the leader and is taken for a member, which it is not. */
  async function admitted(leader: TestNode): Promise<WebSocket> {
    const { address, epoch, cluster: name } = leader.status;
    const to: Member = { address, incarnation: toIncarnation(BigInt(epoch)) };
    // So young that no list of members read so far proves that it is none.
    const from: Member = { address: toAddress('stranger:1'), incarnation: toIncarnation(BigInt(epoch) + (1n << 32n)) };
    const dialling = new Dialling({ cluster: name, secret: undefined }, from, to, Buffer.alloc(16, 1));
    const ws = new WebSocket(`ws://${address}/`, { perMessageDeflate: false });
    callers.push(ws);
    ws.on('error', () => {});
    await new Promise<void>((resolve) => {
      ws.once('open', () => ws.send(dialling.hello));
      ws.on('message', (data: Buffer) => {
        const step = dialling.receive(data);
        if (step.do === 'send') ws.send(step.frame);
        else resolve();
      });
    });
    ws.removeAllListeners('message');
    return ws;
  }

  const read = (leader: TestNode, id: number): Uint8Array =>
    encodeMessage({ type: 'get', epoch: toEpoch(BigInt(leader.status.epoch)), id, key: 'large' as Key });

  it('one that asks without end and reads nothing is cut off as a slow reader, and costs little memory', async () => {
    const { ends, logger } = listening();
    const nodes = await startAll(cluster(), 2, { ...PATIENT, logger });
    const leader = nodes[0] as TestNode;
    await leader.store.set('large', 'x'.repeat(MIB));
    const before = await liveBytes();
    const caller = await admitted(leader);
    caller.pause();
    let most = 0;
    for (let id = 1; ends.length === 0; id += 4000) {
      caller.send(Buffer.concat(Array.from({ length: 4000 }, (_none, index) => read(leader, id + index))));
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (id % 40_000 === 1) most = Math.max(most, (await liveBytes()) - before);
      expect(most).toBeLessThan(256 * MIB);
    }
    expect(ends).toEqual(['the peer takes what it is sent too slowly']);
    await expectNormal(nodes);
  });

  it('one that asked for much and stands still is cut off as silent', async () => {
    const { ends, logger } = listening();
    const nodes = await startAll(cluster(), 2, { ...PATIENT, logger });
    const leader = nodes[0] as TestNode;
    await leader.store.set('large', 'x'.repeat(MIB));
    const caller = await admitted(leader);
    for (let id = 1; id <= 200; id += 1) caller.send(read(leader, id));
    caller.pause();
    await until('it is cut off', () => ends.length > 0, { timeoutMs: 20_000 });
    expect(ends).toEqual(['nothing was heard of the peer']);
    await expectNormal(nodes);
  });

  it('one that reads slowly gets all that it asked for, while others are served', async () => {
    const { ends, logger } = listening();
    const nodes = await startAll(cluster(), 2, { ...PATIENT, logger });
    const leader = nodes[0] as TestNode;
    await leader.store.set('large', 'x'.repeat(MIB));
    const caller = await admitted(leader);
    const answers = 100;
    let bytes = 0;
    caller.on('message', (data: Buffer) => {
      bytes += data.length;
      caller.pause();
      setTimeout(() => caller.resume(), 20);
    });
    caller.send(Buffer.concat(Array.from({ length: answers }, (_none, index) => read(leader, index + 1))));
    while (bytes < answers * MIB) {
      await leader.set('k', `${bytes}`, { timeoutMs: scaled(10_000) });
      expect(await nodes[1]!.get('k', { timeoutMs: scaled(10_000) })).toBe(await leader.get('k'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(ends).toEqual([]);
    }
    await expectNormal(nodes);
  });

  /** A port behind which there is another one; what is sent to it passes at so many bytes a millisecond, while it is slow. */
  async function slowLink(target: number) {
    const link = { port: 0, isSlow: false };
    const server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const socket of [near, far]) {
        links.push(socket);
        socket.on('error', () => {}).once('close', () => (socket === near ? far : near).destroy());
      }
      far.pipe(near);
      near.on('data', (chunk) => {
        far.write(chunk);
        if (!link.isSlow) return;
        near.pause();
        setTimeout(() => near.resume(), chunk.length / SLOW_BYTES_PER_MS);
      });
    });
    links.push({ destroy: () => void server.close() });
    link.port = await portOf(server);
    return link;
  }

  it('Z08: a leader behind a slow link: large writes whose callers give up pile nothing up, and others go on', async () => {
    const free = createServer();
    const port = await portOf(free);
    await new Promise((resolve) => free.close(resolve));
    const link = await slowLink(port);
    const leader = await cluster().start({ ...PATIENT, listen: { port }, advertise: { port: link.port } });
    await leader.untilRole('leader');
    const follower = await cluster().start(PATIENT);
    await follower.untilRole('follower');
    const before = await liveBytes();
    link.isSlow = true;
    let most = 0;
    const writes: Promise<unknown>[] = [];
    for (let index = 0; index < 400; index += 1) {
      const value = `${index}:`.padEnd(MIB, 'x');
      writes.push(follower.store.set(`k${index}`, value, { timeoutMs: scaled(200) }).catch(() => {}));
      await new Promise((resolve) => setTimeout(resolve, scaled(10)));
      if (index % 50 === 49) most = Math.max(most, (await liveBytes()) - before);
    }
    await Promise.all(writes);
    expect(most).toBeLessThan(150 * MIB);
    await follower.set('k', 'v', { timeoutMs: scaled(20_000) });
    link.isSlow = false;
    await expectNormal([leader, follower]);
  });
});
