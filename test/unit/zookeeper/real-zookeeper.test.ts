/** The client against a real ZooKeeper: what it answers, and what it does when paths and servers fail. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ZkOperation } from '../../../src/ports.ts';
import { describeZooKeeper } from '../../support/describe-zookeeper.ts';
import { scaled, until } from '../../support/wait.ts';
import { sharedZooKeeper, startZooKeeper } from '../../support/zookeeper.ts';
import { afterTest, open } from './harness.ts';
import { TcpPath } from './tcp-path.ts';

const T = Math.round(scaled(1000));
const create = (path: string, mode: 'persistent' | 'ephemeral' | 'ephemeralSequential' = 'persistent', data = '') =>
  ({ op: 'create', path, mode, data }) as const;

describeZooKeeper('the client on a real ZooKeeper', () => {
  let server: Awaited<ReturnType<typeof sharedZooKeeper>>;
  let lastRoot = 0;

  beforeAll(async () => {
    server = await sharedZooKeeper();
  });
  afterAll(() => server.stop());

  /** A connected client below a chroot of this test's own, which it has created. */
  async function connected(options: Parameters<typeof open>[1] = {}, at = server.connectString) {
    lastRoot += 1;
    const root = `/client-test-${process.pid}-${lastRoot}`;
    const client = open(`${at}${root}`, { sessionTimeoutMs: 4 * T, ...options });
    await client.untilConnected();
    await client.done(create('/'));
    return Object.assign(client, { root });
  }

  it('creates, reads, changes and deletes znodes, with the zxid of each', async () => {
    const client = await connected();
    const { id } = client.sessions[0]!;
    const made = await client.done(create('/a', 'ephemeral', 'é😀'));
    expect(made.path).toBe('/a');
    const owner = { czxid: made.zxid, mzxid: made.zxid, pzxid: made.zxid, version: 0, ephemeralOwner: id };
    expect(await client.done({ op: 'get', path: '/a' })).toMatchObject({ data: 'é😀', stat: owner });
    const set = await client.done({ op: 'set', path: '/a', data: '', version: 0 });
    const exists = await client.done({ op: 'exists', path: '/a' });
    expect(exists.stat).toEqual({ ...owner, mzxid: set.zxid, version: 1 });
    expect(exists.zxid).toBeGreaterThanOrEqual(set.zxid);
    expect(await client.done({ op: 'get', path: '/a' })).toMatchObject({ data: '' });
    const children = await client.done({ op: 'children', path: '/' });
    expect(children).toMatchObject({ names: ['a'], stat: { pzxid: made.zxid, ephemeralOwner: '0'.repeat(16) } });
    const gone = await client.done({ op: 'delete', path: '/a' });
    expect(gone.zxid).toBeGreaterThan(set.zxid);
    expect(client.client.lastZxid).toBe(gone.zxid);
    expect(await client.done({ op: 'exists', path: '/a' })).toMatchObject({ stat: null });
  });

  it('gives each refusal its code', async () => {
    const client = await connected();
    await client.done(create('/a'));
    await client.done(create('/a/b'));
    const refusals: [ZkOperation, string][] = [
      [create('/a'), 'NODE_EXISTS'],
      [create('/x/y'), 'NO_NODE'],
      [{ op: 'get', path: '/x' }, 'NO_NODE'],
      [{ op: 'children', path: '/x' }, 'NO_NODE'],
      [{ op: 'set', path: '/x', data: '' }, 'NO_NODE'],
      [{ op: 'delete', path: '/x' }, 'NO_NODE'],
      [{ op: 'delete', path: '/a' }, 'NOT_EMPTY'],
      [{ op: 'delete', path: '/a/b', version: 5 }, 'BAD_VERSION'],
      [{ op: 'set', path: '/a', data: '', version: 1 }, 'BAD_VERSION'],
      [create('a'), 'BAD_ARGUMENTS'],
    ];
    for (const [operation, code] of refusals) expect(await client.run(operation)).toMatchObject({ ok: false, code });
    expect(client.disconnections).toBe(0);
  });

  it('gives the path of a sequential create, in the order of creation', async () => {
    const client = await connected();
    const paths: string[] = [];
    for (let i = 0; i < 3; i += 1) paths.push((await client.done(create('/n-', 'ephemeralSequential'))).path!);
    expect(paths).toEqual(['/n-0000000000', '/n-0000000001', '/n-0000000002']);
  });

  it.each<ZkOperation & { op: 'multi' }>([
    { op: 'multi', steps: [{ op: 'check', path: '/a', version: 0 }] },
    { op: 'multi', steps: [{ op: 'set', path: '/a', data: 'y', version: 0 }] },
    { op: 'multi', steps: [{ op: 'delete', path: '/a', version: 0 }] },
  ])('pitfall 8: version 0 in a multi means 0 (%j)', async (operation) => {
    const client = await connected();
    await client.done(create('/a'));
    await client.done({ op: 'set', path: '/a', data: 'x' });
    expect(await client.run(operation)).toMatchObject({ ok: false, code: 'BAD_VERSION', step: 0 });
    expect(await client.done({ op: 'get', path: '/a' })).toMatchObject({ data: 'x' });
  });

  it('does all steps of a multi or none, and says which one failed', async () => {
    const client = await connected();
    const done = await client.done({
      op: 'multi',
      steps: [create('/a', 'ephemeral'), create('/n-', 'ephemeralSequential'), { op: 'set', path: '/a', data: 'x' }],
    });
    // The sequence is the parent's count of changes to its children: the first step was one.
    expect(done.paths).toEqual(['/a', '/n-0000000001', undefined]);
    expect((await client.done({ op: 'exists', path: '/a' })).stat?.czxid).toBe(done.zxid);
    const steps = [create('/b'), { op: 'check', path: '/a' }, { op: 'delete', path: '/x' }, create('/c')] as const;
    expect(await client.run({ op: 'multi', steps })).toMatchObject({ ok: false, code: 'NO_NODE', step: 2 });
    expect(await client.done({ op: 'children', path: '/' })).toMatchObject({
      names: expect.not.arrayContaining(['b']),
    });
  });

  it('takes data up to its limit, and refuses more without harming the connection (pitfall 12)', async () => {
    const client = await connected();
    await client.done(create('/a', 'persistent', 'x'.repeat(999_900)));
    const tooMuch = { op: 'set', path: '/a', data: 'x'.repeat(1024 * 1024) } as const;
    expect(await client.run(tooMuch)).toMatchObject({ code: 'BAD_ARGUMENTS' });
    expect((await client.done({ op: 'get', path: '/a' })).data).toHaveLength(999_900);
    expect(client.disconnections).toBe(0);
  });

  it('keeps many requests in order', async () => {
    const client = await connected();
    await client.done(create('/a'));
    const requests = Array.from({ length: 300 }, (_, i) => client.submit({ op: 'set', path: '/a', data: `${i}` }));
    await client.replyTo(requests.at(-1)!);
    expect(client.replies.slice(-300).map(({ request }) => request)).toEqual(requests);
    expect((await client.done({ op: 'get', path: '/a' })).stat?.version).toBe(300);
  });

  it('hides the chroot in created paths and watches, also after a reconnection', async () => {
    const path = await TcpPath.to(server.connectString);
    const client = await connected({}, path.connectString);
    const outside = open(server.connectString);
    await outside.untilConnected();
    await client.done({ op: 'children', path: '/', watch: true });
    await client.done({ op: 'exists', path: '/b', watch: true });
    await outside.done(create(`${client.root}/a`));
    await until('the first watch', () => client.watches.length === 1);
    path.sever();
    await client.untilConnected(2);
    await outside.done(create(`${client.root}/b`));
    await until('the second watch', () => client.watches.length === 2);
    expect(client.watches).toEqual([
      { path: '/', kind: 'children' },
      { path: '/b', kind: 'created' },
    ]);
    const { paths } = await client.done({ op: 'multi', steps: [create('/n-', 'ephemeralSequential')] });
    expect(paths?.[0]).toMatch(/^\/n-\d{10}$/);
  });

  it('with credentials keeps what it creates to itself', async () => {
    const client = await connected({ auth: { scheme: 'digest', auth: 'user:secret' } });
    await client.done(create('/a'));
    await client.done({ op: 'multi', steps: [create('/b')] });
    const stranger = open(`${server.connectString}${client.root}`);
    await stranger.untilConnected();
    for (const path of ['/a', '/b']) {
      expect(await stranger.run({ op: 'get', path })).toMatchObject({ ok: false, code: 'NO_AUTH' });
    }
    const friend = open(`${server.connectString}${client.root}`, { auth: { scheme: 'digest', auth: 'user:secret' } });
    await friend.untilConnected();
    await friend.done({ op: 'set', path: '/a', data: 'x' });
  });

  it('with credentials of a kind that the server does not know ends', async () => {
    const client = open(server.connectString, { auth: { scheme: 'nonsense', auth: 'x' } });
    expect(await client.untilEnded()).toBe('authFailed');
  });

  it('takes its ephemeral znodes with it when it is closed', async () => {
    const client = await connected();
    await client.done(create('/a', 'ephemeral'));
    const other = open(`${server.connectString}${client.root}`);
    await other.untilConnected();
    await client.client.close();
    expect(client.ends).toEqual(['closed']);
    expect(await other.done({ op: 'exists', path: '/a' })).toMatchObject({ stat: null });
  });

  it('reports each change that happened while it was away once, and what did not change goes on being watched', async () => {
    const path = await TcpPath.to(server.connectString);
    const client = await connected({ sessionTimeoutMs: 10 * T }, path.connectString);
    const other = open(`${server.connectString}${client.root}`);
    await other.untilConnected();
    for (const name of ['changed', 'deleted', 'again', 'same']) {
      await client.done(create(`/${name}`));
      await client.done({ op: 'get', path: `/${name}`, watch: true });
    }
    await client.done({ op: 'exists', path: '/made', watch: true });
    path.freeze();
    await until('the client has noticed', () => client.disconnections === 1, { timeoutMs: 20_000 });
    await other.done({ op: 'set', path: '/changed', data: 'x' });
    await other.done({ op: 'delete', path: '/deleted' });
    await other.done({ op: 'delete', path: '/again' });
    await other.done(create('/again'));
    await other.done(create('/made'));
    path.thaw();
    path.sever();
    await client.untilConnected(2);
    await client.done({ op: 'exists', path: '/' });
    const kinds = () => Object.fromEntries(client.watches.map(({ path, kind }) => [path, kind]));
    expect(kinds()).toEqual({ '/changed': 'changed', '/deleted': 'deleted', '/again': 'changed', '/made': 'created' });
    await other.done({ op: 'set', path: '/same', data: 'x' });
    await until('the last watch', () => client.watches.length === 5);
    for (const name of ['changed', 'again', 'same']) await other.done({ op: 'set', path: `/${name}`, data: 'y' });
    await client.done({ op: 'exists', path: '/' });
    expect(client.watches).toHaveLength(5);
  });

  it('sets thousands of watches again (pitfall 10)', async () => {
    const path = await TcpPath.to(server.connectString);
    const client = await connected({ sessionTimeoutMs: 10 * T }, path.connectString);
    const paths = Array.from({ length: 6000 }, (_, i) => `/${'x'.repeat(180)}-${i}`);
    for (let from = 0; from < paths.length; from += 500) {
      const batch = paths.slice(from, from + 500);
      await Promise.all(batch.map((path) => client.done({ op: 'exists', path, watch: true })));
    }
    path.sever();
    await client.untilConnected(2);
    await client.done(create(paths[5999]!));
    await until('the watch', () => client.watches.length === 1);
    expect(client.disconnections).toBe(1);
  });

  it('moves to another path within its session when its own goes dead (pitfall 1)', async () => {
    const paths = [await TcpPath.to(server.connectString), await TcpPath.to(server.connectString)];
    const client = await connected({}, paths.map(({ connectString }) => connectString).join());
    await client.done(create('/a', 'ephemeral'));
    const used = paths.find((path) => path.connections > 0) as TcpPath;
    used.freeze();
    const from = performance.now();
    const { id } = await client.untilConnected(2);
    expect(performance.now() - from).toBeLessThan(4 * T);
    expect(id).toBe(client.sessions[0]!.id);
    expect((await client.done({ op: 'exists', path: '/a' })).stat?.ephemeralOwner).toBe(id);
    used.thaw();
  });

  it('is told that its session has expired when it was cut off for too long', async () => {
    const path = await TcpPath.to(server.connectString);
    const client = await connected({ sessionTimeoutMs: T }, path.connectString);
    await client.done(create('/a', 'ephemeral'));
    const other = open(`${server.connectString}${client.root}`, { sessionTimeoutMs: 10 * T });
    await other.untilConnected();
    path.freeze();
    await until('the znode gone', async () => (await other.done({ op: 'exists', path: '/a' })).stat === null);
    expect([client.ends, client.disconnections]).toEqual([[], 1]);
    path.thaw();
    expect(await client.untilEnded()).toBe('expired');
  });

  it('starts from a zxid of the future only after some seconds, with a warning', async () => {
    const client = open(server.connectString, { lastZxid: 1n << 60n });
    await until('connected', () => client.isConnected, { timeoutMs: 20_000 });
    expect(client.log).toContainEqual(expect.objectContaining({ level: 'warn' }));
    expect(client.client.lastZxid).toBeLessThan(1n << 60n);
  });
});

