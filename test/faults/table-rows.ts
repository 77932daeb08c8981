/** The faults of the table in docs/faults.md, each made exactly once on a cluster at rest. */
import type { Cluster } from './faults-cluster.ts';
import { bothWays, type Lab, type Link, nodePlace, oneWay, type Place, serverPlace } from './lab.ts';

export interface Stage {
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly sessionTimeoutMs: number;
  /** The host that it happens to. */
  readonly host: number;
  readonly leader: number;
  /** The server that leads the ensemble. */
  readonly leadingServer: number;
}

export interface Row {
  readonly name: string;
  readonly happensTo: 'follower' | 'leader';
  /** Between strike and healing, by the session timeout. */
  holdMs(sessionTimeoutMs: number): number;
  /** Resolves to how it is healed. */
  strike(stage: Stage): Promise<() => Promise<void>>;
}

/** Long enough for everything that a session timeout brings about to have come about. */
const past = (sessionTimeoutMs: number): number => sessionTimeoutMs + 2000;
/** And after that for everything that the servers have to settle among themselves, which takes syncLimit ticks and more. */
const longPast = (sessionTimeoutMs: number): number => past(sessionTimeoutMs) + 3500;

const servers = ({ lab }: Stage): Place[] => lab.servers.map((_server, index) => serverPlace(index));
const otherNodes = ({ cluster, host }: Stage): Place[] =>
  cluster
    .hosts()
    .filter((other) => other !== host)
    .map(nodePlace);

function row(name: string, happensTo: Row['happensTo'], strike: Row['strike'], holdMs: Row['holdMs'] = past): Row {
  return { name, happensTo, holdMs, strike };
}

function cutRow(
  name: string,
  happensTo: Row['happensTo'],
  links: (stage: Stage, own: Place) => Link[],
  holdMs: Row['holdMs'] = past,
): Row {
  return row(name, happensTo, (stage) => stage.lab.cut(links(stage, nodePlace(stage.host))), holdMs);
}

const crash: Row['strike'] = async ({ cluster, host }) => {
  await cluster.kill(host);
  return () => cluster.start(host);
};

const leave: Row['strike'] = async ({ cluster, host }) => {
  await cluster.leave(host);
  return () => cluster.start(host);
};

const stop: Row['strike'] = async ({ cluster, host }) => {
  cluster.signal(host, 'SIGSTOP');
  return async () => cluster.signal(host, 'SIGCONT');
};

const follower = ({ lab, leadingServer }: Stage): number => lab.servers.findIndex((_server, i) => i !== leadingServer);

const killServer =
  (which: (stage: Stage) => number): Row['strike'] =>
  async (stage) => {
    const server = stage.lab.servers[which(stage)]!;
    await server.kill();
    return () => server.launch();
  };

const cutServer =
  (which: (stage: Stage) => number): Row['strike'] =>
  (stage) => {
    const index = which(stage);
    const others = servers(stage).filter((place) => place.index !== index);
    return stage.lab.cut(bothWays([serverPlace(index)], others));
  };

const allDown: Row['strike'] = async ({ lab }) => {
  await Promise.all(lab.servers.map((server) => server.kill()));
  return async () => {
    await Promise.all(lab.servers.map((server) => server.launch()));
  };
};

/** The node with one server, against all others. */
const split =
  (which: (stage: Stage) => number) =>
  (stage: Stage, own: Place): Link[] => {
    const alone = which(stage);
    const there = [...servers(stage).filter(({ index }) => index !== alone), ...otherNodes(stage)];
    return bothWays([own, serverPlace(alone)], there);
  };

const leading = ({ leadingServer }: Stage): number => leadingServer;

export const rows: readonly Row[] = [
  row('a follower crashes (`kill -9`)', 'follower', crash),
  row('the leader crashes (`kill -9`)', 'leader', crash),
  row('a follower leaves (`close()`, SIGTERM)', 'follower', leave),
  row('the leader leaves (`close()`, SIGTERM)', 'leader', leave),
  row('a follower stands still for half a session timeout', 'follower', stop, (ms) => ms / 2),
  row('the leader stands still for half a session timeout', 'leader', stop, (ms) => ms / 2),
  row('a follower stands still for longer than its session', 'follower', stop),
  row('the leader stands still for longer than its session', 'leader', stop),
  cutRow('a follower is cut from ZooKeeper', 'follower', (stage, own) => bothWays([own], servers(stage))),
  cutRow('the leader is cut from ZooKeeper', 'leader', (stage, own) => bothWays([own], servers(stage))),
  cutRow('a follower is cut from the leader alone', 'follower', ({ leader }, own) =>
    bothWays([own], [nodePlace(leader)]),
  ),
  cutRow('the leader is cut from all nodes, not from ZooKeeper', 'leader', (stage, own) =>
    bothWays([own], otherNodes(stage)),
  ),
  cutRow('a follower is not heard by ZooKeeper', 'follower', (stage, own) => oneWay([own], servers(stage))),
  cutRow('a follower does not hear ZooKeeper', 'follower', (stage, own) => oneWay(servers(stage), [own])),
  cutRow('a follower is not heard by the leader', 'follower', ({ leader }, own) => oneWay([own], [nodePlace(leader)])),
  cutRow('a follower does not hear the leader', 'follower', ({ leader }, own) => oneWay([nodePlace(leader)], [own])),
  row('a ZooKeeper follower crashes', 'follower', killServer(follower), longPast),
  row('the ZooKeeper leader crashes', 'follower', killServer(leading), longPast),
  row('the ZooKeeper leader is cut from its peers', 'follower', cutServer(leading), longPast),
  cutRow('split: a follower and a ZooKeeper follower from all others', 'follower', split(follower), longPast),
  cutRow('split: the leader and the ZooKeeper leader from all others', 'leader', split(leading), longPast),
  row('all of ZooKeeper is down for 2 s', 'follower', allDown, () => 2000),
];
