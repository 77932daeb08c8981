import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ZkOperation, ZkReply } from '../../src/ports.ts';
import { type CoordinatorTwin, startCoordinatorTwin, type TwinHost } from './coordinator-twin.ts';
import { VirtualClock } from './virtual-clock.ts';

let clock: VirtualClock;
let twin: CoordinatorTwin;

beforeEach(() => {
  clock = new VirtualClock();
  twin = startCoordinatorTwin({ clock });
});
afterEach(() => twin.stop());

/** A client that writes down what it is told. */
function openClient(host: TwinHost) {
  const log: string[] = [];
  const replies = new Map<number, ZkReply>();
  const client = host.open(
    {
      connected: (session) => log.push(`connected ${session.timeoutMs}`),
      disconnected: () => log.push('disconnected'),
      ended: (reason) => log.push(`ended ${reason}`),
      reply: (request, reply) => replies.set(request, reply),
      watch: (path, kind) => log.push(`watch ${path} ${kind}`),
    },
    { lastZxid: 0n },
  );
  let next = 0;
  const ask = async (operation: ZkOperation): Promise<ZkReply> => {
    const request = next++;
    client.submit(request, operation);
    await clock.until(`a reply to ${operation.op}`, () => replies.has(request));
    return replies.get(request)!;
  };
  const connected = () => clock.until('connected', () => log.includes('connected 1000'));
  return { client, log, ask, connected };
}

const ephemeral = (path: string): ZkOperation => ({ op: 'create', path, data: '', mode: 'ephemeral' });

describe('the coordinator twin', () => {
  it('keeps a session through a cut shorter than its timeout, and its ephemerals with it', async () => {
    const host = twin.host();
    const { log, ask, connected } = openClient(host);
    await connected();
    await ask(ephemeral('/a'));
    host.cut();
    await clock.advance(700);
    host.heal();
    await clock.advance(700);
    expect(log.filter((line) => line.startsWith('ended'))).toEqual([]);
    expect(await ask({ op: 'exists', path: '/a' })).toMatchObject({ ok: true, stat: { version: 0 } });
  });

  it('ends a session that is cut for longer, and tells its watchers', async () => {
    const host = twin.host();
    const other = openClient(twin.host());
    const { log, ask, connected } = openClient(host);
    await connected();
    await other.connected();
    await ask(ephemeral('/a'));
    await other.ask({ op: 'exists', path: '/a', watch: true });
    host.cut();
    await clock.advance(1400);
    expect(other.log).toContain('watch /a deleted');
    expect(log).not.toContain('ended expired');
    host.heal();
    await clock.advance(500);
    expect(log.at(-1)).toBe('ended expired');
  });

  it('carries out a request whose answer it loses, or not if the request was lost', async () => {
    const host = twin.host();
    const { ask, connected } = openClient(host);
    await connected();
    host.dropNextReply();
    expect(await ask(ephemeral('/applied'))).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
    expect(await ask(ephemeral('/offline'))).toMatchObject({ ok: false, code: 'NOT_SENT' });
    await clock.advance(100);
    host.dropNextRequest();
    expect(await ask(ephemeral('/lost'))).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
    await clock.advance(100);
    expect(await ask({ op: 'children', path: '/' })).toMatchObject({ names: ['zookeeper', 'applied'] });
  });

  it('lets an isolated host go on pinging while its session expires', async () => {
    const host = twin.host();
    const other = openClient(twin.host());
    const { log, ask, connected } = openClient(host);
    await connected();
    await other.connected();
    await ask(ephemeral('/a'));
    host.isolate();
    await clock.advance(3000);
    expect(await other.ask({ op: 'exists', path: '/a' })).toMatchObject({ stat: null });
    expect(log).toEqual(['connected 1000']);
    host.rejoin();
    await clock.advance(500);
    expect(log.at(-1)).toBe('ended expired');
  });

  it('keeps every session while the service is down', async () => {
    const { ask, log, connected } = openClient(twin.host());
    await connected();
    await ask(ephemeral('/a'));
    twin.goDown();
    await clock.advance(10_000);
    twin.comeUp();
    await clock.advance(200);
    expect(log).toEqual(['connected 1000', 'disconnected', 'connected 1000']);
    expect(await ask({ op: 'get', path: '/a' })).toMatchObject({ ok: true, data: '' });
  });

  it('removes ephemerals at once when a client closes', async () => {
    const { client, ask, log, connected } = openClient(twin.host());
    await connected();
    await ask(ephemeral('/a'));
    const closed = client.close();
    await clock.advance(10);
    await closed;
    expect(log.at(-1)).toBe('ended closed');
    expect(twin.state.sessionIds).toEqual([]);
    expect(twin.state.nodeCount).toBe(3);
  });
});
