/** The public face over a node that is a map (contract: Library, Errors): arguments, encodings, batches, life cycle. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { StoreParts } from '../../src/compose.ts';
import { type ZiStoreBatchError, ZiStoreError } from '../../src/errors.ts';
import type { OpenNode } from '../../src/node.ts';
import type { ZiStoreOptions } from '../../src/options.ts';
import type { Logger, OpenZooKeeper } from '../../src/ports.ts';
import { openStore, ZiStore } from '../../src/store.ts';
import { FakeNode, FakeTransport } from '../support/fake-node.ts';
import { until } from '../support/wait.ts';

const ZOOKEEPER = '127.0.0.1:2181';
const noZooKeeper: OpenZooKeeper = () => {
  throw new Error('not in this test');
};

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

function composition(parts: StoreParts = {}) {
  const node = new FakeNode();
  const transport = new FakeTransport();
  const openNode: OpenNode = async (options, nodeParts) => {
    Object.assign(node, { options, parts: nodeParts });
    return node;
  };
  return { node, transport, parts: { transport, openZooKeeper: noZooKeeper, openNode, ...parts } };
}

async function open<V = string, In = V>(options: Partial<ZiStoreOptions> = {}, given: StoreParts = {}) {
  const { node, transport, parts } = composition(given);
  const store = await openStore<V, In>({ zookeeper: ZOOKEEPER, ...options }, parts);
  opened.push(store);
  return { store, node, transport };
}

const failure = async (promise: Promise<unknown>): Promise<ZiStoreError> => {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ZiStoreError);
  return error as ZiStoreError;
};

const coded = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message && { message: expect.stringMatching(message) }) });

describe('reading and writing', () => {
  it('goes to the node with canonical keys, and comes back as given', async () => {
    const { store, node } = await open();
    await store.set('a', '1');
    await store.set(7, 'seven');
    expect([...node.data]).toEqual([
      ['a', '1'],
      ['7', 'seven'],
    ]);
    expect(await store.get(Buffer.from('a'))).toBe('1');
    expect(await store.get('7')).toBe('seven');
    expect(store.peek(7)).toBe('seven');
    expect([await store.has('a'), await store.has('b'), await store.get('b'), store.peek('b')]).toEqual([
      true,
      false,
      undefined,
      undefined,
    ]);
    expect([await store.delete('a'), await store.delete('a')]).toEqual([true, false]);
  });

  it('takes an empty text and a JSON null for values, not for absence', async () => {
    const { store } = await open();
    await store.set('empty', '');
    expect([await store.get('empty'), await store.has('empty'), store.peek('empty')]).toEqual(['', true, '']);
    const { store: json } = await open<unknown>({ valueEncoding: 'json' });
    await json.set('null', null);
    expect([await json.get('null'), await json.has('null')]).toEqual([null, true]);
  });

  it('never lets a caller change what is cached, through get, peek, getMany or set', async () => {
    const { store } = await open<Buffer, Uint8Array>({ valueEncoding: 'buffer' });
    const given = Buffer.from('before');
    await store.set('k', given);
    given.fill('x');
    (await store.get('k'))?.fill('x');
    store.peek('k')?.fill('x');
    (await store.getMany(['k'])).get('k')?.fill('x');
    expect(String(await store.get('k'))).toBe('before');
  });

  it('passes signal and timeout on', async () => {
    const { store, node } = await open();
    const call = { signal: new AbortController().signal, timeoutMs: 5 };
    await store.get('k', call);
    await store.set('k', 'v', call);
    await store.delete('k', call);
    await store.has('k', call);
    expect(node.calls.map(({ options }) => options)).toEqual([call, call, call, call]);
  });

  it('passes on what the node fails with, as it is', async () => {
    const { store, node } = await open();
    const lost = new ZiStoreError('ZISTORE_OUTCOME_UNKNOWN', 'gone', { outcome: 'unknown' });
    node.before = () => {
      throw lost;
    };
    expect(await failure(store.set('k', 'v'))).toBe(lost);
    expect(await failure(store.get('k'))).toBe(lost);
  });
});

/** Checked by the compiler alone, never run: what is written and read follows from valueEncoding. */
async function types(): Promise<void> {
  const zookeeper = ZOOKEEPER;
  const text: ZiStore<string> = await ZiStore.open({ zookeeper });
  await text.set('k', 'v');
  // @ts-expect-error: values are text
  await text.set('k', Buffer.from('v'));
  const bytes = await ZiStore.open({ zookeeper, valueEncoding: 'buffer' });
  await bytes.set('k', new Uint8Array(1));
  const read: Buffer | undefined = await bytes.get('k');
  const users: ZiStore<{ name: string }> = await ZiStore.open<{ name: string }>({ zookeeper, valueEncoding: 'json' });
  const names: Map<string, { name: string } | undefined> = await users.getMany(['a', 'b']);
  const anything: ZiStore<unknown> = await ZiStore.open({ zookeeper } as ZiStoreOptions);
  // @ts-expect-error: no such event
  anything.on('leaders', () => {});
  anything.on('role', (role: string, previous: string) => [read, names, role, previous]);
}

