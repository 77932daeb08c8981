/**
 * The embedded coordinator as a pure state: sessions, znodes, watches, zxids. No I/O, no timers; time is passed in.
 * The TCP server drives it, and so does the in-memory twin of the ZooKeeperClient port.
 */
import {
  type Answer,
  type ChangeOperation,
  ErrorCode,
  type Operation,
  Refusal,
  type StepResult,
} from './operations.ts';
import { type Session, type SessionLimits, SessionTable } from './sessions.ts';
import { DataTree, type Transaction, type TreeLimits } from './tree.ts';
import { type WatchEvent, type Watcher, type WatchList, WatchTable } from './watches.ts';

export interface CoordinatorLimits extends SessionLimits, TreeLimits {
  readonly maxWatchesPerConnection: number;
}

export interface CoordinatorOptions {
  readonly limits: CoordinatorLimits;
  /** zxids start above this. A coordinator that forgot its data must not repeat zxids: the caller makes it grow. */
  readonly firstZxid: bigint;
  /** Must differ between lives of the coordinator, or an old client could take over a new session. */
  readonly firstSessionId: bigint;
  /** 16 bytes, unguessable in production. */
  readonly newPassword: () => Uint8Array;
  /** What to add to `now` to get milliseconds since 1970, for ctime and mtime. */
  readonly wallOffsetMs: number;
}

export interface ConnectRequest {
  /** 0n asks for a new session. */
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
  readonly lastZxid: bigint;
}

export type ConnectResult =
  | { readonly kind: 'accepted'; readonly session: Session }
  /** No such session (any more), or not its password. */
  | { readonly kind: 'expired' }
  /** The client has seen a zxid that this server has not, or there are too many sessions. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface Executed {
  /** A change: its own, even if it failed. A read: the newest there is. */
  readonly zxid: bigint;
  readonly answer: Answer;
  /** To be delivered before the answer, so that no client sees the new state before the event that announces it. */
  readonly events: readonly WatchEvent[];
}

export interface Ended {
  readonly sessions: readonly bigint[];
  readonly events: readonly WatchEvent[];
}

export class CoordinatorState {
  readonly #tree: DataTree;
  readonly #sessions: SessionTable;
  readonly #watches: WatchTable;
  readonly #wallOffsetMs: number;
  #zxid: bigint;

  constructor(options: CoordinatorOptions) {
    this.#tree = new DataTree(options.limits);
    this.#sessions = new SessionTable(options.limits, options.firstSessionId, options.newPassword);
    this.#watches = new WatchTable(options.limits.maxWatchesPerConnection);
    this.#wallOffsetMs = options.wallOffsetMs;
    this.#zxid = options.firstZxid;
  }

  /** Of the newest transaction. */
  get zxid(): bigint {
    return this.#zxid;
  }

