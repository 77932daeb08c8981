/** What a kind of fault is: how it strikes, and how it is healed. */
import type { SeededRandom } from '../sim/seeded-random.ts';
import type { Cluster } from './faults-cluster.ts';
import type { Ability, Lab } from './lab.ts';

export interface Scene {
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  /** Hosts whose node this fault may touch: no other fault holds them. */
  readonly free: readonly number[];
}

/** A fault that has struck. */
export interface Struck {
  /** For the log. */
  readonly what: string;
  readonly holdMs: number;
  heal(): Promise<void>;
}

export interface Fault {
  readonly kind: string;
  /** How often in each round of all kinds. */
  readonly weight: number;
  readonly needs: readonly Ability[];
  /** Whom it touches: two faults at once never touch the same. */
  readonly touches: 'node' | 'servers' | 'everything';
  /** It ends processes: a node whose memory is watched is spared. */
  readonly restarts: boolean;
  strike(scene: Scene): Promise<Struck>;
}

/** Nothing left to heal. */
export const healed = async (): Promise<void> => {};
