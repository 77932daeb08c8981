/** A seeded run: operations from every node among faults; then peace, in which everything has to end well; a verdict. */
import { byKey, type Recorded } from './checker-history.ts';
import { checkRegister } from './checker-register.ts';
import { CLUSTER, Cluster, type Life, TICK_MS } from './cluster.ts';
import { Ensemble } from './ensemble.ts';
import type { EnsembleServer } from './ensemble-server.ts';
import { addressOf, Faults } from './faults.ts';
import { Holdings } from './holdings.ts';
import { countersOf, leaderOf } from './inside.ts';
import { Invariants } from './invariants.ts';
import { limitsOf, type Profile } from './profiles.ts';
import { Recorder } from './recorder.ts';
import { SeededRandom } from './seeded-random.ts';
import { createMemoryNetwork, type MemoryNetwork } from './transport-twin.ts';
import { VirtualClock } from './virtual-clock.ts';
import { Workload } from './workload.ts';
import { Znodes } from './znodes.ts';

/** Rates of any two clocks differ by less than 1 %. */
const CLOCK_RATE = [0.9952, 1.0048] as const;
const SYNC_LIMIT_TICKS = 6;
const STEPS = 125;
const WIRE_EVERY = 10;
const MOST_VIOLATIONS = 5;

export interface SimulationOptions {
  readonly seed: number;
  readonly profile: Profile;
  readonly log?: ((line: string) => void) | undefined;
}

export interface Verdict {
  readonly operations: number;
  readonly cacheHits: number;
  readonly leaderChanges: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly history: readonly Recorded[];
}

export class Simulation {
  readonly #clock = new VirtualClock();
  readonly #random: SeededRandom;
  readonly #profile: Profile;
  readonly #network: MemoryNetwork;
  readonly #ensemble: Ensemble;
  readonly #cluster: Cluster;
  readonly #znodes = new Znodes(CLUSTER);
  readonly #recorder = new Recorder(this.#clock);
  readonly #holdings: Holdings;
  readonly #invariants: Invariants;
  readonly #workload: Workload;
  readonly #faults: Faults;
  readonly #violations = new Set<string>();
  readonly #log: ((line: string) => void) | undefined;
  #cacheHits = 0;
  #served = 0;

