/**
 * Who leads, and who is about to (Z13 Z33 Z35).
 *
 * Every node watches `served` (the last leader that finished takeover) and the **head** of the election, the znode
 * with the smallest sequence: the leader's own, or that of whoever takes over next. All nodes have to hear of the
 * leader's end anyway, so a candidate's watch on its predecessor would add nothing: when the head goes, everybody
 * looks again, and the new head finds itself. When a candidate in the middle goes, nobody is woken.
 *
 * Watches are hints: each one leads to reading again. Creation zxids tell apart what has the same name.
 */
import type { ZkReply } from './coordination.ts';
import type { Paths } from './paths.ts';
import { type Address, type Epoch, NO_EPOCH, toAddress, toEpoch } from './types.ts';
import { isConnectionFault, type ZkRequests } from './zk.ts';

/** The last leader that finished takeover. */
export interface Served {
  readonly epoch: Epoch;
  readonly address: Address;
}

/** The candidate whose turn it is. */
export interface Head {
  /** Its election znode's creation zxid: the epoch in which it leads or will lead. */
  readonly epoch: Epoch;
  readonly address: Address;
  readonly znode: string;
}

export interface ElectionEvents {
  /** Read anew: `served` and head, both possibly unchanged. No head: there is no candidate. */
  read(served: Served | undefined, head: Head | undefined, now: number): void;
  sessionGone(now: number): void;
}

export class Election {
  private reading = false;
  private again = false;
  private stopped = false;
  private served: Served | undefined;
  private readonly zk: ZkRequests;
  private readonly paths: Paths;
  private readonly events: ElectionEvents;

  constructor(zk: ZkRequests, paths: Paths, events: ElectionEvents) {
    this.zk = zk;
    this.paths = paths;
    this.events = events;
  }

  /** Reads everything again; calls while a reading is under way lead to one more reading after it. */
  readonly refresh = (): void => {
    if (this.stopped) return;
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    this.readServed();
  };

  stop(): void {
    this.stopped = true;
  }

  private readServed(): void {
    this.zk.submit({ op: 'get', path: this.paths.served, watch: true }, (reply, now) => {
      if (reply.ok) {
        this.served = parseServed(reply.data ?? '');
        this.zk.onWatch(this.paths.served, this.refresh);
        this.readHead();
      } else if (reply.code === 'NO_NODE') this.watchForServed();
      else this.failed(reply, now);
    });
  }

  private watchForServed(): void {
    this.zk.submit({ op: 'exists', path: this.paths.served, watch: true }, (reply, now) => {
      if (!reply.ok) this.failed(reply, now);
      else if (reply.stat != null) this.readServed();
      else {
        this.served = undefined;
        this.zk.onWatch(this.paths.served, this.refresh);
        this.readHead();
      }
    });
  }

  private readHead(): void {
    this.zk.submit({ op: 'children', path: this.paths.election }, (reply, now) => {
      if (!reply.ok) {
        this.failed(reply, now);
        return;
      }
      const name = smallest(reply.names ?? []);
      if (name === undefined) this.finish(undefined, now);
      else this.readCandidate(name);
    });
  }

  private readCandidate(name: string): void {
    const path = this.paths.candidate(name);
    this.zk.submit({ op: 'get', path, watch: true }, (reply, now) => {
      if (reply.ok) {
        this.zk.onWatch(path, this.refresh);
        const head = {
          epoch: toEpoch(reply.stat?.czxid ?? NO_EPOCH),
          address: toAddress(reply.data ?? ''),
          znode: name,
        };
        this.finish(head, now);
      } else if (reply.code === 'NO_NODE') this.readHead();
      else this.failed(reply, now);
    });
  }

  private finish(head: Head | undefined, now: number): void {
    this.reading = false;
    if (this.stopped) return;
    const again = this.again;
    this.again = false;
    this.events.read(this.served, head, now);
    if (again) this.refresh();
  }

  private failed(reply: ZkReply & { ok: false }, now: number): void {
    this.reading = false;
    if (this.stopped || reply.code === 'SESSION_ENDED') return;
    if (reply.code === 'NO_NODE' && !isConnectionFault(reply)) this.events.sessionGone(now);
    else this.zk.retry(this.refresh, now);
  }
}

/** Sequence of a candidate's znode: the last ten digits, for the guid before them breaks the order of names. */
export function sequenceOf(name: string): number {
  return Number(/-n-(-?\d+)$/.exec(name)?.[1] ?? Number.NaN);
}

function smallest(names: readonly string[]): string | undefined {
  let best: string | undefined;
  for (const name of names) {
    const sequence = sequenceOf(name);
    if (Number.isNaN(sequence)) continue;
    if (best === undefined || sequence < sequenceOf(best)) best = name;
  }
  return best;
}

export function parseServed(data: string): Served | undefined {
  try {
    const { epoch, address } = JSON.parse(data) as { epoch: string; address: string };
    return { epoch: toEpoch(BigInt(epoch)), address: toAddress(String(address)) };
  } catch {
    return undefined;
  }
}

export function formatServed(served: Served): string {
  return JSON.stringify({ epoch: String(served.epoch), address: served.address });
}
