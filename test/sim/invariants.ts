/** What has to hold at every moment, whatever happens (docs/protocol.md). */
import type { Group } from '../../src/core/group.ts';
import { compareVersions, memberId } from '../../src/core/types.ts';
import type { Cluster, Life } from './cluster.ts';
import { cacheOf, copiesOf, countersOf, followedBy, hasLease, isHolder, leaderOf, selfOf, sizesOf } from './inside.ts';
import type { Znodes } from './znodes.ts';

/** Of what is bounded by the cluster's size, not by its load. */
const BOUNDS: Readonly<Record<string, number>> = {
  inputs: 0,
  zkRequests: 60,
  retries: 8,
  watches: 24,
  beats: 40,
  channels: 24,
  dialled: 8,
  peers: 16,
  writes: 400,
};

/** Of these something may be there, even when nothing is asked for. */
const NEVER_EMPTY = new Set(['zkRequests', 'retries', 'watches', 'beats', 'channels', 'dialled', 'peers', 'writes']);

export class Invariants {
  readonly #cluster: Cluster;
  readonly #znodes: Znodes;
  readonly #fail: (what: string) => void;

  constructor(cluster: Cluster, znodes: Znodes, fail: (what: string) => void) {
    this.#cluster = cluster;
    this.#znodes = znodes;
    this.#fail = fail;
  }

  /** After each event: at most one node answers as leader, and nobody answers whose session is over. */
  look(life: Life, group: Group, now: number): void {
    if (!hasLease(group, now)) return;
    const self = selfOf(group);
    if (self !== undefined && !this.#znodes.has(self))
      this.#fail(`${life.name} holds a lease, and its session is over`);
    if (leaderOf(group) === undefined) return;
    for (const other of this.#cluster.lives) {
      if (other === life || other.group === undefined || leaderOf(other.group) === undefined) continue;
      if (hasLease(other.group, other.clock.now())) this.#fail(`${life.name} and ${other.name} both answer as leader`);
    }
  }

  /** Now and then, for it costs more. */
  lookClosely(): void {
    const leading = [...this.#cluster.lives].find(
      ({ group, clock }) => group && leaderOf(group) && hasLease(group, clock.now()),
    );
    for (const life of this.#cluster.lives) {
      const { group } = life;
      if (group === undefined) continue;
      if (leading?.group !== undefined && leading !== life) this.#compare(life, group, leading.group);
      if (countersOf(group).conflicts > 0) this.#fail(`${life.name} found two values for one key in its takeover`);
      this.#checkSizes(life);
    }
  }

  /** What is still kept of what was asked for; nothing is asked for any more, so it has to become nothing. */
  leftovers(): string[] {
    return [...this.#cluster.lives].flatMap((life) => {
      const left = Object.entries(sizesOf(life)).filter(([name, size]) => size > 0 && !NEVER_EMPTY.has(name));
      return left.length === 0 ? [] : [`${life.name} keeps ${JSON.stringify(Object.fromEntries(left))}`];
    });
  }

  /** A member that answers from memory is listed for what it would answer, and would answer what is right. */
  #compare(life: Life, group: Group, leading: Group): void {
    const leader = leaderOf(leading);
    const self = selfOf(group);
    const cache = cacheOf(group);
    if (leader === undefined || self === undefined || !cache.visible || followedBy(group) !== leader.epoch) return;
    if (!hasLease(group, life.clock.now())) return;
    for (const [key, copy] of copiesOf(cache)) {
      if (!isHolder(leader, key, memberId(self))) this.#fail(`${life.name} shows ${key} and is not in the directory`);
      const right = leader.store.get(key);
      if (right === undefined || compareVersions(right.version, copy.version) !== 0) {
        this.#fail(`${life.name} shows a copy of ${key} that is out of date`);
      }
    }
  }

  #checkSizes(life: Life): void {
    const sizes = sizesOf(life);
    for (const [name, bound] of Object.entries(BOUNDS)) {
      const size = sizes[name] ?? 0;
      if (size > bound) this.#fail(`${life.name} keeps ${size} ${name}, more than ${bound}`);
    }
  }
}
