/** A seeded run: operations from every node among cuts, pauses, lost sessions and leaves; then peace, and a verdict. */
import { ZiStoreError } from '../../src/errors.ts';
import { isLinearizable, type Operation } from './linearizability.ts';
import { type SimNode, World } from './world.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly nodes?: number;
  readonly steps?: number;
  readonly log?: (line: string) => void;
}

export interface ChaosResult {
  readonly operations: number;
  readonly acknowledged: number;
  readonly cacheHits: number;
  readonly takeovers: number;
  readonly violations: string[];
}

export class Chaos {
  readonly world: World;
  private readonly histories = new Map<string, Operation[]>();
  private readonly open = new Set<Promise<unknown>>();
  private readonly violations: string[] = [];
  private readonly steps: number;
  private readonly nodeCount: number;
  private values = 0;
  private acknowledged = 0;
  private hits = 0;
  private takeovers = 0;

  constructor(options: ChaosOptions) {
    this.world = new World({ seed: options.seed, ...(options.log && { log: options.log }) });
    this.steps = options.steps ?? 150;
    this.nodeCount = options.nodes ?? 4;
  }

  async run(): Promise<ChaosResult> {
    const { world } = this;
    const { clock, random } = world;
    for (let i = 0; i < this.nodeCount; i++) await world.started(`n${i}`, { candidate: i < 3 });
    for (let step = 0; step < this.steps; step++) {
      const node = random.pick(world.nodes);
      const roll = random.fraction();
      if (roll < 0.8) this.operation(node);
      else if (roll < 0.95) this.fault(node);
      else await this.replace(node);
      this.checkLeaders();
      await clock.advance(random.fraction() < 0.2 ? random.below(1500) : random.below(60));
    }
    await this.peace();
    for (const [key, history] of this.histories) {
      if (!isLinearizable(history)) this.violations.push(`${key} is not linearizable`);
    }
    for (const node of world.nodes) this.count(node);
    const operations = [...this.histories.values()].reduce((sum, history) => sum + history.length, 0);
    const { acknowledged, hits: cacheHits, takeovers, violations } = this;
    return { operations, acknowledged, cacheHits, takeovers, violations };
  }

  history(key: string): readonly Operation[] {
    return this.histories.get(key) ?? [];
  }

  private operation(sim: SimNode): void {
    if (sim.node === undefined || sim.process.paused) return;
    const { random } = this.world;
    const key = `k${random.below(3)}`;
    const roll = random.fraction();
    if (roll < 0.65) this.record(sim, key, 'read', null, () => sim.get(key));
    else if (roll < 0.93) {
      const value = `v${++this.values}`;
      this.record(sim, key, 'write', value, () => sim.set(key, value));
    } else this.record(sim, key, 'write', null, () => sim.delete(key));
  }

  private record(
    sim: SimNode,
    key: string,
    kind: 'read' | 'write',
    value: string | null,
    run: () => Promise<unknown>,
  ): void {
    const { clock } = this.world;
    const start = clock.now();
    const add = (operation: Omit<Operation, 'start' | 'kind' | 'who'>): void => {
      const history = this.histories.get(key) ?? [];
      this.histories.set(key, history);
      history.push({ kind, start, who: sim.name, ...operation });
    };
    const open = run().then(
      (result) => {
        this.acknowledged += 1;
        add({ value: kind === 'read' ? ((result as string | undefined) ?? null) : value, end: clock.now() });
      },
      (error: unknown) => {
        if (!(error instanceof ZiStoreError)) this.violations.push(`not a ZiStoreError: ${String(error)}`);
        else if (kind === 'write' && error.outcome === 'unknown') add({ value, end: Number.POSITIVE_INFINITY });
        else if (kind === 'write' && error.outcome === undefined) this.violations.push(`no outcome: ${error.code}`);
      },
    );
    this.open.add(open);
    void open.finally(() => this.open.delete(open));
  }

  private fault(sim: SimNode): void {
    const { random, network, clock, nodes } = this.world;
    const other = random.pick(nodes);
    const later = (undo: () => void): void => void clock.setTimer(random.below(4000), undo);
    switch (random.below(9)) {
      case 0:
        sim.host.cut();
        later(() => sim.host.heal());
        return;
      case 1:
        sim.process.pause();
        later(() => sim.process.resume());
        return;
      case 2:
        network.cut(sim.address, other.address);
        later(() => network.heal(sim.address, other.address));
        return;
      case 3:
        network.cutOneWay(sim.address, other.address);
        later(() => network.heal(sim.address, other.address));
        return;
      case 4:
        // A session never ends before its timeout: that is what leases rest on. So it is made to end by silence.
        sim.host.cut();
        void clock.setTimer(1500 + random.below(2000), () => sim.host.heal());
        return;
      case 5:
        sim.host.dropNextReply();
        return;
      case 6:
        network.reset(sim.address, other.address);
        return;
      case 7:
        network.halfOpen(sim.address, other.address);
        return;
      default:
        sim.host.isolate();
        later(() => sim.host.rejoin());
    }
  }

  /** Leaves cleanly, and another life begins at the same address. */
  private async replace(sim: SimNode): Promise<void> {
    if (sim.node === undefined || sim.process.paused) return;
    const { world } = this;
    this.count(sim);
    const node = sim.node;
    sim.node = undefined;
    void node.close().then(() => {
      const index = world.nodes.indexOf(sim);
      const next = world.start(`${sim.name}'`, { address: sim.address });
      world.nodes.pop();
      world.nodes[index] = next;
      next.opening.catch((error: unknown) => this.violations.push(`reopening failed: ${String(error)}`));
    });
  }

  private count(sim: SimNode): void {
    const status = sim.node?.status();
    this.hits += status?.counters.cacheHits ?? 0;
    this.takeovers += status?.counters.takeovers ?? 0;
    if ((status?.counters.conflicts ?? 0) > 0) this.violations.push(`${sim.name} saw conflicts at a merge`);
  }

  private checkLeaders(): void {
    const leaders = this.world.nodes.filter((sim) => {
      const status = sim.process.paused ? undefined : sim.node?.status();
      return status?.role === 'leader' && status.live;
    });
    if (leaders.length > 1)
      this.violations.push(
        `two live leaders: ${leaders.map((sim) => `${sim.name} ${JSON.stringify(sim.node?.status())}`).join(', ')} at ${this.world.clock.now()}`,
      );
  }

  /** Everything heals: every operation must end, and one leader be followed by all. */
  private async peace(): Promise<void> {
    const { world } = this;
    await world.clock.advance(4100);
    world.network.healAll();
    try {
      await world.clock.until('all are open', () => world.nodes.every((sim) => sim.node !== undefined), 60_000);
      await world.clock.until('one leader, followed by all', () => this.agreed(), 30_000);
      await world.clock.until('all operations end', () => this.open.size === 0, 10_000);
      for (const sim of world.nodes)
        for (const key of ['k0', 'k1', 'k2']) this.record(sim, key, 'read', null, () => sim.get(key));
      await world.clock.until('all final reads end', () => this.open.size === 0, 10_000);
    } catch (error) {
      const states = world.nodes.map((sim) => `${sim.name} ${JSON.stringify(sim.node?.status())}`);
      this.violations.push(`no peace: ${String(error)}\n${states.join('\n')}`);
    }
  }

  private agreed(): boolean {
    const statuses = this.world.nodes.map((sim) => sim.node?.status());
    const leaders = statuses.filter((status) => status?.role === 'leader');
    return (
      leaders.length === 1 &&
      statuses.every(
        (status) => status?.live && status.leader === leaders[0]?.address && status.pending.operations === 0,
      )
    );
  }
}
