/** What a node tells about itself, as plain data. */
import type { Address } from './types.ts';

/** The life of a node as its user sees it; the contract's names. */
export type Role = 'joining' | 'recovering' | 'leader' | 'follower' | 'suspended' | 'lost' | 'closed';

/** Counters since the node was opened, and a few gauges. */
export interface Counters {
  /** Reads answered from this node's memory with no other node contacted (Z17). */
  cacheHits: number;
  /** `get` requests sent to a leader. */
  serverReadsSent: number;
  /** `get` requests of other nodes that this node, as leader, has answered (S05 S06). */
  serverReadsServed: number;
  /** Invalidations sent to holders, without those sent again on a new connection (S07). */
  invalidationsSent: number;
  /** Invalidations of this node's copies that it acknowledged. */
  invalidationsReceived: number;
  /** Writes applied as leader. */
  writesApplied: number;
  /** Takeovers finished by this node. */
  takeovers: number;
  /** Copies evicted to stay within the cache limits. */
  evictions: number;
  /** Sessions lost since the node was opened. */
  sessionsLost: number;
  /** Times that takeover found two values for one key; anything but 0 is a defect of the protocol or of a peer. */
  conflicts: number;
}

export interface NodeStatus {
  /** Identifier of this node, the same over all its sessions. */
  id: string;
  cluster: string;
  /** Under which peers reach it. */
  address: Address;
  role: Role;
  /** Epoch of the current leader as a decimal string; '0' when none is known. */
  epoch: string;
  /** Address of the current leader; null when none is known. */
  leader: Address | null;
  /** Whether this node holds a live lease right now: whether it may answer. */
  live: boolean;
  /** Milliseconds until the lease ends; 0 when it has. */
  leaseMs: number;
  /** Addresses of the live members as this node last read them (only the leader keeps this list up to date). */
  members: Address[];
  /** A follower's copies, or a leader's data. */
  cache: { entries: number; bytes: number; visible: boolean };
  /** Gauges of work in progress. */
  pending: {
    /** Operations of this node's callers that are not finished. */
    operations: number;
    /** Keys with a lock, as leader. */
    locks: number;
    /** Writes that wait for acknowledgements right now, as leader (S08 S09). */
    invalidating: number;
    /** Keys that the directory knows holders of, as leader. */
    directory: number;
  };
  counters: Counters;
}

export function newCounters(): Counters {
  return {
    cacheHits: 0,
    serverReadsSent: 0,
    serverReadsServed: 0,
    invalidationsSent: 0,
    invalidationsReceived: 0,
    writesApplied: 0,
    takeovers: 0,
    evictions: 0,
    sessionsLost: 0,
    conflicts: 0,
  };
}
