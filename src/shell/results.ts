/** What a command of the shell answers: the objects that `--json` prints. */
import type { Role } from '../core/status.ts';
import { type WriteOutcome, ZiStoreError, type ZiStoreErrorCode } from '../errors.ts';

/** One client as `list` shows it. */
export interface ClientRow {
  readonly id: number;
  readonly address: string;
  readonly role: Role;
  /** Epoch of the leader it knows, a decimal string; '0' where it knows none. */
  readonly epoch: string;
  /** The switch of `zk-down` and `zk-up`. */
  readonly zookeeper: 'up' | 'down';
  /** The switch of `rmi-down` and `rmi-up`. */
  readonly rmi: 'up' | 'down';
  /** Whether it holds a live lease. */
  readonly live: boolean;
  readonly entries: number;
  readonly pid: number;
  /** Stopped by `pause`. */
  readonly paused?: true;
  /** The client did not answer: this is what was last known. */
  readonly stale?: true;
}

export interface ErrorObject {
  readonly code: ZiStoreErrorCode;
  readonly message: string;
  /** Of a write. */
  readonly outcome?: WriteOutcome;
}

export interface Result {
  readonly command: string;
  /** The number of the client it was about, or that client's row. */
  readonly client?: number | ClientRow;
  readonly ok: boolean;
  /** get: null where there is no value. */
  readonly value?: string | null;
  /** delete. */
  readonly existed?: boolean;
  readonly clients?: readonly ClientRow[];
  /** help. */
  readonly help?: string;
  readonly error?: ErrorObject;
  readonly background?: true;
}

/** Any failure as plain data. What is no ZiStoreError is a defect: nothing is known about its outcome. */
export function toErrorObject(error: unknown): ErrorObject {
  if (!(error instanceof ZiStoreError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: 'ZISTORE_OUTCOME_UNKNOWN', message: `internal error: ${message}` };
  }
  const { code, message, outcome } = error;
  return outcome === undefined ? { code, message } : { code, message, outcome };
}

export function fromErrorObject({ code, message, outcome }: ErrorObject): ZiStoreError {
  return new ZiStoreError(code, message, outcome === undefined ? {} : { outcome });
}

/** How errors are shown to people. */
export const errorLine = ({ code, message }: ErrorObject): string => `error: ${message} (${code})`;