  constructor({ seed, profile, log }: SimulationOptions) {
    const stream = (name: string): SeededRandom => SeededRandom.stream(seed, name);
    const clock = this.#clock;
    this.#log = log;
    this.#random = stream('steps');
    this.#profile = limitsOf(profile, this.#random);
    const rates = stream('rates');
    const rate = (): number => rates.between(...CLOCK_RATE);
    const { latencyMs, servers } = this.#profile;
    // The real codec changes no schedule, so that a part of the runs is enough for it.
    const wire = seed % WIRE_EVERY === 0;
    this.#network = createMemoryNetwork({ clock, random: stream('network'), latencyMs, keepaliveMs: 500, wire });
    const lag = new Map<EnsembleServer, number>();
    const ensembleRandom = stream('ensemble');
    this.#ensemble = new Ensemble(
      {
        clock,
        random: ensembleRandom,
        servers,
        tickTimeMs: TICK_MS,
        syncLimit: SYNC_LIMIT_TICKS,
        rate,
        log,
        applyDelayMs: (server) => ensembleRandom.between(0, 1 + (lag.get(server) ?? 0)),
      },
      this.#znodes,
    );
    const parts = { clock, network: this.#network, ensemble: this.#ensemble, profile: this.#profile, log };
    this.#cluster = new Cluster({ ...parts, random: stream('nodes'), rate });
    const fail = (what: string): void => this.#fail(what);
    this.#holdings = new Holdings(this.#cluster, this.#znodes, this.#recorder, fail);
    this.#invariants = new Invariants(this.#cluster, this.#znodes, fail);
    this.#workload = new Workload(this.#cluster, this.#recorder, stream('workload'), clock, `${seed}/`);
    this.#faults = new Faults({ ...parts, random: stream('faults'), cluster: this.#cluster, lag });
    this.#znodes.onServed = (epoch, base) => {
      this.#served += 1;
      this.#holdings.served(epoch, base);
    };
    this.#cluster.onEnd = (life) => this.#ended(life);
    clock.afterEvent = () => this.#look();
  }

  async run(): Promise<Verdict> {
    const { nodes, candidates } = this.#profile;
    for (let number = 1; number <= nodes; number++) this.#cluster.start(addressOf(number), number <= candidates);
    try {
      await this.#clock.until('all nodes are open', () => this.#cluster.open.length === nodes, 20_000);
      await this.#storm();
      await this.#peace();
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#recorder.abandonAll();
    return this.#verdict();
  }

  async #storm(): Promise<void> {
    for (let step = 0; step < STEPS && this.#violations.size === 0; step++) {
      if (this.#random.chance(this.#profile.faultRate)) this.#faults.strike();
      else this.#workload.step();
      this.#invariants.lookClosely();
      await this.#clock.advance(
        this.#random.chance(0.15) ? this.#random.between(0, 1200) : this.#random.between(0, 50),
      );
    }
  }

  /** Everything heals: every operation has to end, and one leader be followed by all. */
  async #peace(): Promise<void> {
    if (this.#violations.size > 0) return;
    this.#faults.stop();
    const clock = this.#clock;
    const { nodes } = this.#profile;
    try {
      await clock.until('all nodes are open', () => this.#cluster.open.length === nodes, 30_000);
      await clock.until('one leader leads, and all follow it', () => this.#isAgreed(), 15_000);
      await clock.until('all operations end', () => this.#recorder.open === 0, 10_000);
      this.#workload.readAll();
      await clock.until('the last reads end', () => this.#recorder.open === 0, 10_000);
      // A write may still wait for a member that has crashed, until ZooKeeper says that it is gone.
      await clock.until('all is at rest', () => this.#isAgreed() && this.#invariants.leftovers().length === 0, 10_000);
      this.#invariants.lookClosely();
    } catch (error) {
      const left = this.#invariants.leftovers().join('; ');
      this.#fail(`no peace: ${error instanceof Error ? error.message : error}; ${left}; ${this.#describe()}`);
    }
  }

  #look(): void {
    for (const life of this.#cluster.lives) {
      const { group } = life;
      if (group === undefined) continue;
      const now = life.clock.now();
      this.#holdings.look(life, group, now);
      this.#invariants.look(life, group, now);
    }
  }

  #isAgreed(): boolean {
    const lives = this.#cluster.open;
    const leaders = lives.filter(({ group }) => group && leaderOf(group) !== undefined);
    const leader = leaders[0];
    return (
      leaders.length === 1 &&
      lives.every(({ node }) => {
        const status = node!.status();
        return status.live && status.leader === leader!.address && status.epoch === leader!.node!.status().epoch;
      })
    );
  }

  #ended(life: Life): void {
    this.#recorder.abandon(life.number);
    this.#holdings.ended(life);
    this.#count(life);
  }

  #count({ group }: Life): void {
    if (group !== undefined) this.#cacheHits += countersOf(group).cacheHits;
  }

  #fail(what: string): void {
    if (this.#violations.size >= MOST_VIOLATIONS || this.#violations.has(what)) return;
    this.#violations.add(what);
    this.#log?.(`${this.#clock.now().toFixed(3)} VIOLATION ${what}`);
  }

  #verdict(): Verdict {
    for (const life of this.#cluster.lives) this.#count(life);
    const { history, operations, faults } = this.#recorder;
    for (const fault of faults) this.#fail(fault);
    for (const [key, entries] of byKey(history)) {
      const { verdict } = checkRegister(entries);
      if (verdict !== 'linearizable') this.#fail(`the history of ${key} is not linearizable: ${verdict}`);
    }
    return {
      operations,
      cacheHits: this.#cacheHits,
      leaderChanges: Math.max(0, this.#served - 1),
      faults: this.#faults.counts,
      violations: [...this.#violations],
      history,
    };
  }

  #describe(): string {
    const nodes = [...this.#cluster.lives].map((life) => {
      const status = life.node?.status();
      return `${life.name} ${status === undefined ? 'opening' : JSON.stringify({ ...status, counters: undefined })}`;
    });
    return `${nodes.join('; ')}; open: ${this.#recorder.describeOpen()}`;
  }
}
