/** Faults of nodes: killed, stopped, restarted, with clocks that run at another rate. */
import type { Fault, Scene } from './nemesis-fault.ts';
import { healed } from './nemesis-fault.ts';

/** Per mille by which a skewed clock is fast or slow: two nodes then differ by less than the 1 % that are allowed. */
const SKEW = 0.004;

/** One of the free hosts; the leader's more often than its share. */
export function someHost({ cluster, random, free }: Scene): number {
  const leader = cluster.leaderHost();
  if (leader !== undefined && free.includes(leader) && random.chance(0.4)) return leader;
  return random.pick(free);
}

const named = (scene: Scene, host: number): string =>
  `node ${host}${scene.cluster.leaderHost() === host ? ' (leader)' : ''}`;

const kill: Fault = {
  kind: 'kill',
  weight: 3,
  needs: [],
  touches: 'node',
  restarts: true,
  async strike(scene) {
    const host = someHost(scene);
    // Often at once: then its old member znode is still there, and what it says must not be taken for the new one's.
    const holdMs = scene.random.chance(0.4) ? 0 : scene.random.between(100, 3000);
    const what = named(scene, host);
    await scene.cluster.kill(host);
    return { what, holdMs, heal: () => scene.cluster.start(host) };
  },
};

const stop: Fault = {
  kind: 'stop',
  weight: 3,
  needs: [],
  touches: 'node',
  restarts: false,
  async strike(scene) {
    const host = someHost(scene);
    scene.cluster.signal(host, 'SIGSTOP');
    const holdMs = scene.random.between(200, 4000);
    return { what: named(scene, host), holdMs, heal: async () => scene.cluster.signal(host, 'SIGCONT') };
  },
};

const skew: Fault = {
  kind: 'skew',
  weight: 1,
  needs: ['skew'],
  touches: 'node',
  restarts: true,
  async strike(scene) {
    const host = scene.random.pick(scene.free);
    const clockRate = scene.random.chance(0.5) ? 1 + SKEW : 1 - SKEW;
    await scene.cluster.leave(host);
    await scene.cluster.start(host, { clockRate });
    return { what: `node ${host}, clock × ${clockRate}`, holdMs: scene.random.between(0, 1000), heal: healed };
  },
};

const churn: Fault = {
  kind: 'churn',
  weight: 1,
  needs: [],
  touches: 'node',
  restarts: true,
  async strike(scene) {
    const host = someHost(scene);
    const what = named(scene, host);
    await scene.cluster.leave(host);
    const holdMs = scene.random.between(0, 1000);
    return { what, holdMs, heal: () => scene.cluster.start(host, { newPort: true }) };
  },
};

const rollingRestart: Fault = {
  kind: 'rolling-restart',
  weight: 1,
  needs: [],
  touches: 'everything',
  restarts: true,
  async strike({ cluster, free, random }) {
    for (const host of free) {
      await cluster.leave(host);
      await cluster.start(host);
      await cluster.serving([host]);
    }
    return { what: `nodes ${free.join(', ')}`, holdMs: random.between(0, 300), heal: healed };
  },
};

export const faultsOfNodes: readonly Fault[] = [kill, stop, skew, churn, rollingRestart];
