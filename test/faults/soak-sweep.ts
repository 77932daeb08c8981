/**
 * What keeps a long run bounded: keys whose time is over are deleted from the store, so that the data stay as many, and
 * whatever grows all the same is a leak; and what is known of them is judged and forgotten.
 */
import type { Cluster } from './faults-cluster.ts';
import type { KeyHistory, Timeline } from './timeline.ts';
import type { Judge } from './verdict.ts';

/** After the last operation on a key. Longer than any pause of a worker, and than any operation lasts. */
const DELETE_AFTER_NS = 30e9;
const JUDGE_AFTER_NS = 90e9;
const AT_ONCE = 16;
const TIMEOUT_MS = 3000;

/** Keys that are used as long as the run lasts (workload.ts). */
const isCold = (key: string): boolean => key.startsWith('c');

export class Sweep {
  readonly #timeline: Timeline;
  readonly #cluster: Cluster;
  readonly #judge: Judge;
  readonly #deleted = new Set<string>();

  constructor(timeline: Timeline, cluster: Cluster, judge: Judge) {
    this.#timeline = timeline;
    this.#cluster = cluster;
    this.#judge = judge;
  }

  async go(nowNs: number): Promise<void> {
    for (const key of this.#deleted) if (!this.#timeline.keys.has(key)) this.#deleted.delete(key);
    const over = [...this.#timeline.keys.values()].filter(
      (history) => !isCold(history.key) && !this.#deleted.has(history.key) && lastOf(history) < nowNs - DELETE_AFTER_NS,
    );
    await this.#delete(over.map(({ key }) => key));
    this.#judge.settle(nowNs - JUDGE_AFTER_NS);
  }

  async #delete(keys: string[]): Promise<void> {
    const work = async (): Promise<void> => {
      for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
        const nodes = this.#cluster.running();
        const node = nodes[keys.length % nodes.length];
        // What fails is tried again the next time.
        const isDone = await node?.member.del(key, TIMEOUT_MS).then(
          () => true,
          () => false,
        );
        if (isDone) this.#deleted.add(key);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
}

function lastOf({ entries }: KeyHistory): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const { s, t } of entries.slice(-20)) last = Math.max(last, s, t);
  return last;
}
