/** Puts together what `status()` shows. */
import type { Following } from './following.ts';
import type { Leader } from './leader.ts';
import type { Counters, NodeStatus, Role } from './status.ts';
import { type Address, epochOf, type Member, NO_EPOCH } from './types.ts';

interface Described {
  readonly now: number;
  readonly nodeId: string;
  readonly cluster: string;
  readonly address: Address;
  readonly role: Role;
  readonly live: boolean;
  /** Undefined without a session. */
  readonly leaseEnd: number | undefined;
  readonly members: readonly Member[];
  readonly operations: number;
  readonly following: Following;
  readonly leader: Leader | undefined;
  readonly counters: Counters;
}

export function describe(node: Described): NodeStatus {
  const { following, leader } = node;
  const { cache, announced } = following;
  const gauges = leader?.gauges ?? {
    entries: cache.entries,
    bytes: cache.bytes,
    locks: 0,
    invalidating: 0,
    directory: 0,
  };
  return {
    id: node.nodeId,
    cluster: node.cluster,
    address: node.address,
    role: node.role,
    epoch: String(announced === undefined ? NO_EPOCH : epochOf(announced)),
    leader: announced?.address ?? null,
    live: node.live,
    leaseMs: node.leaseEnd === undefined ? 0 : Math.max(0, node.leaseEnd - node.now),
    members: node.members.map((member) => member.address),
    cache: { entries: gauges.entries, bytes: gauges.bytes, visible: leader !== undefined || cache.visible },
    pending: {
      operations: node.operations,
      locks: gauges.locks,
      invalidating: gauges.invalidating,
      directory: gauges.directory,
    },
    counters: { ...node.counters },
  };
}
