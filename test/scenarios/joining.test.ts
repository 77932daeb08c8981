/** Opening a node: what joining may wait for, and what is refused (Z14; contract: errors). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmbeddedCoordinator, startEmbeddedCoordinator } from '../../src/embedded/server.ts';
import { openStore, type ZiStore } from '../../src/store.ts';
import { scaled, until } from '../support/wait.ts';

describe('joining', () => {
  let coordinator: EmbeddedCoordinator;
  const open: ZiStore<string>[] = [];
  let clusters = 0;
  beforeAll(async () => {
    coordinator = await startEmbeddedCoordinator({ tickTimeMs: 200 });
  });
  afterAll(async () => {
    await Promise.all(open.map((store) => store.close()));
    await coordinator.close();
  });

  async function start(cluster: string, options: object = {}): Promise<ZiStore<string>> {
    const { connectString: zookeeper, tickTimeMs } = coordinator;
    const common = { zookeeper, tickTimeMs, sessionTimeoutMs: scaled(1000), closeTimeoutMs: scaled(2000) };
    const store = await openStore<string>({ ...common, cluster, ...options });
    open.push(store);
    return store;
  }
  const freshName = () => `joining-${++clusters}`;

  it('a node on IPv6 is reached by its peers', async () => {
    const cluster = freshName();
    const [a, b] = [
      await start(cluster, { listen: { host: '::1' } }),
      await start(cluster, { listen: { host: '::1' } }),
    ];
    expect(a.status().address).toMatch(/^\[::1\]:\d+$/);
    await b.set('k', 'v1', { timeoutMs: scaled(10_000) });
    await a.set('k', 'v2', { timeoutMs: scaled(10_000) });
    expect(await b.get('k', { timeoutMs: scaled(10_000) })).toBe('v2');
  });

  it('an address that a live member has is refused, in bounded time', async () => {
    const cluster = freshName();
    const port = Number((await start(cluster)).status().address.split(':').at(-1));
    await expect(
      start(cluster, { advertise: { host: '127.0.0.1', port }, connectTimeoutMs: scaled(500) }),
    ).rejects.toMatchObject({ code: 'ZISTORE_INVALID_ARGUMENT', message: expect.stringContaining('address') });
  });

  it('a node that is no candidate creates no cluster: it waits for one, and in bounded time says that there is none', async () => {
    const cluster = freshName();
    await expect(start(cluster, { candidate: false, connectTimeoutMs: scaled(300) })).rejects.toMatchObject({
      code: 'ZISTORE_TIMEOUT',
      message: expect.stringContaining(cluster),
    });
    // Nothing was fixed by it: the first candidate decides.
    const later = start(cluster, { candidate: false, secret: 'a secret of sixteen' });
    await start(cluster, { secret: 'a secret of sixteen' });
    await (await later).set('k', 'v', { timeoutMs: scaled(10_000) });
  });

  it('Z35: once the only candidate is gone, nobody is shown as leader any more', async () => {
    const cluster = freshName();
    const leader = await start(cluster);
    const client = await start(cluster, { candidate: false });
    await client.set('k', 'v', { timeoutMs: scaled(10_000) });
    const told: unknown[] = [];
    client.on('leader', (now) => void told.push(now));
    await leader.close();
    await until('no leader is shown', () => client.status().leader === null);
    expect(client.status().epoch).toBe('0');
    expect(told).toEqual([null]);
    // What is cached is still right: nobody can write.
    expect(client.peek('k')).toBe('v');
    await expect(client.set('k', 'w', { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ZISTORE_TIMEOUT',
      outcome: 'notApplied',
      message: expect.stringContaining('leader'),
    });
  });

  it('an aborted signal ends a read of a cached key, too', async () => {
    const store = await start(freshName());
    await store.set('k', 'v');
    await expect(store.get('k', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ZISTORE_ABORTED' });
  });
});
