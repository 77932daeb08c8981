/** The scenes that `directed.ts` plays. Nobody holds the only copy of anything when it crashes: nothing may be lost. */
import type { Transport } from '../../src/ports.ts';
import type { Scene } from './directed.ts';
import type { SimNode } from './world.ts';

/** Every node asks for and writes the same few keys, now and again all of them at once. */
async function traffic(scene: Scene, nodes: readonly SimNode[], rounds: number): Promise<void> {
  const { random } = scene;
  for (let round = 0; round < rounds; round++) {
    const k = `k${random.below(2)}`;
    for (let burst = random.below(4); burst >= 0; burst--) {
      const node = random.pick(nodes);
      const roll = random.fraction();
      if (roll < 0.6) scene.get(node, k);
      else if (roll < 0.92) scene.put(node, k);
      else scene.delete(node, k);
    }
    await scene.advance(random.below(40));
  }
}

/** Packets take so different times that whatever may overtake does. */
async function overtaking(scene: Scene): Promise<void> {
  const nodes = await scene.started(3);
  for (let part = 0; part < 4; part++) {
    for (const a of nodes) {
      for (const b of nodes) {
        scene.world.network.setLatency(a.address, b.address, 0.1, scene.random.pick([1, 30, 150]));
      }
    }
    await traffic(scene, nodes, 15);
  }
}

/** From here on whatever a node says may be heard twice; the second time later. */
function echo(scene: Scene): void {
  const { network, clock } = scene.world;
  const original = network.transport.bind(network);
  network.transport = (address, options) => {
    const transport = original(address, options);
    const send: Transport['send'] = (channel, message) => {
      transport.send(channel, message);
      if (scene.random.fraction() < 0.4) {
        clock.setTimer(scene.between(0, 60), () => transport.send(channel, message));
      }
    };
    return {
      listen: transport.listen.bind(transport),
      identify: transport.identify.bind(transport),
      dial: transport.dial.bind(transport),
      hangup: transport.hangup.bind(transport),
      drop: transport.drop.bind(transport),
      close: transport.close.bind(transport),
      send,
    };
  };
}

/** Everything that is said may be said again. */
async function twice(scene: Scene): Promise<void> {
  echo(scene);
  const nodes = await scene.started(3);
  for (const other of nodes.slice(1)) scene.latency(nodes[0]!, other, 0.1, scene.random.pick([1, 20, 60]));
  await traffic(scene, nodes, 60);
}

/** Nodes leave, and come back as others, one after the other or several at once; that loses nothing. */
async function farewells(scene: Scene): Promise<void> {
  if (scene.random.fraction() < 0.4) echo(scene);
  const { random, world } = scene;
  await scene.started(4);
  const open = (): SimNode[] => world.nodes.filter((node) => node.node !== undefined);
  for (let part = 0; part < 10; part++) {
    const [a, b] = [random.pick(world.nodes), random.pick(world.nodes)];
    scene.latency(a, b, 0.1, random.pick([1, 10, 60]));
    await traffic(scene, open(), 5);
    const leader = open().find((node) => scene.leads(node));
    const leaving = random.fraction() < 0.6 && leader !== undefined ? leader : random.pick(open());
    if (open().length > 2) leave(scene, leaving);
  }
  await scene.until('all are open', () => open().length === 4);
}

function leave(scene: Scene, node: SimNode): void {
  const { nodes } = scene.world;
  const leaving = node.open;
  node.node = undefined;
  void leaving.close().then(() => {
    const index = nodes.indexOf(node);
    const next = scene.world.start(`${node.name}'`, { address: node.address });
    nodes.pop();
    nodes[index] = next;
  });
}

/**
 * The leader leaves, and its last answers are slow; so is the news of the next leader: for a while a follower knows of
 * a higher epoch and not of who leads in it.
 */
async function slowFarewell(scene: Scene): Promise<void> {
  const [leader, next, follower] = (await scene.started(3)) as [SimNode, SimNode, SimNode];
  scene.put(leader, 'k');
  await scene.ended();
  if (scene.random.fraction() < 0.3) scene.get(follower, 'k');
  await scene.ended();
  const { network } = scene.world;
  const answerMs = scene.between(50, 700);
  const held = scene.random.fraction() < 0.5;
  if (held) network.setLatency(leader.address, follower.address, 3, 5);
  else network.setLatency(leader.address, follower.address, answerMs, answerMs + 20);
  network.setLatency(next.address, follower.address, 1, scene.random.pick([5, 100, 300]));
  follower.host.setLatency(scene.between(1, 100));
  scene.get(follower, 'k');
  await scene.advance(scene.between(1.1, held ? 3 : 20));
  if (held) network.cutOneWay(leader.address, follower.address);
  const leaves = scene.random.fraction() < 0.7;
  if (leaves) void leader.open.close();
  else leader.host.cut();
  await scene.until('the next one leads', () => scene.leads(next));
  if (held) {
    scene.put(next, 'k');
    await scene.advance(scene.between(0, 3));
    scene.get(follower, 'k');
    network.heal(leader.address, follower.address);
  }
  for (let i = 0; i < 15; i++) {
    if (i === 0 || scene.random.fraction() < 0.3) scene.put(next, 'k');
    await scene.advance(scene.between(1, 30));
    scene.get(follower, 'k');
    await scene.advance(scene.between(1, 30));
  }
  if (!leaves) leader.host.heal();
  await scene.advance(1500);
}

