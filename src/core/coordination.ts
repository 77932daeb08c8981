/**
 * Raw operations of the coordination service as the core's recipes use them: plain data, no client. The port
 * `ZooKeeperClient` (ports.ts) carries them out.
 */

export interface Stat {
  /** Creation zxid. */
  readonly czxid: bigint;
  readonly mzxid: bigint;
  /** zxid of the last change of its list of children. */
  readonly pzxid: bigint;
  readonly version: number;
  /** Session id that owns an ephemeral znode, 16 hexadecimal digits; 16 zeros where it is persistent. */
  readonly ephemeralOwner: string;
}

export type ZkCreateMode = 'persistent' | 'ephemeral' | 'ephemeralSequential';

/** A step of a multi that changes nothing. */
export interface ZkStepCheck {
  readonly op: 'check';
  readonly path: string;
  readonly version?: number;
}

/** One step of a multi. `version` −1 or absent: any version. Version 0 means 0. */
export type ZkMultiStep =
  | { readonly op: 'create'; readonly path: string; readonly data: string; readonly mode: ZkCreateMode }
  | { readonly op: 'delete'; readonly path: string; readonly version?: number }
  | { readonly op: 'set'; readonly path: string; readonly data: string; readonly version?: number }
  | ZkStepCheck;

export type ZkOperation =
  | Exclude<ZkMultiStep, { op: 'check' }>
  | { readonly op: 'get'; readonly path: string; readonly watch?: boolean }
  /** A watch on a path that does not exist fires when it is created. */
  | { readonly op: 'exists'; readonly path: string; readonly watch?: boolean }
  | { readonly op: 'children'; readonly path: string; readonly watch?: boolean }
  | { readonly op: 'multi'; readonly steps: readonly ZkMultiStep[] };

/**
 * `CONNECTION_LOSS`: it was sent, its outcome is unknown. `NOT_SENT`: it surely did not happen. `SESSION_ENDED`: the
 * session is over; for a change that was in flight the outcome is unknown. `ROLLED_BACK`: another step of the multi
 * failed.
 */
export type ZkErrorCode =
  | 'NO_NODE'
  | 'NODE_EXISTS'
  | 'BAD_VERSION'
  | 'NOT_EMPTY'
  | 'NO_AUTH'
  | 'CONNECTION_LOSS'
  | 'NOT_SENT'
  | 'SESSION_ENDED'
  | 'BAD_ARGUMENTS'
  | 'OTHER';

/** The result of an operation. `zxid` is that of the reply: for a change its transaction, for a read what the server had seen. */
export type ZkReply =
  | {
      readonly ok: true;
      readonly zxid: bigint;
      /** create: the path with its sequence. */
      readonly path?: string;
      /** multi: the created path of each create step, undefined for the others. */
      readonly paths?: readonly (string | undefined)[];
      /** get. */
      readonly data?: string;
      /** get; exists: null where there is no such znode; children. */
      readonly stat?: Stat | null;
      /** children: names without their parent's path, in no order. */
      readonly names?: readonly string[];
    }
  | {
      readonly ok: false;
      readonly code: ZkErrorCode;
      readonly message: string;
      /** multi: which step failed, from 0. */
      readonly step?: number;
    };

export type ZkWatchKind = 'created' | 'deleted' | 'changed' | 'children';

export type ZkSessionEnd = 'expired' | 'closed' | 'authFailed' | 'refused';

export interface ZkSession {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** As negotiated, which may not be what was asked for. */
  readonly timeoutMs: number;
}
