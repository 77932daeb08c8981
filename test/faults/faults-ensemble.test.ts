/** Telling a ZooKeeper that commits nothing from one that is well: a fault run that fails blames the right one. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeZooKeeper } from '../support/describe-zookeeper.ts';
import { startZooKeeper, type ZooKeeperServer } from '../support/zookeeper.ts';
import { opensSession } from './faults-ensemble.ts';

describeZooKeeper(
  'a ZooKeeper that is well',
  () => {
    let server: ZooKeeperServer;
    beforeAll(async () => {
      server = await startZooKeeper();
    });
    afterAll(() => server.stop());

    it('opens a session', async () => {
      const [host, port] = server.connectString.split(':');
      expect(await opensSession({ host: host!, clientPort: Number(port) })).toBe(true);
    });
  },
  'own',
);

describe('a ZooKeeper that commits nothing', () => {
  it('is seen by that it takes a connect request and never answers', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await opensSession({ host: '127.0.0.1', clientPort: port })).toBe(false);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('is not one that is not there', async () => {
    expect(await opensSession({ host: '127.0.0.1', clientPort: 1 })).toBe(false);
  });
});
