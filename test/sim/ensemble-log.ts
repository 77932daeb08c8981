/** What the servers of an ensemble agree on, in one order, and what has become of it. */
import type { Answer, Operation } from '../../src/embedded/operations.ts';
import type { ConnectRequest, Executed } from '../../src/embedded/state.ts';
import { CoordinatorState } from '../../src/embedded/state.ts';
import type { ServerConnection } from './ensemble-server.ts';

export type Entry =
  | { readonly kind: 'open'; readonly request: ConnectRequest; readonly origin: ServerConnection }
  /** Without an origin: expired. */
  | { readonly kind: 'end'; readonly session: bigint; readonly origin?: ServerConnection }
  | {
      readonly kind: 'change';
      readonly session: bigint;
      readonly operation: Operation;
      readonly origin: ServerConnection;
    };

const PASSWORD_BYTES = 16;

/** A server's state. The same entries in the same order make the same state, zxids and sessions everywhere. */
export function newReplica(tickTimeMs: number): CoordinatorState {
  let passwords = 0;
  return new CoordinatorState({
    limits: {
      tickTimeMs,
      minSessionTimeoutMs: tickTimeMs * 2,
      maxSessionTimeoutMs: tickTimeMs * 20,
      maxSessions: 10_000,
      maxNodes: 100_000,
      maxBytes: 64 * 1024 * 1024,
      maxWatchesPerConnection: 1000,
    },
    firstZxid: 1n << 32n,
    firstSessionId: 0x1000_0000_0000_0001n,
    newPassword: () => new Uint8Array(PASSWORD_BYTES).fill(++passwords % 251),
    wallOffsetMs: 0,
  });
}

/** One step of a transaction that went through. */
export interface Done {
  readonly zxid: bigint;
  readonly session: bigint;
  readonly op: string;
  /** With its sequence. */
  readonly path: string;
  readonly data: Uint8Array | null;
}

/** The steps of an entry that were carried out; none of those that failed. */
export function stepsOf(entry: Entry, { zxid, answer }: Executed): Done[] {
  if (entry.kind !== 'change') return [];
  const { operation, session } = entry;
  const steps = operation.op === 'multi' ? operation.steps : [operation];
  const answers: readonly Pick<Answer, 'code' | 'path'>[] = answer.steps ?? [answer];
  if (answers.some(({ code }) => code !== 0)) return [];
  return steps.flatMap((step, index) => {
    if (!('path' in step)) return [];
    const data = 'data' in step ? step.data : null;
    return [{ zxid, session, op: step.op, path: answers[index]?.path ?? step.path, data }];
  });
}
