/**
 * The clean leave (docs/protocol.md): refuse new operations, finish those under way, then go. A leader first deletes
 * only its *election* znode and, as a plain member, lets the next leader collect its whole store. A crash in the
 * middle is an ordinary takeover.
 */
import type { Head, Served } from './election.ts';
import type { Following } from './following.ts';
import type { Leading } from './leading.ts';
import type { Paths } from './paths.ts';
import type { Session } from './session.ts';
import type { Epoch } from './types.ts';

/** Of the time for leaving, the part in which operations under way may end by themselves. */
const DRAIN_SHARE = 0.5;

export class Leave {
  begun = false;
  done = false;
  private deadline = Number.POSITIVE_INFINITY;
  private drainUntil = Number.POSITIVE_INFINITY;
  /** The epoch that was led and is handed over. */
  private ledEpoch: Epoch | undefined;
  /** Whether operations under way have had their time. */
  private drained = false;
  private deleting = false;
  private deleted = false;
  private last: { served: Served | undefined; head: Head | undefined } | undefined;
  private readonly timeoutMs: number;
  private readonly paths: Paths;
  private readonly following: Following;
  private readonly leading: Leading;

  constructor(timeoutMs: number, paths: Paths, following: Following, leading: Leading) {
    this.timeoutMs = timeoutMs;
    this.paths = paths;
    this.following = following;
    this.leading = leading;
  }

  /** Whether this node has stepped down on its way out: its turn does not come again. */
  get steppedDown(): boolean {
    return this.ledEpoch !== undefined;
  }

  get wakeAt(): number {
    if (!this.begun || this.done) return Number.POSITIVE_INFINITY;
    return Math.min(this.drainUntil, this.deadline);
  }

  begin(now: number): void {
    if (this.begun) return;
    this.begun = true;
    this.deadline = now + this.timeoutMs;
    this.drainUntil = now + this.timeoutMs * DRAIN_SHARE;
    this.leading.leader?.drain();
  }

  finishNow(): void {
    this.done = true;
  }

  electionRead(served: Served | undefined, head: Head | undefined): void {
    this.last = { served, head };
  }

  /** Looks, after each input, whether the next step can be taken. `calls`: operations of this node that are open. */
  proceed(session: Session, calls: number, live: boolean, now: number): void {
    if (!this.begun || this.done) return;
    if (now >= this.drainUntil) {
      this.drained = true;
      this.drainUntil = Number.POSITIVE_INFINITY;
    }
    if (now >= this.deadline || session.joined === undefined) this.done = true;
    else if (this.ledEpoch !== undefined) this.awaitSuccessor();
    else if (this.leading.leader !== undefined) this.drainLeader(session);
    else if (!this.leading.active) this.drainFollower(calls, live);
  }

  private drainLeader(session: Session): void {
    const { leader } = this.leading;
    if (leader === undefined) return;
    // Perhaps a takeover was under way when the leave began.
    if (!leader.isDraining) leader.drain();
    if (!leader.idle && !this.drained) return;
    // From here on nothing is answered as a leader any more; only then may the election know.
    this.ledEpoch = leader.epoch;
    this.drainUntil = Number.POSITIVE_INFINITY;
    this.leading.stepDown();
    session.leaveElection();
    session.members.unwatch();
    this.last = undefined;
    this.deleteZnode(session);
  }

  private deleteZnode(session: Session): void {
    const name = session.joined?.candidate;
    if (name === undefined || this.deleting) return;
    this.deleting = true;
    session.zk.submit({ op: 'delete', path: this.paths.candidate(name) }, (reply, now) => {
      this.deleting = false;
      if (reply.ok || reply.code === 'NO_NODE') {
        this.deleted = true;
        this.last = undefined;
        session.election.refresh();
      } else session.zk.retry(() => this.deleteZnode(session), now);
    });
  }

  /** Until the next leader has finished takeover, or there is nobody to become one. */
  private awaitSuccessor(): void {
    if (!this.deleted || this.last === undefined || this.ledEpoch === undefined) return;
    const { served, head } = this.last;
    if (head === undefined || (served !== undefined && served.epoch > this.ledEpoch)) this.done = true;
  }

  /** While nobody leads, a follower's copies may be all that is left of their keys: they wait for the next leader. */
  private drainFollower(calls: number, live: boolean): void {
    const needed =
      this.following.leaderOf === undefined && this.following.cache.entries > 0 && this.last?.head !== undefined;
    if (!live || (!needed && (calls === 0 || this.drained))) this.done = true;
  }
}
