/**
 * Who holds what, over all changes of the leader (Z05 Z30 Z31 Z41): what a new leader begins with has to be what the
 * one before had, but for keys that nobody alive could have kept. Those are marked in the history as lost; a key that
 * a member held all the time, and that is gone all the same, is a violation, and so is one that came back.
 */
import type { Group } from '../../src/core/group.ts';
import type { Leader } from '../../src/core/leader.ts';
import { type Copy, compareVersions, type Epoch, type Key, type Member, NO_EPOCH } from '../../src/core/types.ts';
import type { Cluster, Life } from './cluster.ts';
import { cacheOf, copiesOf, countersOf, hasLease, leaderOf, lockedKeys, selfOf, takeoverOf } from './inside.ts';
import type { Recorder } from './recorder.ts';
import type { Znodes } from './znodes.ts';

/** What a member held at some moment. */
interface Holding {
  readonly group: Group;
  readonly member: Member;
  readonly evictions: number;
  readonly labels: readonly Epoch[];
  readonly copies: ReadonlyMap<Key, Copy>;
}

interface Reign {
  store: ReadonlyMap<Key, Copy>;
  /** When it was last seen to hold its lease, in nanoseconds. */
  aliveAt: number;
  /** Keys that were being written when its lease ended, whatever became of those writes. */
  locked: Set<Key>;
  /** At its end, and at the beginning of each takeover since. */
  readonly holdings: Holding[];
}

export class Holdings {
  readonly #cluster: Cluster;
  readonly #znodes: Znodes;
  readonly #recorder: Recorder;
  readonly #fail: (what: string) => void;
  readonly #reigns = new Map<Epoch, Reign>();
  readonly #leaders = new Map<Life, Leader>();
  readonly #takeovers = new Set<Epoch>();
  /** Takeovers that may have gone through, as far as is known. */
  readonly #committing = new Map<Life, Epoch>();

  constructor(cluster: Cluster, znodes: Znodes, recorder: Recorder, fail: (what: string) => void) {
    this.#cluster = cluster;
    this.#znodes = znodes;
    this.#recorder = recorder;
    this.#fail = fail;
  }

  /** To be called after each event. */
  look(life: Life, group: Group, now: number): void {
    const leader = leaderOf(group);
    const before = this.#leaders.get(life);
    if (before !== leader) this.#changed(life, before, leader);
    if (leader !== undefined) {
      this.#committing.delete(life);
      this.#note(this.#reigns.get(leader.epoch), leader, hasLease(group, now));
      return;
    }
    const takeover = takeoverOf(group);
    if (takeover === undefined || takeover.epoch !== this.#committing.get(life)) this.#freeze(life);
    if (takeover === undefined) return;
    if (!this.#takeovers.has(takeover.epoch)) {
      this.#takeovers.add(takeover.epoch);
      this.#reigns.get(this.#znodes.served)?.holdings.push(...this.#snapshot());
    }
    // From here on `served` may name it, even if it never learns that itself.
    if (!takeover.committing || this.#reigns.has(takeover.epoch)) return;
    this.#begin(takeover.epoch, takeover.holding.copies);
    this.#committing.set(life, takeover.epoch);
  }

  /** It led, or may have: its next takeover may go on with the same map. */
  #freeze(life: Life): void {
    const reign = this.#reigns.get(this.#committing.get(life)!);
    this.#committing.delete(life);
    if (reign !== undefined) reign.store = new Map(reign.store);
  }

  /** A process is gone. */
  ended(life: Life): void {
    this.#freeze(life);
    this.#changed(life, this.#leaders.get(life), undefined);
  }

  /** `served` names a new leader. */
  served(epoch: Epoch, base: Epoch): void {
    const reign = this.#reigns.get(epoch);
    const last = base === NO_EPOCH ? undefined : this.#reigns.get(base);
    if (reign === undefined || (last === undefined && base !== NO_EPOCH)) {
      this.#fail(`served names ${epoch} after ${base}, and nobody was seen to take over`);
      return;
    }
    for (const [key, copy] of last?.store ?? []) {
      const kept = reign.store.get(key);
      if (kept !== undefined && compareVersions(kept.version, copy.version) === 0) continue;
      if (kept !== undefined) this.#fail(`${key} has changed in the takeover of epoch ${epoch}`);
      else this.#lost(key, copy, last!, epoch, base);
    }
    for (const key of reign.store.keys()) {
      if (!last?.store.has(key)) this.#fail(`${key} has come back in the takeover of epoch ${epoch}`);
    }
    for (const old of this.#reigns.keys()) if (old < base) this.#reigns.delete(old);
  }

  /** A write without a lease ends in a refusal, but its holders may have heard of it (Z26). */
  #note(reign: Reign | undefined, leader: Leader, hasLease: boolean): void {
    // A process that stood still for two changes of the leader: nobody looks back as far.
    if (reign === undefined) return;
    if (hasLease) {
      reign.aliveAt = this.#recorder.now();
      if (reign.locked.size > 0) reign.locked = new Set();
    }
    for (const key of lockedKeys(leader)) reign.locked.add(key);
  }

  #changed(life: Life, before: Leader | undefined, leader: Leader | undefined): void {
    if (before !== undefined) {
      const reign = this.#reigns.get(before.epoch);
      this.#leaders.delete(life);
      if (reign !== undefined) {
        // What becomes of the store from here on is that of one copy among others.
        reign.store = new Map(before.store);
        this.#note(reign, before, false);
        reign.holdings.push(...this.#snapshot());
      }
    }
    if (leader === undefined) return;
    this.#leaders.set(life, leader);
    this.#begin(leader.epoch, leader.store);
  }

  #begin(epoch: Epoch, store: ReadonlyMap<Key, Copy>): void {
    if (this.#reigns.has(epoch)) return;
    this.#reigns.set(epoch, { store, aliveAt: this.#recorder.now(), locked: new Set(), holdings: [] });
  }

  #snapshot(): Holding[] {
    const holdings: Holding[] = [];
    for (const { group } of this.#cluster.lives) {
      const member = group && selfOf(group);
      if (group === undefined || member === undefined || leaderOf(group) !== undefined) continue;
      const cache = cacheOf(group);
      holdings.push({
        group,
        member,
        evictions: countersOf(group).evictions,
        labels: cache.labels,
        copies: new Map(copiesOf(cache)),
      });
    }
    return holdings;
  }

  #lost(key: Key, copy: Copy, last: Reign, epoch: Epoch, base: Epoch): void {
    // An invalidation may have been under way, which leaves the leader the only holder.
    const holder = last.locked.has(key)
      ? undefined
      : last.holdings.find((holding) => this.#mustHaveKept(holding, key, copy, epoch, base));
    if (holder === undefined) this.#recorder.loss(key, last.aliveAt);
    else {
      const { address, incarnation } = holder.member;
      this.#fail(`${key} is lost in the takeover of epoch ${epoch} although ${address}#${incarnation} held it`);
    }
  }

  /** It was a member before the one that took over, is one still, and has evicted nothing. */
  #mustHaveKept(
    { member, group, evictions, labels, copies }: Holding,
    key: Key,
    copy: Copy,
    epoch: Epoch,
    base: Epoch,
  ) {
    const held = copies.get(key);
    return (
      held !== undefined &&
      compareVersions(held.version, copy.version) === 0 &&
      labels.includes(base) &&
      (member.incarnation as bigint) <= (epoch as bigint) &&
      this.#znodes.has(member) &&
      countersOf(group).evictions === evictions
    );
  }
}
