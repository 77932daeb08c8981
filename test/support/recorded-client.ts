/** A ZooKeeper client under test with everything that it has said, and requests as promises. */
import type {
  Logger,
  OpenZooKeeper,
  ZkOperation,
  ZkReply,
  ZkSession,
  ZkSessionEnd,
  ZkWatchKind,
  ZooKeeperClient,
  ZooKeeperHandler,
} from '../../src/ports.ts';
import { until } from './wait.ts';

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
}

export function recordingLogger(lines: LoggedLine[] = []): Logger & { readonly lines: LoggedLine[] } {
  const at = (level: string) => (message: string) => void lines.push({ level, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

type Successful = Extract<ZkReply, { ok: true }>;

export class RecordedClient implements ZooKeeperHandler {
  readonly client: ZooKeeperClient;
  readonly sessions: ZkSession[] = [];
  readonly watches: { readonly path: string; readonly kind: ZkWatchKind }[] = [];
  /** In the order in which they came. */
  readonly replies: { readonly request: number; readonly reply: ZkReply }[] = [];
  readonly ends: ZkSessionEnd[] = [];
  /** The names of all calls, in order. */
  readonly calls: string[] = [];
  disconnections = 0;
  private lastRequest = 0;

  constructor(open: OpenZooKeeper, lastZxid = 0n) {
    this.client = open(this, { lastZxid });
  }

  /** Has been told that it is connected, and not yet that it no longer is. */
  get isConnected(): boolean {
    return this.sessions.length > this.disconnections && this.ends.length === 0;
  }

  connected(session: ZkSession): void {
    this.calls.push('connected');
    this.sessions.push(session);
  }

  disconnected(): void {
    this.calls.push('disconnected');
    this.disconnections += 1;
  }

  ended(reason: ZkSessionEnd): void {
    this.calls.push('ended');
    this.ends.push(reason);
  }

  reply(request: number, reply: ZkReply): void {
    this.calls.push('reply');
    this.replies.push({ request, reply });
  }

  watch(path: string, kind: ZkWatchKind): void {
    this.calls.push('watch');
    this.watches.push({ path, kind });
  }

  async untilConnected(times = 1): Promise<ZkSession> {
    await until(`${times} connection(s)`, () => this.sessions.length >= times && this.isConnected);
    return this.sessions.at(-1) as ZkSession;
  }

  untilEnded(): Promise<ZkSessionEnd> {
    return until('the end of the session', () => this.ends[0]);
  }

  submit(operation: ZkOperation): number {
    this.lastRequest += 1;
    this.client.submit(this.lastRequest, operation);
    return this.lastRequest;
  }

  /** The reply to a request; fails when it got more than one. */
  async replyTo(request: number): Promise<ZkReply> {
    const own = () => this.replies.filter((entry) => entry.request === request);
    await until(`a reply to request ${request}`, () => own().length > 0);
    if (own().length > 1) throw new Error(`request ${request} was replied to ${own().length} times`);
    return own()[0]!.reply;
  }

  run(operation: ZkOperation): Promise<ZkReply> {
    return this.replyTo(this.submit(operation));
  }

  /** As `run`, for what must succeed. */
  async done(operation: ZkOperation): Promise<Successful> {
    const reply = await this.run(operation);
    if (!reply.ok) throw new Error(`${operation.op} failed: ${reply.message}`);
    return reply;
  }
}