it('has types that follow valueEncoding', () => expect(types).toBeInstanceOf(Function));

type Invoke = (store: ZiStore) => Promise<unknown>;
const WRONG_CALLS: [what: string, why: RegExp, wrong: unknown][] = [
  ['options', /expected an object/, 5],
  ['options', /unknown option "timeout"; did you mean 'timeoutMs'/, { timeout: 5 }],
  ['options.signal', /expected an AbortSignal/, { signal: {} }],
  ['options.signal', /expected an AbortSignal/, { signal: null }],
  ['options.timeoutMs', /more than 0/, { timeoutMs: 0 }],
  ['options.timeoutMs', /more than 0/, { timeoutMs: -1 }],
  ['options.timeoutMs', /got "5"/, { timeoutMs: '5' }],
  ['options.timeoutMs', /got NaN/, { timeoutMs: Number.NaN }],
  ['options.timeoutMs', /leave it out to wait without limit/, { timeoutMs: Number.POSITIVE_INFINITY }],
];

describe('a wrong argument rejects, is never thrown, and reaches no node', () => {
  const wrong = (value: unknown) => value as never;
  const reads: [string, RegExp, Invoke][] = [
    ['get: key', /^key: /, (s) => s.get(wrong(undefined))],
    ['has: key', /^key: /, (s) => s.has('')],
    ['getMany: keys', /^keys: expected an array/, (s) => s.getMany(wrong(5))],
    ['getMany: keys', /^keys: expected an array/, (s) => s.getMany(wrong('text'))],
    ['getMany: keys', /^keys: iterating/, (s) => s.getMany(failing())],
    ...WRONG_CALLS.flatMap(([what, why, options]): [string, RegExp, Invoke][] => [
      [`get: ${what}`, why, (s) => s.get('k', wrong(options))],
      [`has: ${what}`, why, (s) => s.has('k', wrong(options))],
      [`getMany: ${what}`, why, (s) => s.getMany(['k'], wrong(options))],
      [`inspect: ${what}`, why, (s) => s.inspect(wrong(options))],
    ]),
  ];
  const writes: [string, RegExp, Invoke][] = [
    ['set: key', /^key: /, (s) => s.set(wrong(null), 'v')],
    ['set: value', /^value: /, (s) => s.set('k', wrong(5))],
    ['set: no value', /^value: .*undefined/, (s) => s.set('k', wrong(undefined))],
    ['delete: key', /^key: /, (s) => s.delete(1.5)],
    ['setMany: entries', /^entries: expected an array/, (s) => s.setMany(wrong({ a: 1 }))],
    ['setMany: entries', /^entries: expected pairs/, (s) => s.setMany(wrong(['ab']))],
    ['setMany: entries', /^entries: expected pairs/, (s) => s.setMany(wrong([['k']]))],
    ...WRONG_CALLS.flatMap(([what, why, options]): [string, RegExp, Invoke][] => [
      [`set: ${what}`, why, (s) => s.set('k', 'v', wrong(options))],
      [`delete: ${what}`, why, (s) => s.delete('k', wrong(options))],
      [`setMany: ${what}`, why, (s) => s.setMany([['k', 'v']], wrong(options))],
    ]),
  ];

  it.each(reads)('%s %p', async (_what, why, invoke) => {
    const { store, node } = await open();
    const error = await failure(invoke(store));
    expect(error).toEqual(coded('ZISTORE_INVALID_ARGUMENT', why));
    expect(error.outcome).toBeUndefined();
    expect(node.calls).toEqual([]);
  });

  it.each(writes)('%s %p: nothing was written, and it says so (Z08)', async (_what, why, invoke) => {
    const { store, node } = await open();
    const error = await failure(invoke(store));
    expect(error).toEqual(coded('ZISTORE_INVALID_ARGUMENT', why));
    expect(error.outcome).toBe('notApplied');
    expect(node.calls).toEqual([]);
  });

  it('peek alone throws', async () => {
    const { store } = await open();
    expect(() => store.peek('')).toThrow(coded('ZISTORE_INVALID_ARGUMENT', /^key: /));
  });

  it('limits are those of the options', async () => {
    const { store } = await open({ maxKeyBytes: 3, maxValueBytes: 3 });
    await store.set('abc', 'abc');
    for (const write of [store.set('abcd', 'v'), store.set('k', 'abcd'), store.delete('abcd')]) {
      const error = await failure(write);
      expect([error.code, error.outcome]).toEqual(['ZISTORE_LIMIT_EXCEEDED', 'notApplied']);
    }
    expect((await failure(store.get('abcd'))).code).toBe('ZISTORE_LIMIT_EXCEEDED');
  });
});

