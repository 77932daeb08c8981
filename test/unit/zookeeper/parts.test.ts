/** The small parts of the client on their own: order of replies, isolation of handlers, validation, the library check. */
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { realClock } from '../../../src/clock.ts';
import type { ZkOperation, ZkReply, ZooKeeperHandler } from '../../../src/ports.ts';
import { openZooKeeperWith } from '../../../src/zookeeper/client.ts';
import { Delivery } from '../../../src/zookeeper/delivery.ts';
import { checkLibrary, type Jute, type LibraryClient, loadLibrary } from '../../../src/zookeeper/library.ts';
import { OpenRequests } from '../../../src/zookeeper/requests.ts';
import { LONGEST_REQUEST, MOST_STEPS, operationProblem } from '../../../src/zookeeper/validation.ts';
import { recordingLogger } from '../../support/recorded-client.ts';
import { until } from '../../support/wait.ts';

const ok: ZkReply = { ok: true, zxid: 1n };
const lost: ZkReply = { ok: false, code: 'CONNECTION_LOSS', message: '' };

describe('OpenRequests', () => {
  it('answers in the order of submission, each once', () => {
    const seen: [number, ZkReply][] = [];
    const requests = new OpenRequests((request, reply) => seen.push([request, reply]));
    const [a, b, c] = [10, 11, 12].map((request) => requests.open(request, 0)) as [number, number, number];
    requests.settle(b, ok);
    expect(seen).toEqual([]);
    requests.settle(a, ok);
    requests.settle(b, lost);
    requests.settleAll(lost);
    requests.settle(c, ok);
    expect(seen).toEqual([
      [10, ok],
      [11, ok],
      [12, lost],
    ]);
    expect(requests.size).toBe(0);
  });

  it('tells requests apart that the caller gave the same number', () => {
    const seen: ZkReply[] = [];
    const requests = new OpenRequests((_, reply) => seen.push(reply));
    requests.settle(requests.open(1, 0), ok);
    requests.settle(requests.open(1, 0), lost);
    expect(seen).toEqual([ok, lost]);
  });
});

describe('Delivery', () => {
  function recorded(calls: string[], throwing = false): ZooKeeperHandler {
    const call = (name: string) => () => {
      calls.push(name);
      if (throwing) throw new Error('the handler is broken');
    };
    const [connected, disconnected, reply] = [call('connected'), call('disconnected'), call('reply')];
    return { connected, disconnected, reply, watch: call('watch'), ended: call('ended') };
  }

  it('never calls from within a call, and says the end last, and no more after it', async () => {
    const calls: string[] = [];
    const delivery = new Delivery(recorded(calls), recordingLogger());
    let done = false;
    delivery.push((handler) => {
      handler.disconnected();
      delivery.push(() => calls.push('meanwhile'));
    });
    delivery.finish('closed', () => {
      done = true;
    });
    delivery.push((handler) => handler.reply(1, ok));
    expect(calls).toEqual([]);
    await until('the end', () => done);
    delivery.push((handler) => handler.reply(2, ok));
    await new Promise(setImmediate);
    expect(calls).toEqual(['disconnected', 'reply', 'meanwhile', 'ended']);
  });

  it('goes on when a handler throws, and logs it (pitfall 12)', async () => {
    const calls: string[] = [];
    const logger = recordingLogger();
    const delivery = new Delivery(recorded(calls, true), logger);
    for (let i = 0; i < 3; i += 1) delivery.push((handler) => handler.disconnected());
    delivery.finish('expired', () => {});
    await until('the end', () => calls.includes('ended'));
    expect(calls).toHaveLength(4);
    expect(logger.lines).toHaveLength(4);
  });
});

