/** What goes between the twin's clients and its server. */
import type { Answer, EventKind, Operation } from '../../src/embedded/operations.ts';
import type { ConnectRequest } from '../../src/embedded/state.ts';

export type ToServer =
  | ({ readonly type: 'connect' } & ConnectRequest)
  | { readonly type: 'request' | 'setWatches'; readonly operation: Operation }
  | { readonly type: 'ping' }
  | { readonly type: 'close' }
  | { readonly type: 'hungUp' };

export type FromServer =
  | {
      readonly type: 'connected';
      readonly sessionId: bigint;
      readonly password: Uint8Array;
      readonly timeoutMs: number;
    }
  | { readonly type: 'expired' }
  | { readonly type: 'pong' }
  | { readonly type: 'event'; readonly kind: EventKind; readonly path: string }
  | { readonly type: 'reply'; readonly zxid: bigint; readonly answer: Answer }
  | { readonly type: 'watchesSet'; readonly zxid: bigint }
  | { readonly type: 'sessionClosed' }
  | { readonly type: 'hungUp' }
  /** Nobody listens there. */
  | { readonly type: 'unreachable' };
