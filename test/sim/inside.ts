// biome-ignore-all lint/complexity/useLiteralKeys: what is private is reached, and checked by the compiler, this way alone
/** A look into nodes, for checks alone: nothing here changes anything. */
import type { Cache } from '../../src/core/cache.ts';
import type { Group } from '../../src/core/group.ts';
import type { Leader } from '../../src/core/leader.ts';
import type { Counters } from '../../src/core/status.ts';
import type { Takeover } from '../../src/core/takeover.ts';
import type { Copy, Epoch, Key, Member, MemberId } from '../../src/core/types.ts';
import type { Life } from './cluster.ts';

export const selfOf = (group: Group): Member | undefined => group['self'];
export const leaderOf = (group: Group): Leader | undefined => group['leading'].leader;
export const takeoverOf = (group: Group): Takeover | undefined => group['leading']['takeover'];
export const cacheOf = (group: Group): Cache => group['following'].cache;

/** Whether its lease holds, by its own clock: whether it would answer, if it ran now. */
export function hasLease(group: Group, now: number): boolean {
  const session = group['session'];
  return session !== undefined && now < session.lease.end;
}

/** The epoch whose leader it follows, and from whose copies it answers. */
export function followedBy(group: Group): Epoch | undefined {
  const { leaderOf: leader, highest } = group['following'];
  return leader === undefined ? undefined : highest;
}

export const countersOf = (group: Group): Readonly<Counters> => group['counters'];

export const copiesOf = (cache: Cache): Iterable<readonly [Key, Copy]> => cache.copies();

export const isHolder = (leader: Leader, key: Key, member: MemberId): boolean =>
  leader['holders']['directory'].holders(key).includes(member);

export const lockedKeys = (leader: Leader): Iterable<Key> => leader['locks']['locks'].keys();

interface Driver {
  readonly queue: readonly unknown[];
  readonly calls: { readonly pending: { readonly size: number } };
}

/** Sizes of everything that a node keeps, by name. What is not bounded by the cluster's size has to end up empty. */
export function sizesOf({ node, group }: Life): Record<string, number> {
  if (group === undefined) return {};
  const { requests } = group['following'];
  const session = group['session'];
  const leader = leaderOf(group);
  const driver = node as unknown as Driver | undefined;
  const peers = [...group['leading']['peers']];
  const rounds = leader === undefined ? [] : [...leader['locks'].holders()];
  return {
    inputs: driver?.queue.length ?? 0,
    promises: driver?.calls.pending.size ?? 0,
    calls: group['calls'].size,
    requests: group['calls'].awaiting().length,
    sent: requests['sentReads'].size + requests['sentWrites'].size + requests['lingering'].size,
    flights: requests['flights'].size,
    unsent: requests['unsentReads'].size + requests['unsentWrites'].size,
    locks: leader?.gauges.locks ?? 0,
    queued: leader?.['locks'].queued ?? 0,
    backlog: peers.reduce((sum, peer) => sum + peer.backlog, 0),
    unacknowledged: rounds.reduce((sum, round) => sum + round.waiting.length, 0),
    zkRequests: session?.zk['waiting'].size ?? 0,
    retries: session?.zk['retries'].length ?? 0,
    // Bounded by the cluster's size.
    watches: session?.zk['watchers'].size ?? 0,
    beats: session?.lease['unpaired'].length ?? 0,
    channels: group['channels']['open'].size,
    dialled: group['channels']['dialled'].size,
    peers: peers.length,
    writes: peers.reduce((sum, peer) => sum + peer.writes.size, 0),
  };
}