function failing(): Iterable<string> {
  return {
    [Symbol.iterator]: () => {
      throw new Error('cursor closed');
    },
  };
}

const batchFailure = async (promise: Promise<unknown>) => (await failure(promise)) as ZiStoreBatchError;

describe('getMany and setMany: independent per key', () => {
  it('reads every key as it was given, in that order, undefined where there is no value', async () => {
    const { store, node } = await open();
    await store.setMany(new Map([['a', '1']]).set('b', '2'));
    const bytes = Buffer.from('b');
    node.before = ({ key }) =>
      key === 'a' ? until('the last one to be asked for', () => node.calls.length === 5).then() : undefined;
    const result = await store.getMany(['a', bytes, 7, 'a']);
    expect([...result]).toEqual([
      ['a', '1'],
      [bytes, '2'],
      [7, undefined],
    ]);
    expect((await store.getMany([])).size).toBe(0);
  }, 20_000);

  it('of several entries for one key, however it is written, the last wins and is the only one written', async () => {
    const { store, node } = await open();
    await store.setMany<string | Buffer | number>([
      ['1', 'first'],
      ['b', 'b'],
      [1, 'second'],
      [Buffer.from('1'), 'third'],
    ]);
    expect(await store.get('1')).toBe('third');
    expect(node.calls.filter(({ operation }) => operation === 'write')).toHaveLength(2);
  });

  it('tells every error by its key, with its outcome, and does the rest (Z08)', async () => {
    const { store, node } = await open();
    const unknown = new ZiStoreError('ZISTORE_OUTCOME_UNKNOWN', 'gone', { outcome: 'unknown' });
    node.before = ({ key }) => {
      if (key === 'lost') throw unknown;
    };
    const error = await batchFailure(
      store.setMany<string>([
        ['a', '1'],
        ['lost', '2'],
        ['', '3'],
        ['bad', 5 as never],
        ['b', '4'],
      ]),
    );
    expect([...error.errors.keys()]).toEqual(['lost', '', 'bad']);
    expect([...error.errors.values()].map(({ outcome }) => outcome)).toEqual(['unknown', 'notApplied', 'notApplied']);
    expect([...error.results]).toEqual([
      ['a', true],
      ['b', true],
    ]);
    expect([error.code, error.outcome]).toEqual(['ZISTORE_OUTCOME_UNKNOWN', 'unknown']);
    expect([...node.data.keys()]).toEqual(['a', 'b']);
    const readError = await batchFailure(store.getMany(['a', 'lost', '']));
    expect([...readError.errors.keys()]).toEqual(['lost', '']);
    expect([...readError.results]).toEqual([['a', '1']]);
  });

  it('keeps few in flight: never more than maxPending, and all are done in the end', async () => {
    const { store, node } = await open({ maxPending: 3 });
    let [inFlight, most] = [0, 0];
    node.before = async () => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight--;
    };
    await store.setMany(Array.from({ length: 50 }, (_, i) => [i, `${i}`]));
    expect(most).toBe(3);
    expect((await store.getMany(Array.from({ length: 50 }, (_, i) => i))).get(49)).toBe('49');
    expect(most).toBe(3);
  });

  it('has one timeout for all keys together', async () => {
    let now = 1000;
    const clock = { now: () => now, setTimer: () => () => {} };
    const { store, node } = await open({ maxPending: 1 }, { clock });
    node.before = () => {
      now += 40;
    };
    await store.getMany(['a', 'b', 'c', 'd'], { timeoutMs: 100 });
    expect(node.calls.map(({ options }) => options.timeoutMs)).toEqual([100, 60, 20, 1]);
  });
});

