/** What goes wrong, and is put right again after a while. */
import type { Clock } from '../../src/ports.ts';
import { type Cluster, type Life, SESSION_TIMEOUT_MS } from './cluster.ts';
import type { Ensemble } from './ensemble.ts';
import type { EnsembleServer } from './ensemble-server.ts';
import { leaderOf } from './inside.ts';
import type { Fault, Profile } from './profiles.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { MemoryNetwork } from './transport-twin.ts';

/** Faults strike the leader more often than its share: there they teach most. */
const LEADER_SHARE = 0.45;
const LONGEST_MS = 2500;

export interface FaultParts {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly ensemble: Ensemble;
  readonly cluster: Cluster;
  readonly profile: Profile;
  readonly lag: Map<EnsembleServer, number>;
  readonly log: ((line: string) => void) | undefined;
}

export class Faults {
  readonly counts: Record<string, number> = {};
  readonly #parts: FaultParts;
  #addresses: number;
  #over = false;
  readonly #undo = new Set<() => void>();

  constructor(parts: FaultParts) {
    this.#parts = parts;
    this.#addresses = parts.profile.nodes;
  }

  strike(): void {
    const { random, profile, cluster, log, clock } = this.#parts;
    const fault = random.weighted(profile.faults);
    const life = this.#victim();
    if (fault === undefined || life === undefined) return;
    if (cluster.open.length < 2 && ENDS.has(fault)) return;
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
    log?.(`${clock.now().toFixed(3)} fault ${fault} ${life.name}`);
    this.#happen(fault, life);
  }

  /** Everything is put right; what is on its way to be is put right now. */
  stop(): void {
    this.#over = true;
    for (const undo of [...this.#undo]) undo();
    this.#parts.network.healAll();
    this.#parts.ensemble.healAll();
  }

  #victim(): Life | undefined {
    const { random, cluster } = this.#parts;
    const lives = [...cluster.lives];
    const leader = lives.find(({ group }) => group !== undefined && leaderOf(group) !== undefined);
    if (leader !== undefined && random.chance(LEADER_SHARE)) return leader;
    return lives.length === 0 ? undefined : random.pick(lives);
  }

  /** Puts something right after a while, or when all is. */
  #later(delayMs: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#parts.clock.setTimer(delayMs, once);
  }

  #happen(fault: Fault, life: Life): void {
    if (fault.startsWith('zk')) this.#zooKeeper(fault, life);
    else if (fault.startsWith('net')) this.#network(fault, life);
    else if (fault.toLowerCase().includes('server')) this.#server(fault);
    else this.#process(fault, life);
  }

  #zooKeeper(fault: Fault, { path }: Life): void {
    const { random, ensemble } = this.#parts;
    if (fault === 'zkReset') path.reset();
    else if (fault === 'zkLoseRequest') path.loseNext('request');
    else if (fault === 'zkLoseReply') path.loseNext('reply');
    else {
      if (fault === 'zkCutServer') path.cut([random.pick(ensemble.servers)]);
      else path.cut();
      const silent = SESSION_TIMEOUT_MS * random.between(1.2, 2.5);
      this.#later(fault === 'zkSilence' ? silent : random.between(20, SESSION_TIMEOUT_MS * 1.4), () => path.heal());
    }
  }

  #network(fault: Fault, { address }: Life): void {
    const { random, network, cluster } = this.#parts;
    const others = [...cluster.lives].map((life) => life.address).filter((each) => each !== address);
    if (others.length === 0) return;
    const other = random.pick(others);
    const untilHealed = random.between(20, LONGEST_MS);
    if (fault === 'netReset') network.reset(address, other);
    else if (fault === 'netHalfOpen') network.halfOpen(address, other);
    else if (fault === 'netSlow') {
      const [least, most] = this.#parts.profile.latencyMs;
      network.setLatency(address, other, 20, 600);
      this.#later(untilHealed, () => network.setLatency(address, other, least, most));
    } else if (fault === 'netIsolate') {
      for (const each of others) network.cut(address, each);
      this.#later(untilHealed, () => {
        for (const each of others) network.heal(address, each);
      });
    } else {
      const [from, to] = random.chance(0.5) ? [address, other] : [other, address];
      if (fault === 'netCut') network.cut(from, to);
      else network.cutOneWay(from, to);
      this.#later(untilHealed, () => network.heal(from, to));
    }
  }

  #process(fault: Fault, life: Life): void {
    const { random, cluster } = this.#parts;
    if (fault === 'pause' || fault === 'longPause') {
      if (life.process.paused) return;
      life.process.pause();
      const most = fault === 'pause' ? SESSION_TIMEOUT_MS : SESSION_TIMEOUT_MS * 2.5;
      this.#later(random.between(fault === 'pause' ? 5 : SESSION_TIMEOUT_MS * 0.8, most), () => life.process.resume());
    } else if (fault === 'leave') {
      // Everybody who may lead must not be on the way out at once, or there is nobody to hand over to.
      if (life.process.paused) return;
      cluster.leave(life, () => this.#again(life));
    } else {
      cluster.crash(life, fault === 'machineCrash');
      this.#again(life);
    }
  }

  /** Another life, at the same address or elsewhere. */
  #again(life: Life): void {
    const { random, cluster } = this.#parts;
    const address = random.chance(0.7) ? life.address : addressOf(++this.#addresses);
    const start = (): void => cluster.start(address, life.candidate);
    if (this.#over) start();
    else this.#later(random.between(1, 1500), start);
  }

  #server(fault: Fault): void {
    const { random, ensemble, lag } = this.#parts;
    const { leader, servers } = ensemble;
    const followers = servers.filter((server) => server !== leader);
    const server = fault.startsWith('leader') ? leader : random.pick(followers.length > 0 ? followers : servers);
    if (server === undefined) return;
    const duration = random.between(50, LONGEST_MS);
    if (fault === 'serverLag') {
      lag.set(server, random.between(20, 400));
      this.#later(duration, () => lag.delete(server));
    } else if (fault === 'serverCrash' || fault === 'leaderServerCrash') {
      ensemble.crash(server);
      this.#later(duration, () => ensemble.restart(server));
    } else {
      ensemble.isolate(server, random.chance(0.6));
      this.#later(duration, () => ensemble.rejoin(server));
    }
  }
}

const ENDS: ReadonlySet<Fault> = new Set(['crash', 'machineCrash', 'leave']);

export const addressOf = (number: number): string => `10.0.${number >> 8}.${number & 255}:7000`;