describeZooKeeper(
  'the client and a real ZooKeeper that dies',
  () => {
    it('keeps its session over three restarts of the server (pitfall 2)', async () => {
      const server = await startZooKeeper();
      afterTest(() => server.stop());
      const client = open(server.connectString, { sessionTimeoutMs: 10 * T });
      const { id } = await client.untilConnected();
      await client.done(create('/a', 'ephemeral'));
      for (let i = 2; i <= 4; i += 1) {
        await server.kill();
        await until('disconnected', () => client.disconnections === i - 1);
        await server.start();
        expect((await client.untilConnected(i)).id).toBe(id);
        expect((await client.done({ op: 'exists', path: '/a' })).stat?.ephemeralOwner).toBe(id);
      }
    });

    it('notices a server that is stopped, and comes back when it goes on', async () => {
      const server = await startZooKeeper();
      afterTest(() => server.stop());
      const client = open(server.connectString, { sessionTimeoutMs: 6 * T });
      await client.untilConnected();
      await server.pause();
      // The signal takes its time: the first of these may still be answered.
      const requests: number[] = [];
      await until('disconnected', () => {
        requests.push(client.submit({ op: 'exists', path: '/' }));
        return client.disconnections >= 1;
      });
      const replies = await Promise.all(requests.map((request) => client.replyTo(request)));
      expect(replies).toContainEqual(expect.objectContaining({ ok: false, code: 'CONNECTION_LOSS' }));
      await server.resume();
      await until('an end or a connection', () => client.sessions.length >= 2 || client.ends.length > 0);
    });
  },
  'own',
);
