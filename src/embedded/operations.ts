/** What can be asked of the embedded coordinator's state, and what it answers. Free of wire formats. */

/** ZooKeeper's own error numbers (KeeperException.Code), as they go over the wire. */
export const ErrorCode = {
  systemError: -1,
  runtimeInconsistency: -2,
  unimplemented: -6,
  badArguments: -8,
  noNode: -101,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
} as const;

/** A request that cannot be done; nothing was changed. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** Kept and given back, but not enforced: the coordinator is reachable from this machine alone. */
export interface Acl {
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

export type Data = Uint8Array | null;

export type ChangeOperation =
  | {
      readonly op: 'create';
      readonly path: string;
      readonly data: Data;
      readonly acl: readonly Acl[];
      readonly ephemeral: boolean;
      readonly sequential: boolean;
      /** The answer carries the new znode's stat (create2). */
      readonly withStat?: boolean;
    }
  | { readonly op: 'delete'; readonly path: string; readonly version: number }
  | { readonly op: 'setData'; readonly path: string; readonly data: Data; readonly version: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number };

export type Operation =
  | ChangeOperation
  | { readonly op: 'setAcl'; readonly path: string; readonly acl: readonly Acl[]; readonly version: number }
  | { readonly op: 'multi'; readonly steps: readonly ChangeOperation[] }
  | { readonly op: 'exists'; readonly path: string; readonly watch: boolean }
  | { readonly op: 'getData'; readonly path: string; readonly watch: boolean }
  /** `withStat`: the answer carries the parent's stat (getChildren2). */
  | { readonly op: 'getChildren'; readonly path: string; readonly watch: boolean; readonly withStat: boolean }
  | { readonly op: 'getAcl'; readonly path: string }
  | { readonly op: 'sync'; readonly path: string }
  | {
      readonly op: 'setWatches';
      /** The newest zxid that the client had seen when it lost its connection. */
      readonly relativeZxid: bigint;
      readonly dataWatches: readonly string[];
      readonly existWatches: readonly string[];
      readonly childWatches: readonly string[];
    };

/** As on the wire. Times are milliseconds since 1970. */
export interface NodeStat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** Session id, or 0n where persistent. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: bigint;
}

/** What one step of a multi came to. On failure every step is an error: 0 before the culprit, -2 after it. */
export interface StepResult {
  readonly op: ChangeOperation['op'] | 'error';
  readonly code: number;
  readonly path?: string;
  readonly stat?: NodeStat;
}

export interface Answer {
  /** 0 or one of ErrorCode. A failed multi has 0 here and the error in its steps, as on the wire. */
  readonly code: number;
  readonly path?: string;
  readonly stat?: NodeStat;
  readonly data?: Data;
  readonly names?: readonly string[];
  readonly acl?: readonly Acl[];
  readonly steps?: readonly StepResult[];
}

export type EventKind = 'created' | 'deleted' | 'changed' | 'children';

/** Something that happened to a path, which watches may be waiting for. */
export interface Change {
  readonly kind: EventKind;
  readonly path: string;
}
