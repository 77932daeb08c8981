/** Where tests make the embedded coordinator misbehave. Without this object it never does. */
import type { Operation } from './operations.ts';

export interface RequestInfo {
  /** 16 hexadecimal digits; zeros in the handshake of a new session. */
  readonly sessionId: string;
  /** Number of the connection. */
  readonly connection: number;
  readonly kind: 'connect' | 'ping' | 'auth' | 'close' | 'unsupported' | Operation['op'];
}

/** `ignore`: as if lost on its way. `error`: answered with this ZooKeeper error code, and not carried out. */
export type RequestFate = 'handle' | 'ignore' | { readonly error: number };

/** `disconnect`: carried out, the answer lost with the connection. `delayMs`: what follows on the connection waits too. */
export type AnswerFate =
  | 'send'
  | 'ignore'
  | 'disconnect'
  | { readonly cutAfterBytes: number }
  | { readonly delayMs: number };

export interface CoordinatorFaults {
  /** Asked before a request is carried out. */
  request?(request: RequestInfo): RequestFate;
  /** Asked after it was carried out, before it is answered. */
  answer?(request: RequestInfo): AnswerFate;
  /**
   * Whether the connection of a session that has just ended stays open and its pings answered, as by a server that is
   * cut off from its quorum.
   */
  keepConnection?(sessionId: string): boolean;
}
