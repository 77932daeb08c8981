/** From a contender's name to the contender. */
import type { ZiStore } from '../../src/index.ts';
import { connectNet, connectWs } from './echo.ts';
import { LruStore, MapStore } from './memory.ts';
import * as peers from './peers.ts';
import type { Store, Target } from './store.ts';

/** As it is published: the built files. */
async function openZiStore(options: Readonly<Record<string, unknown>>, dist: string): Promise<ZiStore> {
  const library = (await import(dist)) as typeof import('../../src/index.ts');
  return library.ZiStore.open(options as never) as Promise<ZiStore>;
}

/** `dist`: the URL of ZiStore's built entry. */
export async function openStore(target: Target, dist: string): Promise<Store> {
  const { contender, port = 0, size = 16, options = {} } = target;
  switch (contender) {
    case 'ZiStore':
      return openZiStore(options, dist);
    case 'Map':
      return new MapStore();
    case 'lru-cache':
      return new LruStore();
    case 'net echo':
      return connectNet(port, size);
    case 'ws echo':
      return connectWs(port, size);
    default:
      return openPeer(contender, port);
  }
}

function openPeer(contender: Target['contender'], port: number): Promise<Store> {
  switch (contender) {
    case 'node-redis':
      return peers.openNodeRedis(port);
    case 'node-redis cache':
      return peers.openCachingNodeRedis(port);
    case 'ioredis':
      return peers.openIoredis(port);
    case 'etcd':
      return peers.openEtcd(port);
    case 'ZooKeeper':
      return peers.openZooKeeper(port);
    case 'classic-level':
      return peers.openLevel();
    default:
      throw new Error(`no such contender: ${contender}`);
  }
}