describe('opening', () => {
  it('gives the driver validated options, the agreement, and the parts', async () => {
    const wrapped = new FakeTransport();
    const { node, transport } = await open(
      { cluster: 'demo', secret: 'a secret of some length' },
      { wrapTransport: (inner) => Object.assign(wrapped, { inner }) },
    );
    expect(node.options).toMatchObject({
      cluster: 'demo',
      maxPending: 10_000,
      agreement: { transport: 'plain', secretCheck: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(node.parts?.transport).toBe(wrapped);
    expect(wrapped).toMatchObject({ inner: transport });
  });

  it('warns of a node that listens beyond its machine without tls or a secret', async () => {
    const warnings: unknown[] = [];
    const ignore = () => {};
    const logger: Logger = { debug: ignore, info: ignore, warn: (message) => warnings.push(message), error: ignore };
    const exposed = { logger, listen: { host: '0.0.0.0' }, advertise: { host: 'node1' } };
    await open({ logger });
    await open({ ...exposed, secret: 'a secret of some length' });
    expect(warnings).toEqual([]);
    await open(exposed);
    expect(warnings).toEqual([expect.stringMatching(/not authenticated/)]);
  });

  it('that fails closes what was made for it, and passes the reason on', async () => {
    const refused = new ZiStoreError('ZISTORE_INCOMPATIBLE', 'another wire version');
    const { transport, parts } = composition({ openNode: () => Promise.reject(refused) });
    expect(await failure(openStore({ zookeeper: ZOOKEEPER }, parts))).toBe(refused);
    expect(transport.closes).toBe(1);
  });

  it('rejects for wrong options and for a wrong or aborted signal, before anything is made', async () => {
    const { node, parts } = composition();
    const options = { zookeeper: ZOOKEEPER };
    expect(await failure(openStore({} as never, parts))).toEqual(coded('ZISTORE_INVALID_ARGUMENT', /^zookeeper/));
    expect(await failure(ZiStore.open({} as never))).toEqual(coded('ZISTORE_INVALID_ARGUMENT', /^zookeeper/));
    for (const call of [5, { signal: 5 }, { sigal: undefined }]) {
      expect(await failure(openStore(options, parts, call as never))).toEqual(
        coded('ZISTORE_INVALID_ARGUMENT', /^options/),
      );
    }
    const error = await failure(openStore(options, parts, { signal: AbortSignal.abort('enough') }));
    expect(error).toEqual(coded('ZISTORE_ABORTED'));
    expect(error.cause).toBe('enough');
    expect(node.options).toBeUndefined();
  });

  it('hands its signal to the driver', async () => {
    const { signal } = new AbortController();
    let seen: unknown;
    const { parts } = composition();
    const openNode: OpenNode = async (options, nodeParts, call) => {
      seen = call?.signal;
      return parts.openNode(options, nodeParts);
    };
    opened.push(await openStore({ zookeeper: ZOOKEEPER }, { ...parts, openNode }, { signal }));
    expect(seen).toBe(signal);
  });
});

describe('closing', () => {
  it('is idempotent, closes node and transport once, and returns the same promise', async () => {
    const { store, node, transport } = await open();
    const first = store.close();
    expect(store.close()).toBe(first);
    expect(store[Symbol.asyncDispose]()).toBe(first);
    await first;
    expect([node.closes, transport.closes]).toEqual([1, 1]);
  });

  it('closes the transport also when the node fails to close', async () => {
    const { store, node, transport } = await open();
    opened.length = 0;
    node.close = () => Promise.reject(new Error('stuck'));
    await expect(store.close()).rejects.toThrow('stuck');
    expect(transport.closes).toBe(1);
  });

  it('ends with `await using`', async () => {
    const { store, node } = await open();
    {
      await using mine = store;
      await mine.get('k');
    }
    expect(node.closes).toBe(1);
  });

  it('refuses everything from its start with ZISTORE_CLOSED, but for status', async () => {
    const { store, node } = await open();
    const closing = store.close();
    for (const read of [store.get('k'), store.has('k'), store.getMany(['k']), store.inspect()]) {
      expect((await failure(read)).code).toBe('ZISTORE_CLOSED');
    }
    for (const write of [store.set('k', 'v'), store.delete('k'), store.setMany([['k', 'v']]), store.setMany([])]) {
      const error = await failure(write);
      expect([error.code, error.outcome]).toEqual(['ZISTORE_CLOSED', 'notApplied']);
    }
    expect(() => store.peek('k')).toThrow(coded('ZISTORE_CLOSED'));
    await closing;
    expect(store.status().role).toBe('closed');
    expect(node.calls).toEqual([]);
  });
});

describe('events', () => {
  const recorder = () => {
    const errors: unknown[] = [];
    const ignore = () => {};
    const logger: Logger = {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (_message, fields) => errors.push(fields),
    };
    return { errors, logger };
  };

  it('reach listeners until they are removed; once, one time; the last one says closed', async () => {
    const { store, node } = await open();
    const seen: unknown[] = [];
    const listener = (...args: unknown[]) => seen.push(args);
    const other = (...args: unknown[]) => seen.push(['once', ...args]);
    expect(store.on('role', listener).once('role', other)).toBe(store);
    node.emit('role', 'leader', 'follower');
    node.emit('role', 'follower', 'leader');
    store.off('role', listener).off('role', listener);
    node.emit('role', 'suspended', 'follower');
    store.on('role', listener);
    await store.close();
    expect(seen).toEqual([
      ['leader', 'follower'],
      ['once', 'leader', 'follower'],
      ['follower', 'leader'],
      ['closed', 'leader'],
    ]);
  });

  it.each(['leader', 'suspended', 'lost', 'rejoined'] as const)('%s is one of them', async (event) => {
    const { store, node } = await open();
    const seen: unknown[] = [];
    store.on(event, (...args: unknown[]) => seen.push(args));
    node.emit(event, ...([] as never));
    expect(seen).toHaveLength(1);
  });

  it('whose listeners throw or reject harm neither the node nor other listeners, and are logged', async () => {
    const { errors, logger } = recorder();
    const { store, node } = await open({ logger });
    const seen: string[] = [];
    store.on('lost', () => {
      throw new Error('thrown');
    });
    store.on('lost', () => Promise.reject(new Error('rejected')));
    store.on('lost', () => seen.push('second'));
    expect(() => node.emit('lost')).not.toThrow();
    expect(seen).toEqual(['second']);
    await until('both failures to be logged', () => errors.length === 2);
    expect(errors).toEqual([
      { event: 'lost', error: new Error('thrown') },
      { event: 'lost', error: new Error('rejected') },
    ]);
  });

  it('that do not exist, and listeners that are none, are refused: they would never be called', async () => {
    const { store } = await open();
    expect(() => store.on('leaders' as never, () => {})).toThrow(
      coded('ZISTORE_INVALID_ARGUMENT', /^event: .*role, leader/),
    );
    expect(() => store.once('role', undefined as never)).toThrow(coded('ZISTORE_INVALID_ARGUMENT', /^listener: /));
    expect(() => store.off('' as never, () => {})).toThrow(coded('ZISTORE_INVALID_ARGUMENT'));
  });
});
