/** Makes one fault after the other, sometimes two at once, out of a seed, and sees to it that all is well in between. */

import { SeededRandom } from '../sim/seeded-random.ts';
import { pause } from '../support/wait.ts';
import type { Cluster } from './faults-cluster.ts';
import type { Lab } from './lab.ts';
import { faultsOfTheNetwork } from './nemesis-cuts.ts';
import type { Fault, Scene } from './nemesis-fault.ts';
import { faultsOfNodes } from './nemesis-nodes.ts';
import { faultsOfServers } from './nemesis-servers.ts';

export const allFaults: readonly Fault[] = [...faultsOfNodes, ...faultsOfTheNetwork, ...faultsOfServers];

/** Those that this lab can make. */
export const possibleFaults = (lab: Lab, faults = allFaults): Fault[] =>
  faults.filter(({ needs }) => needs.every((ability) => lab.can(ability)));

export interface NemesisOptions {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Peace between two faults, from and to. */
  readonly gapMs: readonly [number, number];
  /** How often two strike at once. */
  readonly pairs: number;
  /** Hosts whose node is never ended. */
  readonly spared: readonly number[];
  /** Told of each fault, and of each recovery. */
  readonly log: (line: string) => void;
}

/** Under which kind the recovery of two faults at once is counted. */
export const TWO_AT_ONCE = 'two-at-once';

export class Nemesis {
  /** How often each kind has struck. */
  readonly counts: Record<string, number> = {};
  /** From the beginning of each healing until every node served, a node's restart included. Milliseconds. */
  readonly recoveries: Record<string, number[]> = {};
  readonly #lab: Lab;
  readonly #cluster: Cluster;
  readonly #options: NemesisOptions;
  readonly #order: SeededRandom;
  /** What is left of this round of all kinds. */
  readonly #round: Fault[] = [];
  #struck = 0;

  constructor(lab: Lab, cluster: Cluster, options: NemesisOptions) {
    this.#lab = lab;
    this.#cluster = cluster;
    this.#options = options;
    this.#order = SeededRandom.stream(options.seed, 'order');
    for (const { kind } of options.faults) this.counts[kind] = 0;
  }

  /** Until `over`. Rejects when a node does not serve again, or has ended of itself. */
  async run(over: () => boolean): Promise<void> {
    while (!over()) {
      await this.#peace(over);
      if (over()) return;
      const faults = this.#next();
      await this.#strike(faults);
    }
  }

  async #peace(over: () => boolean): Promise<void> {
    const until = performance.now() + this.#order.between(...this.#options.gapMs);
    while (performance.now() < until && !over()) {
      this.#cluster.assertWell();
      await pause(Math.min(100, until - performance.now()));
    }
  }

  #next(): Fault[] {
    const first = this.#draw(() => true)!;
    if (!this.#order.chance(this.#options.pairs)) return [first];
    const second = this.#draw((fault) => canStrikeTogether(first, fault));
    return second === undefined ? [first] : [first, second];
  }

  #draw(suits: (fault: Fault) => boolean): Fault | undefined {
    if (this.#round.length === 0) this.#round.push(...this.#newRound());
    const at = this.#round.findIndex(suits);
    return at === -1 ? undefined : this.#round.splice(at, 1)[0];
  }

  #newRound(): Fault[] {
    const round = this.#options.faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
    for (let i = round.length - 1; i > 0; i -= 1) {
      const j = this.#order.below(i + 1);
      [round[i], round[j]] = [round[j]!, round[i]!];
    }
    return round;
  }

  async #strike(faults: readonly Fault[]): Promise<void> {
    const kinds = faults.map(({ kind }) => kind).join(' + ');
    const hosts = this.#cluster.hosts();
    const order = SeededRandom.stream(this.#options.seed, `hosts ${this.#struck}`);
    // Of two faults of nodes at once each gets its half to choose from.
    const shuffled = [...hosts].sort(() => order.fraction() - 0.5);
    const shares =
      faults.length === 1 ? [hosts] : [shuffled.filter((_, i) => i % 2 === 0), shuffled.filter((_, i) => i % 2 === 1)];
    const healing = await Promise.all(faults.map((fault, i) => this.#live(fault, shares[i]!)));
    await this.#cluster.serving();
    const ms = Math.round(this.#cluster.servingSince - Math.max(...healing));
    const key = faults.length === 1 ? kinds : TWO_AT_ONCE;
    this.recoveries[key] = [...(this.recoveries[key] ?? []), ms];
    this.#options.log(`${kinds}: every node serves again after ${ms} ms`);
  }

  /** One fault, from its strike to its healing. Resolves to when the healing began. */
  async #live(fault: Fault, share: readonly number[]): Promise<number> {
    this.#struck += 1;
    const spared = fault.restarts ? this.#options.spared : [];
    const free = share.filter((host) => !spared.includes(host));
    const random = SeededRandom.stream(this.#options.seed, `fault ${this.#struck}`);
    const scene: Scene = { lab: this.#lab, cluster: this.#cluster, random, free };
    if (free.length === 0) return performance.now();
    const { what, holdMs, heal } = await fault.strike(scene);
    this.counts[fault.kind] = (this.counts[fault.kind] ?? 0) + 1;
    this.#options.log(`${fault.kind}: ${what}, for ${Math.round(holdMs)} ms`);
    await pause(holdMs);
    const healing = performance.now();
    await heal();
    return healing;
  }
}

function canStrikeTogether(a: Fault, b: Fault): boolean {
  if (a.touches === 'everything' || b.touches === 'everything') return false;
  return a.touches === 'node' || b.touches === 'node';
}
