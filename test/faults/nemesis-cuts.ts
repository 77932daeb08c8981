/** Faults of the network: nodes cut from ZooKeeper, from each other, one way or both, and everything split in two. */
import { bothWays, type Link, nodePlace, oneWay, type Place, serverPlace } from './lab.ts';
import type { Fault, Scene, Struck } from './nemesis-fault.ts';
import { someHost } from './nemesis-nodes.ts';

const HOLD_MS = [300, 5000] as const;

const allServers = ({ lab }: Scene): Place[] => lab.servers.map((_server, index) => serverPlace(index));

const otherNodes = ({ lab }: Scene, host: number): Place[] =>
  Array.from({ length: lab.hosts }, (_unused, index) => index)
    .filter((index) => index !== host)
    .map(nodePlace);

/** The leader; all the others, for the leader itself. */
function leaderSeenFrom(scene: Scene, host: number): Place[] {
  const leader = scene.cluster.leaderHost();
  return leader === undefined || leader === host ? otherNodes(scene, host) : [nodePlace(leader)];
}

async function cut(scene: Scene, links: readonly Link[], what: string): Promise<Struck> {
  const heal = await scene.lab.cut(links);
  return { what, holdMs: scene.random.between(...HOLD_MS), heal };
}

const common = { weight: 1, touches: 'node', restarts: false } as const;

const cutZooKeeper: Fault = {
  ...common,
  kind: 'cut-zookeeper',
  weight: 2,
  needs: [],
  strike(scene) {
    const host = someHost(scene);
    return cut(scene, bothWays([nodePlace(host)], allServers(scene)), `node ${host} × ZooKeeper`);
  },
};

const cutLeader: Fault = {
  ...common,
  kind: 'cut-leader',
  needs: ['betweenNodes'],
  strike(scene) {
    const host = scene.random.pick(scene.free);
    return cut(scene, bothWays([nodePlace(host)], leaderSeenFrom(scene, host)), `node ${host} × the leader`);
  },
};

const cutBoth: Fault = {
  ...common,
  kind: 'cut-both',
  needs: ['betweenNodes'],
  strike(scene) {
    const host = someHost(scene);
    const others = [...allServers(scene), ...leaderSeenFrom(scene, host)];
    return cut(scene, bothWays([nodePlace(host)], others), `node ${host} × ZooKeeper and the leader`);
  },
};

/** From ZooKeeper, from the leader, or from both. */
function otherSide(scene: Scene, host: number): Place[] {
  const which = scene.random.below(3);
  const servers = which === 1 ? [] : allServers(scene);
  return which === 0 ? servers : [...servers, ...leaderSeenFrom(scene, host)];
}

const cutOneWayIn: Fault = {
  ...common,
  kind: 'cut-one-way-in',
  needs: ['oneWay', 'betweenNodes'],
  strike(scene) {
    const host = someHost(scene);
    const others = otherSide(scene, host);
    return cut(scene, oneWay(others, [nodePlace(host)]), `node ${host} hears nothing of ${wordsOf(others)}`);
  },
};

const cutOneWayOut: Fault = {
  ...common,
  kind: 'cut-one-way-out',
  needs: ['oneWay', 'betweenNodes'],
  strike(scene) {
    const host = someHost(scene);
    const others = otherSide(scene, host);
    return cut(scene, oneWay([nodePlace(host)], others), `node ${host} is not heard by ${wordsOf(others)}`);
  },
};

const wordsOf = (places: readonly Place[]): string => places.map(({ kind, index }) => `${kind} ${index}`).join(', ');

const cutPair: Fault = {
  ...common,
  kind: 'cut-pair',
  needs: ['betweenNodes'],
  strike(scene) {
    const host = scene.random.pick(scene.free);
    const other = scene.random.pick(otherNodes(scene, host));
    return cut(scene, bothWays([nodePlace(host)], [other]), `node ${host} × ${wordsOf([other])}`);
  },
};

/** Each side has at least one node; the smaller one often the leading server and the leader. */
const split: Fault = {
  ...common,
  kind: 'split',
  needs: ['betweenNodes'],
  touches: 'everything',
  async strike(scene) {
    const { cluster, lab, random } = scene;
    const leading = await cluster.leadingServer();
    const lonely = leading !== undefined && random.chance(0.5) ? leading : random.below(lab.servers.length);
    const first = someHost(scene);
    const minority = [first, ...scene.free.filter((host) => host !== first && random.chance(0.3))];
    if (minority.length === scene.free.length) minority.pop();
    const here = [serverPlace(lonely), ...minority.map(nodePlace)];
    const there = [
      ...allServers(scene).filter(({ index }) => index !== lonely),
      ...scene.free.filter((host) => !minority.includes(host)).map(nodePlace),
    ];
    return cut(scene, bothWays(here, there), `${wordsOf(here)} × ${wordsOf(there)}`);
  },
};

/** Its own requests pass: a leader of whom nobody hears, or a holder that never acknowledges. */
const shut: Fault = {
  ...common,
  kind: 'shut',
  needs: ['fronts'],
  async strike(scene) {
    const host = someHost(scene);
    const heal = await scene.lab.shut(host);
    return { what: `nobody reaches node ${host}`, holdMs: scene.random.between(...HOLD_MS), heal };
  },
};

export const faultsOfTheNetwork: readonly Fault[] = [
  cutZooKeeper,
  cutLeader,
  cutBoth,
  cutOneWayIn,
  cutOneWayOut,
  cutPair,
  split,
  shut,
];
