/** What sets an ensemble apart from one server, and what leases are made for (docs/protocol.md, Lease). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ZkOperation, ZkReply } from '../../src/ports.ts';
import { Ensemble } from './ensemble.ts';
import type { EnsemblePath } from './ensemble-path.ts';
import type { EnsembleServer } from './ensemble-server.ts';
import { SeededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

const TICK_MS = 200;
const TIMEOUT_MS = 1000;
const SYNC_LIMIT = 6;

let clock: VirtualClock;
let ensemble: Ensemble;
let ended: number[];
let happened: string[];
let lagMs: number;

beforeEach(() => {
  clock = new VirtualClock();
  ended = [];
  happened = [];
  lagMs = 0;
  const random = new SeededRandom(7);
  const listener = {
    done: ({ path }: { path: string }) => void happened.push(path),
    ended: () => void ended.push(clock.now()),
  };
  const applyDelayMs = (): number => lagMs;
  ensemble = new Ensemble(
    { clock, random, servers: 3, tickTimeMs: TICK_MS, syncLimit: SYNC_LIMIT, rate: () => 1, applyDelayMs },
    listener,
  );
});

const follower = (): EnsembleServer => ensemble.servers.find((server) => server !== ensemble.leader)!;

/** A client at this server, which writes down what it is told. */
async function connect(server: EnsembleServer) {
  const log: string[] = [];
  const replies = new Map<number, ZkReply>();
  const path: EnsemblePath = ensemble.path({
    sessionTimeoutMs: TIMEOUT_MS,
    latencyMs: () => 1,
    clock,
    networkClock: clock,
    fraction: () => ensemble.servers.indexOf(server) / ensemble.servers.length,
  });
  const client = path.open(
    {
      connected: () => log.push('connected'),
      disconnected: () => log.push(`disconnected ${clock.now()}`),
      ended: (reason) => log.push(`ended ${reason}`),
      reply: (request, reply) => replies.set(request, reply),
      watch: (path, kind) => log.push(`watch ${path} ${kind}`),
    },
    { lastZxid: 0n },
  );
  let next = 0;
  const submit = (operation: ZkOperation): number => {
    client.submit(++next, operation);
    return next;
  };
  const ask = async (operation: ZkOperation): Promise<ZkReply> => {
    const request = submit(operation);
    await clock.until(`a reply to ${operation.op}`, () => replies.has(request));
    return replies.get(request)!;
  };
  await clock.until('connected', () => log.includes('connected'));
  const lostAt = (): number | undefined => {
    const line = log.find((each) => each.startsWith('disconnected'));
    return line === undefined ? undefined : Number(line.split(' ')[1]);
  };
  return { client, path, log, replies, submit, ask, lostAt };
}

const ephemeral = (path: string): ZkOperation => ({ op: 'create', path, data: '', mode: 'ephemeral' });
const persistent = (path: string): ZkOperation => ({ op: 'create', path, data: '', mode: 'persistent' });

describe('the simulated ensemble', () => {
  it('a server that is cut off answers pings while the others end the session', async () => {
    const server = follower();
    const { ask, lostAt } = await connect(server);
    await ask(ephemeral('/a'));
    const cutAt = clock.now();
    ensemble.isolate(server, false);
    await clock.until('the session is over', () => ended.length > 0, 2 * TIMEOUT_MS);
    expect(lostAt()).toBeUndefined();
    await clock.until('the server gives up', () => lostAt() !== undefined, SYNC_LIMIT * TICK_MS + 2 * TICK_MS);
    expect(lostAt()! - cutAt).toBeGreaterThan(SYNC_LIMIT * TICK_MS - TICK_MS);
  });

  it('a change that a server passes on does not prove the session: what it has heard of does, with the next ping', async () => {
    const server = follower();
    const { ask, path } = await connect(server);
    await ask(ephemeral('/a'));
    path.cut();
    const silentSince = clock.now();
    await clock.until('the session is over', () => ended.length > 0, 2 * TIMEOUT_MS);
    expect(ended[0]! - silentSince).toBeGreaterThanOrEqual(TIMEOUT_MS - TICK_MS / 2 - 20);
    expect(ended[0]! - silentSince).toBeLessThanOrEqual(TIMEOUT_MS + 2 * TICK_MS);
  });

  it('with a new leader server every session has its whole timeout again', async () => {
    const { ask, path } = await connect(ensemble.leader!);
    await ask(ephemeral('/a'));
    path.cut();
    await clock.advance(TIMEOUT_MS * 0.8);
    ensemble.crash(ensemble.leader!);
    await clock.until('another server leads', () => ensemble.reigns === 2);
    const begun = clock.now();
    await clock.until('the session is over', () => ended.length > 0, 3 * TIMEOUT_MS);
    expect(ended[0]! - begun).toBeGreaterThanOrEqual(TIMEOUT_MS);
  });

  it('a list may lag behind, but never behind what the session itself has seen', async () => {
    const [here, there] = [await connect(ensemble.leader!), await connect(follower())];
    lagMs = 300;
    await here.ask(persistent('/a'));
    expect(await there.ask({ op: 'exists', path: '/a' })).toMatchObject({ ok: true, stat: null });
    await there.ask(persistent('/b'));
    expect(await there.ask({ op: 'exists', path: '/a' })).toMatchObject({ ok: true, stat: { version: 0 } });
  });

  it('a watch comes late, before the answer of anything newer', async () => {
    const [here, there] = [await connect(ensemble.leader!), await connect(follower())];
    await there.ask({ op: 'exists', path: '/a', watch: true });
    lagMs = 300;
    here.submit(persistent('/a'));
    await clock.until('it has happened', () => happened.includes('/a'));
    await clock.advance(100);
    expect(there.log).not.toContain('watch /a created');
    await there.ask(persistent('/b'));
    expect(there.log).toContain('watch /a created');
  });

  it('a change whose answer is lost has happened; one that is lost itself has not', async () => {
    const { ask, path, log } = await connect(follower());
    path.loseNext('reply');
    expect(await ask(persistent('/a'))).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
    await clock.until('reconnected', () => log.filter((line) => line === 'connected').length === 2);
    path.loseNext('request');
    expect(await ask(persistent('/b'))).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
    await clock.until('reconnected', () => log.filter((line) => line === 'connected').length === 3);
    expect(await ask({ op: 'exists', path: '/a' })).toMatchObject({ stat: { version: 0 } });
    expect(await ask({ op: 'exists', path: '/b' })).toMatchObject({ stat: null });
  });

  it('a leader server without a majority commits nothing, and the others go on without it', async () => {
    const leader = ensemble.leader!;
    const [old, other] = [await connect(leader), await connect(follower())];
    ensemble.isolate(leader, true);
    const request = old.submit(persistent('/a'));
    await clock.until('another server leads', () => ensemble.reigns === 2);
    await clock.until('reconnected', () => other.log.filter((line) => line === 'connected').length === 2);
    expect(await other.ask({ op: 'exists', path: '/a' })).toMatchObject({ stat: null });
    ensemble.rejoin(leader);
    await clock.until('an answer', () => old.replies.has(request), 5000);
    expect(old.replies.get(request)).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
  });
});
