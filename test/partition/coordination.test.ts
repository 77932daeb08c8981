/** Nodes and servers that are cut from ZooKeeper. Laps printed for each: how long until what. */
import { expect } from '@jest/globals';
import { until } from '../support/wait.ts';
import { type ContainerCluster, PATIENCE } from './container-cluster.ts';
import { expectRefusal, expectRefused, firstRead, written } from './expectations.ts';
import { onContainers } from './scene.ts';
import type { ServerContainer } from './server-container.ts';

const anotherLeads = async ({ servers }: ContainerCluster, server: ServerContainer): Promise<boolean> => {
  const modes = await Promise.all(servers.filter((one) => one !== server).map((one) => one.mode()));
  return modes.includes('leader');
};

await onContainers('cut from ZooKeeper', 'coordination', ({ it, itFilters }) => {
  it('Z06 Z19 Z24 S11 S13: a follower refuses, also what it has copies of; the others go on; healed, it reads what is current', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k } = await scene.withCopy();
    scene.clock();
    await follower.disconnect(follower.networks.coordination);
    await expectRefusal(follower, k);
    scene.lap('refused');
    const current = await written(leader, k);
    expect(await firstRead(other, k)).toBe(current);
    await cluster.serving([leader, other]);
    await expectRefused(follower, k);
    await scene.heal();
    expect(await firstRead(follower, k)).toBe(current);
  });

  it('Z13 Z24-Z26 S12 S17 S19: a leader refuses, another one leads; healed, it follows and reads what is current', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k } = await scene.withCopy();
    scene.clock();
    await leader.disconnect(leader.networks.coordination);
    await expectRefusal(leader, k);
    scene.lap('refused');
    await cluster.serving([follower, other]);
    scene.lap('another served');
    const current = await written(follower, k);
    expect(await firstRead(other, k)).toBe(current);
    await expectRefused(leader, k);
    await scene.heal();
    expect(await firstRead(leader, k)).toBe(current);
    expect(await cluster.leader()).not.toBe(leader);
  });

  it('Z01 Z02: the leading server is cut off altogether: the others elect, and every node serves before the cut is healed', async (scene) => {
    const { cluster } = scene;
    const server = await cluster.leadingServer();
    scene.clock();
    await server.disconnect();
    await until('another server leads', () => anotherLeads(cluster, server), PATIENCE);
    scene.lap('another server led');
    for (const node of cluster.nodes) {
      await until(`${node.name} moves`, async () => (await cluster.serverOf(node)) !== server, PATIENCE);
    }
    await cluster.serving();
    scene.lap('everybody served elsewhere');
    await scene.heal();
  });

  itFilters(
    'Z06 S20: the leading server is cut from the other servers, and goes on answering its clients: every node serves before the cut is healed',
    async (scene) => {
      const { cluster } = scene;
      const { leader, other, k } = await scene.withCopy();
      const server = await cluster.leadingServer();
      scene.clock();
      await cluster.cut(
        [server],
        cluster.servers.filter((one) => one !== server),
      );
      await until('another server leads', () => anotherLeads(cluster, server), PATIENCE);
      scene.lap('another server led');
      await cluster.serving();
      scene.lap('everybody served');
      const current = await written(other, k);
      expect(await firstRead(leader, k)).toBe(current);
      await scene.heal();
    },
  );

  itFilters(
    'Z06 S20: a follower is left with the one server that it is connected to: it refuses before the others stop waiting for it',
    async (scene) => {
      const { cluster } = scene;
      const { leader, follower, other, k } = await scene.withCopy();
      const server = await cluster.serverOf(follower);
      scene.clock();
      await cluster.cut([follower, server], [leader, other, ...cluster.servers.filter((one) => one !== server)]);
      // While the follower still answers; that it does not do so for longer than the write waits, the verdict says.
      const write = written(leader, k);
      await expectRefusal(follower, k);
      scene.lap('refused');
      const current = await write;
      scene.lap('what it had a copy of was overwritten');
      await cluster.serving([leader, other]);
      await expectRefused(follower, k);
      await scene.heal();
      expect(await firstRead(follower, k)).toBe(current);
    },
  );

  itFilters(
    'Z05 Z06 Z13 S12 S20: the leader and the leading server against the rest: the rest elects both and goes on; healed, all agree',
    async (scene) => {
      const { cluster } = scene;
      const { leader, follower, other, k } = await scene.withCopy();
      const server = await cluster.leadingServer();
      scene.clock();
      await cluster.cut([leader, server], [follower, other, ...cluster.servers.filter((one) => one !== server)]);
      await expectRefusal(leader, k);
      scene.lap('refused');
      await cluster.serving([follower, other]);
      scene.lap('the majority served');
      const current = await written(follower, k);
      await expectRefused(leader, k);
      await scene.heal();
      expect(await firstRead(leader, k)).toBe(current);
      expect(await cluster.leader()).not.toBe(leader);
    },
  );

  itFilters(
    'Z06 Z41 S16: no server hears another: nobody has a quorum, every node refuses; healed, all is as it was, for nobody led in between',
    async (scene) => {
      const { cluster } = scene;
      const { leader, follower, other, k, v } = await scene.withCopy();
      const [one, two, three] = cluster.servers;
      const its = await written(leader, scene.key('its'));
      scene.clock();
      await cluster.cut([one!], [two!, three!]);
      await cluster.cut([two!], [three!]);
      for (const node of cluster.nodes) await expectRefusal(node, k);
      scene.lap('all refused');
      for (const node of cluster.nodes) await expectRefused(node, k);
      await scene.heal();
      expect(await firstRead(other, k)).toBe(v);
      expect(await firstRead(follower, scene.key('its'))).toBe(its);
    },
  );

  it('Z01 Z02: the leading server is killed: the others elect, and every node serves before it is started again', async (scene) => {
    const { cluster } = scene;
    const { other, k, v } = await scene.withCopy();
    const server = await cluster.leadingServer();
    scene.clock();
    await server.kill();
    await until('another server leads', () => anotherLeads(cluster, server), PATIENCE);
    scene.lap('another server led');
    await cluster.serving();
    scene.lap('everybody served');
    expect(await firstRead(other, k)).toBe(v);
    await scene.heal();
  });

  it('Z01 Z02: the leading server stands still: the others elect, and every node serves before it goes on', async (scene) => {
    const { cluster } = scene;
    const { other, k, v } = await scene.withCopy();
    const server = await cluster.leadingServer();
    scene.clock();
    await server.pause();
    await until('another server leads', () => anotherLeads(cluster, server), PATIENCE);
    scene.lap('another server led');
    await cluster.serving();
    scene.lap('everybody served');
    expect(await firstRead(other, k)).toBe(v);
    await scene.heal();
  });
});
