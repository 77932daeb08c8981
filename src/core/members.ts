/** The list of members as ZooKeeper gives it, and what may be concluded from it (Z34 Z35). */
import type { ZkReply } from './coordination.ts';
import type { Paths } from './paths.ts';
import { type Address, type Incarnation, type Member, toAddress, toIncarnation } from './types.ts';
import type { ZkRequests } from './zk.ts';

export class Members {
  /** zxid at which the names were read; what is read of each member is as new or newer. 0: never read. */
  private readAt = 0n;
  private current = new Map<Address, Incarnation>();
  private reading = false;
  private again = false;
  private watching = false;
  private stopped = false;
  private readonly zk: ZkRequests;
  private readonly paths: Paths;
  private readonly onRead: (now: number) => void;

  constructor(zk: ZkRequests, paths: Paths, onRead: (now: number) => void) {
    this.zk = zk;
    this.paths = paths;
    this.onRead = onRead;
  }

  get list(): Member[] {
    return [...this.current].map(([address, incarnation]) => ({ address, incarnation }));
  }

  /** From here on the list is read again at every change. Only for who leads or takes over: each change wakes all who watch. */
  watch(): void {
    this.watching = true;
    this.read();
  }

  unwatch(): void {
    this.watching = false;
  }

  /** Reads the list; a call while a reading is under way leads to one more after it. */
  readonly read = (): void => {
    if (this.stopped) return;
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    this.zk.submit({ op: 'children', path: this.paths.members, watch: this.watching }, (reply, now) => {
      if (!reply.ok) {
        this.failed(reply, now);
        return;
      }
      if (this.watching) this.zk.onWatch(this.paths.members, this.changed);
      this.readEach(reply.names ?? [], reply.zxid, now);
    });
  };

  stop(): void {
    this.stopped = true;
  }

  /**
   * Whether this incarnation is over for certain, and with it its lease. A list read before the incarnation was
   * created proves nothing by not showing it; a name that is still there may be another incarnation.
   */
  isGone(member: Member): boolean {
    return this.readAt >= member.incarnation && this.current.get(member.address) !== member.incarnation;
  }

  /** All at once: a name alone does not say which incarnation it is, nor whether it was replaced since the last list. */
  private readEach(names: readonly string[], readAt: bigint, now: number): void {
    const found = new Map<Address, Incarnation>();
    let missing = names.length;
    let failed = false;
    const done = (at: number): void => {
      this.reading = false;
      if (this.stopped) return;
      this.readAt = readAt;
      this.current = found;
      this.onRead(at);
      if (this.again) {
        this.again = false;
        this.read();
      }
    };
    if (missing === 0) {
      done(now);
      return;
    }
    for (const name of names) {
      this.zk.submit({ op: 'exists', path: `${this.paths.members}/${name}` }, (reply, at) => {
        if (failed) return;
        if (!reply.ok) {
          failed = true;
          this.failed(reply, at);
          return;
        }
        if (reply.stat != null) found.set(toAddress(name), toIncarnation(reply.stat.czxid));
        if (--missing === 0) done(at);
      });
    }
  }

  private readonly changed = (): void => {
    if (this.watching) this.read();
  };

  private failed(reply: ZkReply & { ok: false }, now: number): void {
    this.reading = false;
    this.again = false;
    if (!this.stopped && reply.code !== 'SESSION_ENDED') this.zk.retry(this.read, now);
  }
}
