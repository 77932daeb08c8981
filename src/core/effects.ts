/** What goes into the core and what comes out of it. The driver (node-driver.ts) is the only one that turns effects into deeds. */
import type { WriteOutcome, ZiStoreErrorCode } from '../errors.ts';
import type { ChannelId, Direction } from './channels.ts';
import type { ZkOperation, ZkReply, ZkSession, ZkSessionEnd, ZkWatchKind } from './coordination.ts';
import type { Action, Message, NodeReport } from './messages.ts';
import type { Role } from './status.ts';
import type { Address, Epoch, Key, Member, Value } from './types.ts';

/** Number of a caller's operation, given by the driver; unique for the life of the node. */
export type CallId = number;

export type Input =
  | { readonly type: 'start' }
  /** A caller's operations. Each call is settled exactly once. */
  | { readonly type: 'get'; readonly call: CallId; readonly key: Key }
  | { readonly type: 'write'; readonly call: CallId; readonly key: Key; readonly action: Action }
  | { readonly type: 'inspect'; readonly call: CallId }
  | { readonly type: 'cancel'; readonly call: CallId; readonly code: 'ZISTORE_TIMEOUT' | 'ZISTORE_ABORTED' }
  | { readonly type: 'close' }
  /** Time has passed: `Group.wakeAt` was reached. */
  | { readonly type: 'wake' }
  /** From the transport. */
  | { readonly type: 'up'; readonly channel: ChannelId; readonly peer: Member; readonly direction: Direction }
  | { readonly type: 'down'; readonly channel: ChannelId }
  | { readonly type: 'message'; readonly channel: ChannelId; readonly message: Message }
  | SessionInput;

/** From the ZooKeeper client of session number `session`; those of an earlier one are ignored. */
export type SessionInput =
  | { readonly type: 'zkConnected'; readonly session: number; readonly info: ZkSession }
  | { readonly type: 'zkDisconnected'; readonly session: number }
  | { readonly type: 'zkEnded'; readonly session: number; readonly reason: ZkSessionEnd }
  | { readonly type: 'zkReply'; readonly session: number; readonly request: number; readonly reply: ZkReply }
  | { readonly type: 'zkWatch'; readonly session: number; readonly path: string; readonly kind: ZkWatchKind };

export interface Failure {
  readonly ok: false;
  readonly code: ZiStoreErrorCode;
  readonly message: string;
  /** On every failure of a write. */
  readonly outcome?: WriteOutcome;
  /** Where it is not what the code alone says. */
  readonly retryable?: boolean;
}

export type CallResult =
  | { readonly ok: true; readonly value?: Value; readonly existed?: boolean; readonly reports?: readonly NodeReport[] }
  | Failure;

/**
 * Effects are carried out in the order in which they stand. That order is part of the protocol: what hides copies or
 * changes state has happened inside the core before any effect is seen; messages go out before callers are answered.
 */
export type Effect =
  | { readonly type: 'send'; readonly channel: ChannelId; readonly message: Message }
  | { readonly type: 'dial'; readonly peer: Member }
  | { readonly type: 'hangup'; readonly peer: Member }
  | { readonly type: 'drop'; readonly channel: ChannelId; readonly reason: string }
  /** From here on we are this incarnation; null: nobody, every connection is to be closed. */
  | { readonly type: 'identify'; readonly self: Member | null }
  | { readonly type: 'openSession'; readonly session: number }
  | { readonly type: 'closeSession' }
  | { readonly type: 'zk'; readonly session: number; readonly request: number; readonly operation: ZkOperation }
  | { readonly type: 'settle'; readonly call: CallId; readonly result: CallResult }
  | { readonly type: 'role'; readonly role: Role; readonly previous: Role }
  | { readonly type: 'leader'; readonly leader: { readonly address: Address; readonly epoch: Epoch } | null }
  | { readonly type: 'session'; readonly event: 'suspended' | 'lost' | 'rejoined' }
  /** This node can never join as it is; it stays out until it is closed. */
  | { readonly type: 'fatal'; readonly failure: Failure }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields?: Record<string, unknown>;
    }
  /** close() is complete: the session's end has been asked for. */
  | { readonly type: 'closed' };

export type Outbox = Effect[];