describe('operationProblem', () => {
  const create = (path: string, data = ''): ZkOperation => ({ op: 'create', path, data, mode: 'persistent' });

  it.each<[string, ZkOperation]>([
    ['no leading slash', create('a')],
    ['empty path', create('')],
    ['trailing slash', create('/a/')],
    ['empty name', create('/a//b')],
    ['relative name', create('/a/../b')],
    ['control character', create('/a\u0001')],
    ['unpaired surrogate in a path', create('/\ud800')],
    ['unpaired surrogate in data', create('/a', '\udc00')],
    ['no path at all', { op: 'get' } as unknown as ZkOperation],
    ['no data (pitfall 12)', { op: 'set', path: '/a', data: null } as unknown as ZkOperation],
    ['unknown mode', { ...create('/a'), mode: 'container' } as unknown as ZkOperation],
    ['unknown operation', { op: 'sync', path: '/a' } as unknown as ZkOperation],
    ['a fraction as version', { op: 'delete', path: '/a', version: 0.5 }],
    ['a version of 33 bits', { op: 'delete', path: '/a', version: 2 ** 31 }],
    ['a negative version', { op: 'delete', path: '/a', version: -2 }],
    ['data over 1 MB (pitfall 12)', create('/a', 'x'.repeat(LONGEST_REQUEST))],
    ['data over 1 MB in bytes', create('/a', 'é'.repeat(LONGEST_REQUEST / 2))],
    ['an empty multi', { op: 'multi', steps: [] }],
    ['a read in a multi', { op: 'multi', steps: [{ op: 'get', path: '/a' } as never] }],
    ['too many steps', { op: 'multi', steps: Array(MOST_STEPS + 1).fill({ op: 'check', path: '/a' }) }],
    ['steps over 1 MB together', { op: 'multi', steps: Array(3).fill({ ...create('/a', 'x'.repeat(400_000)) }) }],
  ])('refuses %s', (_, operation) => {
    expect(operationProblem(operation)).toBeDefined();
  });

  it('names the step of a multi', () => {
    const steps = [
      { op: 'check', path: '/a' },
      { op: 'check', path: 'b' },
    ] as const;
    expect(operationProblem({ op: 'multi', steps })).toMatchObject({ step: 1 });
  });

  it.each<ZkOperation>([
    create('/'),
    create('/a', 'x'.repeat(LONGEST_REQUEST - 2)),
    create('/ä/😀', '😀'),
    { op: 'delete', path: '/a', version: 0 },
    { op: 'multi', steps: [{ op: 'check', path: '/a', version: -1 }] },
  ])('takes what ZooKeeper takes (%#)', (operation) => {
    expect(operationProblem(operation)).toBeUndefined();
  });
});

describe('the library check', () => {
  it('takes the installed library', () => {
    expect(() => loadLibrary()).not.toThrow();
  });

  it('refuses another version and missing members, naming them', () => {
    const { library, jute } = loadLibrary();
    const client = () => library.createClient('localhost', { sessionTimeout: 1000, retries: 0 });
    const incompatible = expect.objectContaining({ code: 'ZISTORE_INCOMPATIBLE' });
    expect(() => checkLibrary('1.1.4', client(), jute)).toThrow(incompatible);
    const changed = client();
    Object.assign(changed.connectionManager, { onSocketData: undefined });
    expect(() => checkLibrary('1.1.3', changed, jute)).toThrow(/onSocketData/);
    expect(() => checkLibrary('1.1.3', {} as LibraryClient, {} as Jute)).toThrow(incompatible);
  });

  it('leaves the library as it is for others', () => {
    const prototype = createRequire(import.meta.url)('node-zookeeper-client/lib/ConnectionManager').prototype;
    const before = { ...prototype };
    const logger = recordingLogger();
    const handler = { connected() {}, disconnected() {}, reply() {}, watch() {}, ended() {} };
    const zooKeeper = openZooKeeperWith({
      connectString: '127.0.0.1:1',
      sessionTimeoutMs: 1000,
      logger,
      clock: realClock,
    });
    void zooKeeper(handler, { lastZxid: 0n }).close();
    expect({ ...prototype }).toEqual(before);
  });
});

describe('openZooKeeperWith', () => {
  const good = { connectString: 'zk', sessionTimeoutMs: 1000, logger: recordingLogger(), clock: realClock };

  it.each([
    { connectString: '' },
    { sessionTimeoutMs: 0 },
    { sessionTimeoutMs: 1.5 },
    { sessionTimeoutMs: Number.NaN },
    { sessionTimeoutMs: 2 ** 31 },
    { auth: { scheme: '', auth: 'a:b' } },
    { auth: { scheme: 'digest' } as never },
  ])('refuses %j', (wrong) => {
    const invalid = expect.objectContaining({ code: 'ZISTORE_INVALID_ARGUMENT' });
    expect(() => openZooKeeperWith({ ...good, ...wrong })).toThrow(invalid);
  });
});