  get nodeCount(): number {
    return this.#tree.size;
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  get sessionIds(): readonly bigint[] {
    return this.#sessions.ids();
  }

  connect(request: ConnectRequest, now: number): ConnectResult {
    if (request.lastZxid > this.#zxid) return { kind: 'refused', reason: 'the client has seen a newer zxid' };
    if (request.sessionId !== 0n) {
      const session = this.#sessions.reattach(request.sessionId, request.password, request.timeoutMs, now);
      return session === undefined ? { kind: 'expired' } : { kind: 'accepted', session };
    }
    const session = this.#sessions.open(request.timeoutMs, now);
    if (session === undefined) return { kind: 'refused', reason: 'too many sessions' };
    this.#zxid++;
    return { kind: 'accepted', session };
  }

  /** Proof of life. False where the session is over. */
  touch(sessionId: bigint, now: number): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return false;
    this.#sessions.touch(session, now);
    return true;
  }

  /** Grants every session its full timeout from now, as a restarted server does. */
  touchAll(now: number): void {
    this.#sessions.touchAll(now);
  }

  /** For this long nobody could be heard. */
  postpone(ms: number): void {
    this.#sessions.postpone(ms);
  }

  execute(sessionId: bigint, watcher: Watcher, operation: Operation, now: number): Executed {
    if (!this.touch(sessionId, now)) return this.#answer({ code: ErrorCode.sessionExpired });
    switch (operation.op) {
      case 'create':
      case 'delete':
      case 'setData':
      case 'check':
      case 'setAcl':
        return this.#change(sessionId, now, (tx) => this.#apply(tx, operation));
      case 'multi':
        return this.#change(sessionId, now, (tx) => ({ code: 0, steps: this.#applyAll(tx, operation.steps) }));
      case 'setWatches':
        return this.#setWatches(watcher, operation);
      default:
        return this.#read(watcher, operation);
    }
  }

  /** Ends a session at once: its ephemerals go in one transaction. No-op where it is over already. */
  endSession(sessionId: bigint, now: number): Ended & { readonly zxid: bigint } {
    if (!this.#sessions.remove(sessionId)) return { sessions: [], events: [], zxid: this.#zxid };
    const done = this.#change(sessionId, now, (tx) => {
      for (const path of this.#tree.ephemeralsOf(sessionId)) this.#tree.delete(tx, path, -1);
      return { code: 0 };
    });
    return { sessions: [sessionId], events: done.events, zxid: done.zxid };
  }

  /** Ends every session that was silent for too long. To be called once a tick. */
  expire(now: number): Ended {
    const ended = this.#sessions.overdue(now).map((session) => this.endSession(session.id, now));
    return { sessions: ended.flatMap((e) => e.sessions), events: ended.flatMap((e) => e.events) };
  }

  /** The connection is gone, and its watches with it. */
  forgetWatcher(watcher: Watcher): void {
    this.#watches.forget(watcher);
  }

  #answer(answer: Answer, events: readonly WatchEvent[] = []): Executed {
    return { zxid: this.#zxid, answer, events };
  }

  /** Also a change that fails takes a zxid, as in ZooKeeper. */
  #change(session: bigint, now: number, apply: (tx: Transaction) => Answer): Executed {
    const time = Math.floor(now + this.#wallOffsetMs);
    const tx: Transaction = { zxid: ++this.#zxid, time, session, changes: [], undo: [] };
    const answer = guarded(() => apply(tx));
    return this.#answer(
      answer,
      tx.changes.flatMap((change) => this.#watches.trigger(change)),
    );
  }

  #apply(tx: Transaction, operation: ChangeOperation | Extract<Operation, { op: 'setAcl' }>): Answer {
    switch (operation.op) {
      case 'create': {
        const path = this.#tree.create(tx, operation);
        const stat = operation.withStat ? this.#tree.stat(path) : undefined;
        return stat === undefined ? { code: 0, path } : { code: 0, path, stat };
      }
      case 'delete':
        this.#tree.delete(tx, operation.path, operation.version);
        return { code: 0 };
      case 'setData':
        return { code: 0, stat: this.#tree.setData(tx, operation.path, operation.data, operation.version) };
      case 'check':
        this.#tree.check(operation.path, operation.version);
        return { code: 0 };
      case 'setAcl':
        return { code: 0, stat: this.#tree.setAcl(operation.path, operation.acl, operation.version) };
    }
  }

  /** All or nothing; every step has the zxid, and so every created znode the czxid, of the whole. */
  #applyAll(tx: Transaction, steps: readonly ChangeOperation[]): StepResult[] {
    const results: StepResult[] = [];
    for (const step of steps) {
      const answer = guarded(() => this.#apply(tx, step));
      if (answer.code !== 0) {
        rollBack(tx);
        return failedSteps(steps.length, results.length, answer.code);
      }
      results.push({ op: step.op, ...answer });
    }
    return results;
  }

  #read(watcher: Watcher, operation: Extract<Operation, { path: string }>): Executed {
    return this.#answer(
      guarded((): Answer => {
        switch (operation.op) {
          case 'exists': {
            // Also where there is nothing: the watch then waits for its creation.
            if (operation.watch) this.#watch('data', operation.path, watcher);
            const stat = this.#tree.stat(operation.path);
            return stat === undefined ? { code: ErrorCode.noNode } : { code: 0, stat };
          }
          case 'getData': {
            const { data, stat } = this.#tree.read(operation.path);
            if (operation.watch) this.#watch('data', operation.path, watcher);
            return { code: 0, data, stat };
          }
          case 'getChildren': {
            const { names, stat } = this.#tree.read(operation.path);
            if (operation.watch) this.#watch('child', operation.path, watcher);
            return operation.withStat ? { code: 0, names, stat } : { code: 0, names };
          }
          case 'getAcl': {
            const { acl, stat } = this.#tree.read(operation.path);
            return { code: 0, acl, stat };
          }
          case 'sync':
            return { code: 0, path: operation.path };
          default:
            return { code: ErrorCode.unimplemented };
        }
      }),
    );
  }

  /** After a reconnect: what changed while the client was away is reported now, the rest is watched again. */
  #setWatches(watcher: Watcher, request: Extract<Operation, { op: 'setWatches' }>): Executed {
    const events: WatchEvent[] = [];
    const report = (kind: WatchEvent['kind'], path: string) => events.push({ kind, path, watcher });
    const answer = guarded((): Answer => {
      for (const path of request.dataWatches) {
        const stat = this.#tree.stat(path);
        if (stat === undefined) report('deleted', path);
        else if (stat.mzxid > request.relativeZxid) report('changed', path);
        else this.#watch('data', path, watcher);
      }
      for (const path of request.existWatches) {
        if (this.#tree.stat(path) !== undefined) report('created', path);
        else this.#watch('data', path, watcher);
      }
      for (const path of request.childWatches) {
        const stat = this.#tree.stat(path);
        if (stat === undefined) report('deleted', path);
        else if (stat.pzxid > request.relativeZxid) report('children', path);
        else this.#watch('child', path, watcher);
      }
      return { code: 0 };
    });
    return this.#answer(answer, events);
  }

  #watch(list: WatchList, path: string, watcher: Watcher): void {
    if (!this.#watches.add(list, path, watcher)) throw new Refusal(ErrorCode.systemError, 'too many watches');
  }
}

function guarded(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code };
    throw error;
  }
}

function rollBack(tx: Transaction): void {
  for (const undo of tx.undo.reverse()) undo();
  tx.undo.length = 0;
  tx.changes.length = 0;
}

function failedSteps(count: number, culprit: number, code: number): StepResult[] {
  return Array.from({ length: count }, (_, index) => ({
    op: 'error',
    code: index < culprit ? 0 : index === culprit ? code : ErrorCode.runtimeInconsistency,
  }));
}
