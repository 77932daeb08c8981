/**
 * The peers, each through the client that a Node program would take, with its defaults. Each client is loaded when it
 * is used: a process that measures one has no other in its memory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from './store.ts';

const HOST = '127.0.0.1';
/** More than any case has keys: what is measured is not eviction. */
const MAX_CACHED = 2_000_000;

export async function openNodeRedis(port: number): Promise<Store> {
  const { createClient } = await import('redis');
  const client = createClient({ socket: { host: HOST, port } });
  client.on('error', () => {});
  await client.connect();
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    close: async () => client.destroy(),
  };
}

export async function openCachingNodeRedis(port: number): Promise<Store> {
  const { BasicClientSideCache, createClient } = await import('redis');
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: MAX_CACHED, evictPolicy: 'LRU', recordStats: false });
  const client = createClient({ RESP: 3, socket: { host: HOST, port }, clientSideCache: cache });
  client.on('error', () => {});
  await client.connect();
  return {
    get: (key) => client.get(key) as Promise<string | null>,
    set: (key, value) => client.set(key, value),
    status: () => ({ cache: { entries: cache.size() } }),
    close: async () => client.destroy(),
  };
}

export async function openIoredis(port: number): Promise<Store> {
  const { Redis } = await import('ioredis');
  const client = new Redis({ host: HOST, port, lazyConnect: true });
  client.on('error', () => {});
  await client.connect();
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    close: async () => client.disconnect(),
  };
}

export async function openEtcd(port: number): Promise<Store> {
  const { Etcd3 } = await import('etcd3');
  const client = new Etcd3({ hosts: `http://${HOST}:${port}` });
  await client.get('nothing').string();
  return {
    get: (key) => client.get(key).string(),
    set: (key, value) => client.put(key).value(value).exec(),
    close: async () => client.close(),
  };
}

/** A znode for each key below one parent. A key's first write creates it. */
export async function openZooKeeper(port: number): Promise<Store> {
  const { default: zookeeper } = await import('node-zookeeper-client');
  const client = zookeeper.createClient(`${HOST}:${port}`, { sessionTimeout: 30_000 });
  await new Promise<void>((resolve) => {
    client.once('connected', resolve);
    client.connect();
  });
  const pathOf = (key: string): string => `/bench-${key}`;
  const create = (key: string, data: Buffer): Promise<void> =>
    new Promise((resolve, reject) =>
      client.create(pathOf(key), data, (error: unknown) => (error ? reject(error) : resolve())),
    );
  return {
    get: (key) =>
      new Promise((resolve, reject) =>
        client.getData(pathOf(key), (error, data) => (error ? reject(error) : resolve(data?.toString('latin1')))),
      ),
    set: (key, value) => {
      const data = Buffer.from(value, 'latin1');
      return new Promise<void>((resolve, reject) =>
        client.setData(pathOf(key), data, -1, (error: unknown) => {
          if (!error) resolve();
          else if ((error as { name?: string }).name === 'NO_NODE') create(key, data).then(resolve, reject);
          else reject(error);
        }),
      );
    },
    close: async () => client.close(),
  };
}

export async function openLevel(): Promise<Store> {
  const { ClassicLevel } = await import('classic-level');
  const folder = await mkdtemp(join(tmpdir(), 'zistore-bench-level-'));
  const level = new ClassicLevel<string, string>(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  await level.open();
  return {
    get: (key) => level.get(key),
    set: (key, value) => level.put(key, value),
    close: async () => {
      await level.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
