/**
 * What a worker process and whoever runs it say to each other: JSON lines, commands on the worker's standard input,
 * events on its standard output. The end of its input ends the worker at once.
 *
 * Every `s`, `t` and `at` is nanoseconds of the machine's monotonic clock, which all its processes share.
 */
import type { NodeStatus, Role } from '../../src/core/status.ts';
import type { WriteOutcome, ZiStoreErrorCode } from '../../src/errors.ts';
import type { ZiStoreOptions } from '../../src/options.ts';
import type { RecordedOperation } from '../sim/checker-history.ts';

/** All that can be said in JSON. */
export type WorkerOptions = Omit<ZiStoreOptions, 'logger' | 'valueEncoding'>;

/** `uptime`: stamps are read from /proc/uptime, which a process whose clocks are skewed still sees as it is. */
export type ClockKind = 'monotonic' | 'uptime';

export interface StartCommand {
  readonly do: 'start';
  /** `c` of what this worker records. One life of one worker: never used again, not even after a restart. */
  readonly client: number;
  readonly options: WorkerOptions;
  /** Default `monotonic`. */
  readonly clock?: ClockKind;
  /** What to add to /proc/uptime for the monotonic clock, as a worker that is not skewed sees it. Default 0. */
  readonly clockOffsetNs?: number;
}

export interface LoadShape {
  /** Operations a second. */
  readonly rate: number;
  readonly seed: number;
  /** A new generation of hot keys so often, by the machine's monotonic clock. Default 5000. */
  readonly generationMs?: number;
  /** Default 8. */
  readonly hotKeys?: number;
  /** Default 500. */
  readonly coldKeys?: number;
  /** Share of operations on cold keys. Default 0.1. */
  readonly coldShare?: number;
  /** Default 0.8. */
  readonly readShare?: number;
  /** Share of writes that delete. Default 0.02. */
  readonly deleteShare?: number;
  /** Bound of each operation. Default 5000. */
  readonly timeoutMs?: number;
  /** Operations not ended; beyond them none is begun, and each left out is counted. Default 256. */
  readonly maxInFlight?: number;
  /** Characters of each value; those of its name at least. Default: those of its name. */
  readonly valueSize?: number;
}

export interface LoadCommand extends LoadShape {
  readonly do: 'load';
}

export interface OperationCommand {
  readonly do: 'get' | 'put' | 'del';
  readonly id: number;
  readonly k: string;
  /** For `put`. Unique for its key, or the history cannot be judged. */
  readonly v?: string;
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

export interface RequestCommand {
  /** `quiet` ends the load and answers when every operation has ended. `close` leaves the cluster, answers, and exits. */
  readonly do: 'quiet' | 'status' | 'close';
  readonly id: number;
}

export type Command = StartCommand | LoadCommand | OperationCommand | RequestCommand;

/** Told before the write is called: of a worker that is killed it is what remains of it. */
export type Intent = Pick<RecordedOperation, 'c' | 'k' | 'v' | 's'> & { readonly op: 'put' | 'del' };

/** The answer to `status`. */
export interface WorkerStatus {
  readonly status: NodeStatus;
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly external: number };
  /** What keeps the process running, by kind: sockets, timers, … */
  readonly handles: Readonly<Record<string, number>>;
  readonly inFlight: number;
  /** In words: the oldest of those in flight. */
  readonly underWay: readonly string[];
  /** Operations that the load left out because `maxInFlight` had not ended, since the start. */
  readonly skipped: number;
  /** CPU time of the process since its start, milliseconds. */
  readonly cpuMs: number;
}

export type Answer =
  | { readonly ev: 'answer'; readonly id: number; readonly ok: true; readonly r: unknown }
  | {
      readonly ev: 'answer';
      readonly id: number;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly outcome?: WriteOutcome;
    };

/** `evicted`: copies have been, some time before. */
export type SessionEvent = 'suspended' | 'lost' | 'rejoined' | 'evicted';

/** The answer to `close`. It comes whatever became of a hand-over, so here is what tells. */
export interface Closed {
  /** Close was called after, and had ended before. */
  readonly from: number;
  readonly to: number;
  /** `closeTimeoutMs`: after so long a node goes without handing over. */
  readonly limitMs: number;
  /** Its session was lost in the meantime, so that it could not hand over. */
  readonly lost: boolean;
}

export type WorkerEvent =
  | { readonly ev: 'ready'; readonly address: string; readonly at: number }
  | { readonly ev: 'intent'; readonly e: Intent }
  | {
      readonly ev: 'done';
      /** What has ended. A write that certainly did not happen is here with `notApplied`, to take its intent back. */
      readonly h: readonly Done[];
      /** Of those, by index, after which this node was seen to have a copy in its own memory. */
      readonly held: readonly number[];
      /**
       * Errors since the last such event. `skipped`: operations that the load left out. `unexpected`: errors that are
       * none of ZiStore. `withoutOutcome`: of those of writes, which have to have one (Z08), so many had none.
       */
      readonly codes: Readonly<Partial<Record<ZiStoreErrorCode | 'skipped' | 'unexpected' | 'withoutOutcome', number>>>;
    }
  | { readonly ev: 'role'; readonly role: Role; readonly epoch: string; readonly at: number }
  /** Whom this node follows, or that it leads itself; null: nobody is known to lead. */
  | { readonly ev: 'leader'; readonly address: string | null; readonly epoch: string | null; readonly at: number }
  | { readonly ev: 'session'; readonly what: SessionEvent; readonly at: number }
  | Answer
  | { readonly ev: 'failed'; readonly code: string; readonly message: string };

/** A write that certainly did not happen; `t`: when the caller learned so. */
export type NotApplied = Intent & {
  readonly notApplied: true;
  readonly t: number;
  /** Its own node refused it at once, so that nobody else has ever heard of it. */
  readonly unsent?: true;
};

export type Done = RecordedOperation | NotApplied;

export const isNotApplied = (done: Done): done is NotApplied => 'notApplied' in done;
