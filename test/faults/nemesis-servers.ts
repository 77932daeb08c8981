/** Faults of the ensemble: servers restarted, killed, stopped and cut from each other. */
import { bothWays, serverPlace } from './lab.ts';
import type { Fault, Scene } from './nemesis-fault.ts';

const common = { weight: 1, needs: [], touches: 'servers', restarts: false } as const;

const indexes = ({ lab }: Scene): number[] => lab.servers.map((_server, index) => index);

async function leading(scene: Scene): Promise<number> {
  return (await scene.cluster.leadingServer()) ?? scene.random.below(scene.lab.servers.length);
}

async function following(scene: Scene): Promise<number> {
  const leader = await leading(scene);
  return scene.random.pick(indexes(scene).filter((index) => index !== leader));
}

/** Killed at once, or asked to end, and started again. */
async function restart(scene: Scene, index: number) {
  const server = scene.lab.servers[index]!;
  const cleanly = scene.random.chance(0.5);
  await (cleanly ? server.terminate() : server.kill());
  return {
    what: `server ${index}, ${cleanly ? 'SIGTERM' : 'SIGKILL'}`,
    holdMs: scene.random.between(0, 3000),
    heal: () => server.launch(),
  };
}

const zookeeperRestart: Fault = {
  ...common,
  kind: 'zookeeper-restart',
  strike: async (scene) => restart(scene, await following(scene)),
};

const zookeeperLeaderKill: Fault = {
  ...common,
  kind: 'zookeeper-leader-kill',
  strike: async (scene) => restart(scene, await leading(scene)),
};

/** The others elect; its clients still reach the old leader, which does not know (S20). */
const zookeeperLeaderCut: Fault = {
  ...common,
  kind: 'zookeeper-leader-cut',
  async strike(scene) {
    const index = await leading(scene);
    const others = indexes(scene).filter((other) => other !== index);
    const heal = await scene.lab.cut(bothWays([serverPlace(index)], others.map(serverPlace)));
    return { what: `server ${index} × ${others.join(', ')}`, holdMs: scene.random.between(1000, 6000), heal };
  },
};

/** A follower in the minority goes on answering pings while the majority may drop the sessions of its clients (S20). */
const zookeeperFollowerCut: Fault = {
  ...common,
  kind: 'zookeeper-follower-cut',
  async strike(scene) {
    const index = await following(scene);
    const others = indexes(scene).filter((other) => other !== index);
    const heal = await scene.lab.cut(bothWays([serverPlace(index)], others.map(serverPlace)));
    return { what: `server ${index} × ${others.join(', ')}`, holdMs: scene.random.between(1000, 6000), heal };
  },
};

const zookeeperStop: Fault = {
  ...common,
  kind: 'zookeeper-stop',
  async strike(scene) {
    const index = scene.random.chance(0.5) ? await leading(scene) : await following(scene);
    const server = scene.lab.servers[index]!;
    server.signal('SIGSTOP');
    const holdMs = scene.random.between(200, 5000);
    return { what: `server ${index}`, holdMs, heal: async () => server.signal('SIGCONT') };
  },
};

const zookeeperDown: Fault = {
  ...common,
  kind: 'zookeeper-down',
  async strike(scene) {
    const { servers } = scene.lab;
    await Promise.all(servers.map((server) => server.kill()));
    const heal = async () => {
      await Promise.all(servers.map((server) => server.launch()));
    };
    return { what: 'all servers', holdMs: scene.random.between(0, 2500), heal };
  },
};

export const faultsOfServers: readonly Fault[] = [
  zookeeperRestart,
  zookeeperLeaderKill,
  zookeeperLeaderCut,
  zookeeperFollowerCut,
  zookeeperStop,
  zookeeperDown,
];
