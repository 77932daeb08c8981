/** Hands operations of the port to the library and makes the port's replies of what it calls back with. */
import type { ZkCreateMode, ZkMultiStep, ZkOperation, ZkReply } from '../ports.ts';
import type { LibraryClient, LibraryError, LoadedLibrary, MultiResult } from './library.ts';
import { NOT_REACHED, serverError, toStat } from './replies.ts';
import type { Watches } from './watches.ts';

/** What the frame that is being dispatched says about itself; the library keeps it to itself or distorts it. */
export interface ReplyHeader {
  readonly zxid: bigint;
  readonly err: number;
}

type Settle = (reply: ZkReply) => void;
type Done = { readonly [field in 'path' | 'paths' | 'data' | 'stat' | 'names']?: unknown };
type Answered = (error: LibraryError | null | undefined, done: () => Done) => void;

export class Operations {
  private readonly loaded: LoadedLibrary;
  private readonly client: LibraryClient;
  private readonly watches: Watches;
  private readonly acl: unknown[];
  private readonly currentReply: () => ReplyHeader;

  constructor(
    loaded: LoadedLibrary,
    client: LibraryClient,
    watches: Watches,
    options: { readonly authenticated: boolean; readonly currentReply: () => ReplyHeader },
  ) {
    this.loaded = loaded;
    this.client = client;
    this.watches = watches;
    this.acl = options.authenticated ? loaded.library.ACL.CREATOR_ALL_ACL : loaded.library.ACL.OPEN_ACL_UNSAFE;
    this.currentReply = options.currentReply;
  }

  /** The operation must have been validated and the client be connected. `settle` is called when the reply arrives. */
  start(operation: ZkOperation, settle: Settle): void {
    const answered: Answered = (error, done) => {
      // Read here, synchronously: the library's own zxid moves on with the next reply.
      const { zxid, err } = this.currentReply();
      settle(error ? serverError(err === 0 ? error.code : err) : ({ ok: true, zxid, ...done() } as ZkReply));
    };
    if (operation.op === 'multi') this.multi(operation.steps, settle);
    else if (operation.op === 'create' || operation.op === 'delete' || operation.op === 'set') {
      this.change(operation, answered);
    } else this.read(operation, answered);
  }

  private change(operation: Extract<ZkOperation, { op: 'create' | 'delete' | 'set' }>, answered: Answered): void {
    const { client } = this;
    if (operation.op === 'create') {
      const mode = this.mode(operation.mode);
      client.create(operation.path, Buffer.from(operation.data), this.acl, mode, (error, path) =>
        answered(error, () => ({ path })),
      );
    } else if (operation.op === 'delete') {
      client.remove(operation.path, operation.version ?? -1, (error) => answered(error, () => ({})));
    } else {
      const data = Buffer.from(operation.data);
      client.setData(operation.path, data, operation.version ?? -1, (error) => answered(error, () => ({})));
    }
  }

  private read(operation: Extract<ZkOperation, { op: 'get' | 'exists' | 'children' }>, answered: Answered): void {
    const { client, watches } = this;
    const { path } = operation;
    const watcher = operation.watch === true ? watches.watcher : undefined;
    if (operation.op === 'get') {
      client.getData(path, watcher, (error, data, stat) =>
        answered(error, () => {
          if (watcher) watches.added('data', path);
          return { data: data?.toString('utf8') ?? '', stat: toStat(stat) };
        }),
      );
    } else if (operation.op === 'exists') {
      client.exists(path, watcher, (error, stat) =>
        answered(error, () => {
          if (watcher) watches.added(stat === null ? 'existence' : 'data', path);
          return { stat: stat === null ? null : toStat(stat) };
        }),
      );
    } else {
      client.getChildren(path, watcher, (error, names, stat) =>
        answered(error, () => {
          if (watcher) watches.added('child', path);
          return { names: names ?? [], stat: toStat(stat) };
        }),
      );
    }
  }

  /** Not by the library's `commit`, which loses which step failed and throws at codes that it does not know. */
  private multi(steps: readonly ZkMultiStep[], settle: Settle): void {
    const { jute } = this.loaded;
    const transaction = this.client.transaction();
    for (const step of steps) this.addStep(transaction, step);
    const header = new jute.protocol.RequestHeader(0, jute.OP_CODES.MULTI);
    const request = new jute.Request(header, new jute.TransactionRequest(transaction.ops));
    this.client.connectionManager.queue(request, (error, response) => {
      const { zxid, err } = this.currentReply();
      if (error) settle(serverError(err === 0 ? error.code : err));
      else settle(multiReply(response?.payload?.results ?? [], zxid));
    });
  }

  private addStep(transaction: ReturnType<LibraryClient['transaction']>, step: ZkMultiStep): void {
    if (step.op === 'create') {
      transaction.create(step.path, Buffer.from(step.data), this.acl, this.mode(step.mode));
      return;
    }
    if (step.op === 'set') transaction.setData(step.path, Buffer.from(step.data));
    else if (step.op === 'delete') transaction.remove(step.path);
    else transaction.check(step.path);
    // Written past the library's methods, which turn version 0 into "any" (pitfall 8).
    const added = transaction.ops.at(-1);
    if (added !== undefined) added.version = step.version ?? -1;
  }

  private mode(mode: ZkCreateMode): number {
    const { PERSISTENT, EPHEMERAL, EPHEMERAL_SEQUENTIAL } = this.loaded.library.CreateMode;
    return { persistent: PERSISTENT, ephemeral: EPHEMERAL, ephemeralSequential: EPHEMERAL_SEQUENTIAL }[mode];
  }
}

/** The step that failed has its own code; those before it 0, those after it NOT_REACHED. */
function multiReply(results: readonly MultiResult[], zxid: bigint): ZkReply {
  const errors = results.map((result) => result.err ?? 0);
  const own = errors.findIndex((err) => err !== 0 && err !== NOT_REACHED);
  const step = own === -1 ? errors.findIndex((err) => err !== 0) : own;
  if (step !== -1) return serverError(errors[step] as number, step);
  return { ok: true, zxid, paths: results.map((result) => result.path) };
}