/** A follower hears late that the leader has changed, and goes on answering from its copies until then. */
async function lateNews(scene: Scene): Promise<void> {
  const [leader, next, follower] = (await scene.started(3)) as [SimNode, SimNode, SimNode];
  for (const k of ['k0', 'k1']) scene.put(leader, k);
  await scene.ended();
  for (const node of [next, follower]) for (const k of ['k0', 'k1']) scene.get(node, k);
  await scene.ended();
  scene.latency(next, follower, 20, scene.between(50, 400));
  follower.host.setLatency(scene.between(20, 100));
  leader.host.cut();
  scene.world.network.cut(leader.address, next.address);
  await scene.until('the next one leads', () => scene.leads(next));
  for (let i = 0; i < 15; i++) {
    scene.put(next, 'k0');
    scene.get(follower, 'k0');
    scene.get(follower, 'k1');
    await scene.advance(scene.between(1, 40));
  }
  leader.host.heal();
  scene.world.network.healAll();
  await scene.advance(1500);
}

/** A leader dies in the moment in which it has taken over; what others hold has to be found by the one after it. */
async function secondCrash(scene: Scene): Promise<void> {
  const [first, second, third, fourth] = (await scene.started(4)) as [SimNode, SimNode, SimNode, SimNode];
  for (const k of ['k0', 'k1']) scene.put(third, k);
  await scene.ended();
  scene.get(fourth, 'k1');
  await scene.ended();
  scene.crash(first);
  await scene.until('the second one leads', () => scene.leads(second));
  await scene.advance(scene.random.pick([0, 0, 0.3, 1, 3, 10]));
  scene.crash(second);
  await scene.until('a third one leads', () => scene.leads(third));
  for (const node of [third, fourth]) for (const k of ['k0', 'k1']) scene.get(node, k);
}

/** A leader comes back with the store that it has set aside, after another one has led and gone. */
async function oldStore(scene: Scene): Promise<void> {
  const [old, next] = (await scene.started(2)) as [SimNode, SimNode];
  const third = await scene.world.started('n2', { candidate: false });
  for (const k of ['k0', 'k1', 'k2']) scene.put(old, k);
  await scene.ended();
  if (scene.random.fraction() < 0.5) scene.get(third, 'k1');
  await scene.ended();
  old.host.cut();
  await scene.until('the next one leads', () => scene.leads(next));
  scene.delete(next, 'k0');
  scene.put(next, 'k1');
  await scene.ended();
  scene.get(third, 'k1');
  await scene.ended();
  // It comes back while nobody leads.
  scene.crash(next);
  await scene.advance(scene.between(900, 1600));
  old.host.heal();
  await scene.until('it leads again', () => scene.leads(old));
  for (const node of [old, third]) for (const k of ['k0', 'k1']) scene.get(node, k);
  await scene.ended();
}

/** A leader is back while its successor, which cannot have seen that, is about to finish its takeover. */
async function untimelyReturn(scene: Scene): Promise<void> {
  const [old, next, third] = (await scene.started(3)) as [SimNode, SimNode, SimNode];
  for (const k of ['k0', 'k1']) scene.put(old, k);
  await scene.ended();
  for (const k of ['k0', 'k1']) scene.get(next, k);
  scene.get(third, 'k0');
  await scene.ended();
  const slowMs = scene.between(300, 500);
  scene.latency(next, third, slowMs, slowMs + 5);
  old.host.cut();
  await scene.until('the old leader’s session is over', () => next.open.status().role === 'recovering');
  await scene.advance(scene.between(4 * slowMs, 5.2 * slowMs));
  old.host.heal();
  scene.world.network.setLatency(next.address, old.address, 1, scene.between(5, 150));
  for (let i = 0; i < 200 && !scene.leads(next); i++) await scene.advance(10);
  old.host.setLatency(scene.between(1, 40));
  for (let i = 0; i < 10; i++) {
    if (i % 2 === 0) scene.put(next, 'k1');
    await scene.advance(scene.between(0, 10));
    for (const k of ['k0', 'k1']) scene.get(old, k);
    await scene.advance(scene.between(0, 10));
  }
  await scene.until('it is back', () => old.open.status().role === 'follower');
  for (const k of ['k0', 'k1']) scene.get(old, k);
}

