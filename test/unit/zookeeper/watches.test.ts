/** Watches against a scripted server: reported once, set again in packets that a server takes, bounded. */
import { describe, expect, it } from '@jest/globals';
import { loadLibrary } from '../../../src/zookeeper/library.ts';
import { Watches } from '../../../src/zookeeper/watches.ts';
import { EVENT, OP, pathOf } from '../../support/fake-zookeeper.ts';
import { until } from '../../support/wait.ts';
import { open, startFake } from './harness.ts';

describe('watches', () => {
  it('set in several ways on one path are reported once by each event', async () => {
    const fake = await startFake();
    const client = open(fake.connectString);
    await client.untilConnected();
    for (let i = 0; i < 3; i += 1) {
      await client.done({ op: 'get', path: '/a', watch: true });
      await client.done({ op: 'children', path: '/a', watch: true });
      await client.done({ op: 'exists', path: '/a', watch: true });
    }
    fake.last.event(EVENT.deleted, '/a');
    fake.last.event(EVENT.deleted, '/a');
    await client.done({ op: 'get', path: '/a' });
    expect(client.watches).toEqual([{ path: '/a', kind: 'deleted' }]);
  });

  it('that were not asked for, or failed, are not set', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.get) connection.reply(request, 1n, -101);
      else fake.answer(connection, request);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    await client.run({ op: 'get', path: '/a', watch: true });
    await client.done({ op: 'exists', path: '/a' });
    fake.last.event(EVENT.changed, '/a');
    fake.last.socket.destroy();
    await client.untilConnected(2);
    await client.done({ op: 'exists', path: '/a' });
    expect([client.watches, fake.last.count(OP.setWatches)]).toEqual([[], 0]);
  });

  it('fire before the reply that came after them', async () => {
    const fake = await startFake();
    fake.onRequest = (connection, request) => {
      if (request.type === OP.set) connection.event(EVENT.changed, pathOf(request));
      fake.answer(connection, request);
    };
    const client = open(fake.connectString);
    await client.untilConnected();
    await client.done({ op: 'get', path: '/a', watch: true });
    await client.done({ op: 'set', path: '/a', data: 'x' });
    expect(client.calls).toEqual(['connected', 'reply', 'watch', 'reply']);
  });

  it('are set again after a reconnection, from the newest zxid seen, in packets below 1 MB (pitfall 10)', async () => {
    const fake = await startFake();
    const client = open(fake.connectString, { sessionTimeoutMs: 20_000 });
    await client.untilConnected();
    const paths = Array.from({ length: 6000 }, (_, i) => `/${'x'.repeat(180)}-${i}`);
    fake.zxid = 42n;
    for (let from = 0; from < paths.length; from += 500) {
      const batch = paths.slice(from, from + 500);
      await Promise.all(batch.map((path) => client.done({ op: 'get', path, watch: true })));
    }
    fake.last.socket.destroy();
    await client.untilConnected(2);
    await client.done({ op: 'get', path: '/last' });
    const packets = fake.last.requests.filter(({ type }) => type === OP.setWatches);
    for (const { body } of packets) {
      expect(body.length).toBeLessThan(200_000);
      expect(body.readBigInt64BE(0)).toBe(42n);
    }
    const all = Buffer.concat(packets.map(({ body }) => body)).toString();
    expect(paths.filter((path) => !all.includes(path))).toEqual([]);
    fake.last.event(EVENT.changed, paths[0]!);
    await until('the watch', () => client.watches.length === 1);
    expect(client.disconnections).toBe(1);
  });

  it('past their limit are reported, the oldest first, and forgotten', () => {
    const loaded = loadLibrary();
    const manager = loaded.library.createClient('localhost', { sessionTimeout: 1000, retries: 0 }).connectionManager;
    const fired: string[] = [];
    const watches = new Watches(loaded, manager, (path, kind) => fired.push(`${path} ${kind}`), 2);
    const register = manager as unknown as Record<string, (path: string, watcher: () => void) => void>;
    for (const path of ['/a', '/b', '/a', '/c', '/d']) {
      register.registerExistenceWatcher!(path, watches.watcher);
      watches.added('existence', path);
    }
    expect(fired).toEqual(['/b created', '/a created']);
    expect(manager.watcherManager.getExistenceWatcherPaths()).toEqual(['/c', '/d']);
    manager.watcherManager.emit({ type: EVENT.created, path: '/c' });
    manager.watcherManager.emit({ type: EVENT.created, path: '/b' });
    expect(fired.slice(2)).toEqual(['/c created']);
  });
});
