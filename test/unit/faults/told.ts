/** Timelines made by hand: what workers would tell, in milliseconds. */
import type { Role } from '../../../src/core/status.ts';
import { Timeline } from '../../faults/timeline.ts';
import type { ClockKind, Done, Intent, SessionEvent } from '../../faults/wire.ts';

export const ms = (time: number): number => time * 1_000_000;

export interface Said {
  /** Whether the worker was seen to have a copy afterwards. */
  readonly held?: boolean;
}

export class Told {
  readonly timeline = new Timeline();

  started(client: number, at: number, clock?: ClockKind): this {
    this.timeline.started(client, ms(at), clock);
    return this;
  }

  role(client: number, role: Role, epoch: number, at: number): this {
    this.timeline.heard(client, { ev: 'role', role, epoch: String(epoch), at: ms(at) }, ms(at));
    return this;
  }

  follows(client: number, epoch: number, at: number): this {
    this.timeline.heard(client, { ev: 'leader', address: 'a:1', epoch: String(epoch), at: ms(at) }, ms(at));
    return this;
  }

  /** Leads, and follows itself. */
  leads(client: number, epoch: number, at: number): this {
    return this.role(client, 'leader', epoch, at).follows(client, epoch, at);
  }

  session(client: number, what: SessionEvent, at: number): this {
    this.timeline.heard(client, { ev: 'session', what, at: ms(at) }, ms(at));
    return this;
  }

  intent(client: number, k: string, v: string, s: number): this {
    this.timeline.heard(client, { ev: 'intent', e: { c: client, op: 'put', k, v, s: ms(s) } }, ms(s));
    return this;
  }

  put(client: number, k: string, v: string, s: number, t: number, { held = true }: Said = {}): this {
    this.intent(client, k, v, s);
    return this.done({ c: client, op: 'put', k, v, ok: true, s: ms(s), t: ms(t) }, t, held);
  }

  del(client: number, k: string, s: number, t: number): this {
    return this.done({ c: client, op: 'del', k, ok: true, s: ms(s), t: ms(t) }, t, false);
  }

  get(client: number, k: string, r: string | null, s: number, t: number, { held = r !== null }: Said = {}): this {
    return this.done({ c: client, op: 'get', k, r, ok: true, s: ms(s), t: ms(t) }, t, held);
  }

  /** A write whose caller gave up, or whose leader went away. */
  unknown(client: number, k: string, v: string, s: number, end: number): this {
    this.intent(client, k, v, s);
    return this.done({ c: client, op: 'put', k, v, ok: false, s: ms(s), t: -1 }, end, false);
  }

  notApplied(client: number, k: string, v: string, s: number, t: number, more: { unsent?: true } = {}): this {
    this.intent(client, k, v, s);
    const intent: Intent = { c: client, op: 'put', k, v, s: ms(s) };
    return this.done({ ...intent, notApplied: true, t: ms(t), ...more }, t, false);
  }

  killed(client: number, at: number): this {
    this.timeline.killed(client, ms(at));
    this.timeline.ended(client, ms(at));
    return this;
  }

  left(client: number, at: number): this {
    this.timeline.left(client, ms(at));
    this.timeline.ended(client, ms(at));
    return this;
  }

  /** Its close was answered at `to`. */
  closed(client: number, from: number, to: number, { limitMs = 1000, lost = false } = {}): this {
    this.timeline.left(client, ms(from));
    this.timeline.closed(client, { from: ms(from), to: ms(to), limitMs, lost });
    this.timeline.ended(client, ms(to));
    return this;
  }

  private done(done: Done, at: number, held: boolean): this {
    this.timeline.heard(done.c as number, { ev: 'done', h: [done], held: held ? [0] : [], codes: {} }, ms(at));
    return this;
  }
}

/** Client 1 leads in epoch 1, the others follow. */
export function cluster(...followers: number[]): Told {
  const told = new Told().started(1, 0).leads(1, 1, 1);
  for (const client of followers) told.started(client, 2).role(client, 'follower', 1, 3).follows(client, 1, 3);
  return told;
}

/** Client 1 is killed at 100, client 2 leads from 200 in epoch 2, which client 3 follows from 210. */
export function takenOver(told: Told): Told {
  told.killed(1, 100).role(2, 'recovering', 1, 150).leads(2, 2, 200);
  return told.follows(3, 2, 210);
}