/** A leader is back, is told to adopt what it has set aside, and is lost again before its successor leads without it. */
async function lostAgain(scene: Scene): Promise<void> {
  const { network } = scene.world;
  const [old, next] = (await scene.started(2)) as [SimNode, SimNode];
  const third = await scene.world.started('n2', { candidate: false });
  for (const k of ['k0', 'k1']) scene.put(old, k);
  await scene.ended();
  const slowMs = scene.between(300, 500);
  scene.latency(next, third, slowMs, slowMs + 5);
  old.host.cut();
  await scene.until('the old leader’s session is over', () => next.open.status().role === 'recovering');
  const back = scene.between(0, 2 * slowMs);
  await scene.advance(back);
  old.host.heal();
  await scene.advance(scene.between(4.2, 5.8) * slowMs - back);
  old.host.cut();
  network.cut(old.address, next.address);
  await scene.until('the next one leads', () => scene.leads(next));
  scene.delete(next, 'k0');
  scene.put(next, 'k1');
  await scene.ended();
  scene.get(third, 'k1');
  await scene.ended();
  scene.crash(next);
  await scene.advance(scene.between(1200, 1600));
  old.host.heal();
  network.healAll();
  await scene.until('it leads again', () => scene.leads(old));
  for (const node of [old, third]) for (const k of ['k0', 'k1']) scene.get(node, k);
}

/** A write is applied and read, and its answer dies with the leader: it must not be done again after the next one. */
async function lastWords(scene: Scene): Promise<void> {
  const [leader, next, writer, reader] = (await scene.started(4)) as [SimNode, SimNode, SimNode, SimNode];
  scene.put(leader, 'k');
  await scene.ended();
  const { network } = scene.world;
  network.setLatency(leader.address, writer.address, 1000, 1000);
  scene.put(writer, 'k');
  await scene.advance(5);
  scene.get(reader, 'k');
  scene.get(next, 'k');
  await scene.advance(scene.between(3, 20));
  network.setLatency(next.address, writer.address, 1, scene.between(5, 100));
  writer.host.setLatency(scene.between(1, 80));
  scene.crash(leader);
  await scene.until('the next one leads', () => scene.leads(next));
  scene.put(next, 'k');
  for (let i = 0; i < 10; i++) {
    await scene.advance(scene.between(1, 40));
    scene.get(i % 2 ? next : reader, 'k');
  }
}

/** A process crashes and begins again at its address, while its former session lives on. */
async function twoLives(scene: Scene): Promise<void> {
  const { world } = scene;
  const [leader, other] = (await scene.started(2)) as [SimNode, SimNode];
  const first = await world.started('f', { candidate: false });
  scene.put(leader, 'k');
  await scene.ended();
  scene.get(first, 'k');
  scene.get(other, 'k');
  await scene.ended();
  scene.crash(first);
  await scene.advance(scene.between(0, 600));
  const second = await world.started("f'", { candidate: false, address: first.address });
  scene.get(second, 'k');
  await scene.advance(20);
  scene.put(other, 'k');
  for (let i = 0; i < 60; i++) {
    scene.get(second, 'k');
    await scene.advance(scene.between(5, 30));
    if (i % 8 === 7) scene.put(other, 'k');
  }
}

/** The leader's member list is old when it arrives: somebody has joined since, and already holds a copy. */
async function oldList(scene: Scene): Promise<void> {
  const { world } = scene;
  const [leader, other, leaving] = (await scene.started(3)) as [SimNode, SimNode, SimNode];
  scene.put(leader, 'k');
  await scene.ended();
  leader.host.setLatency(scene.between(90, 130));
  await scene.advance(300);
  void leaving.open.close();
  await scene.advance(scene.between(150, 300));
  const joining = await world.started('f', { candidate: false });
  for (let i = 0; i < 6; i++) {
    scene.get(joining, 'k');
    await scene.advance(scene.between(1, 30));
  }
  await scene.advance(400);
  scene.put(other, 'k');
  await scene.ended();
  scene.get(joining, 'k');
}

export const scenes: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  overtaking,
  twice,
  farewells,
  slowFarewell,
  lateNews,
  secondCrash,
  oldStore,
  untimelyReturn,
  lostAgain,
  lastWords,
  twoLives,
  oldList,
};
