/**
 * Which keys may have become absent by themselves, and when. Unreplicated data may vanish only thus: a leader is gone
 * uncleanly, another has taken over, and nobody else who *certainly* had a copy was a member all the while (Z05 Z30).
 *
 * Everything here has to be certain, for what is not excused is a violation:
 * - A leader's data were handed on if it followed its successor, in the session in which it had led.
 * - So they were if it closed in that session, in less time than a hand-over may take, while somebody else was there to
 *   take over; but whom it handed over to may have been gone again before it could say that it led.
 * - A node that leads again after losing its session has kept its data (S16), if nobody can have led in between: also
 *   nobody who was taking over, or starting, and cannot tell.
 * - Somebody had a copy if it was seen in his memory, and nothing can have invalidated it since: no write that had not
 *   ended then, or that began before the takeover was finished. A write that failed may have invalidated all the same,
 *   however late; only a change of the leader makes an end of it.
 * - He was a member until after the takeover if he answered in the same session later, or followed that leader.
 */
import type { Recorded, RecordedLoss } from '../sim/checker-history.ts';
import type { Hold, KeyHistory, Life, Reign, StrayWrite, Timeline, Upheaval } from './timeline.ts';
import type { Intent } from './wire.ts';

/** A takeover that may have lost what nobody else had. */
export interface UncleanTakeover {
  readonly before: Reign;
  readonly reign: Reign;
  /** The last moment at which the leader before surely lived. */
  readonly from: number;
  /** Its successor has taken over. */
  readonly to: number;
}

export function uncleanTakeovers(timeline: Pick<Timeline, 'lives' | 'reigns' | 'upheavals'>): UncleanTakeover[] {
  const { lives, reigns, upheavals } = timeline;
  const inOrder = [...reigns].sort((a, b) => Number(a.epoch - b.epoch));
  return inOrder.slice(1).flatMap((reign, index): UncleanTakeover[] => {
    const before = inOrder[index] as Reign;
    if (before.life.followed >= reign.epoch) return [];
    const isSame = before.life.client === reign.life.client;
    const mayHaveLed = ({ life, from, to }: Upheaval): boolean =>
      life !== before.life && life !== reign.life && from <= reign.at && to >= before.life.provenUntil;
    if (isSame && !upheavals.some(mayHaveLed)) return [];
    const takeover = { before, reign, from: Math.min(before.life.provenUntil, reign.at), to: reign.at };
    return isHandedOver(takeover, lives, upheavals.filter(mayHaveLed)) ? [] : [takeover];
  });
}

const NS_PER_MS = 1e6;
/** Of the time for a hand-over: clocks and timers may be off by so much. */
const NEARLY = 0.98;

/** Whether the leader before has closed, and cannot have done so without handing over (leave.ts of the core). */
function isHandedOver(takeover: UncleanTakeover, lives: readonly Life[], upheavals: readonly Upheaval[]): boolean {
  const { closed } = takeover.before.life;
  if (closed === undefined || closed.lost) return false;
  if (closed.to - closed.from >= closed.limitMs * NS_PER_MS * NEARLY) return false;
  // Nobody's turn may come where nobody is; and all nodes of fault runs are candidates.
  const isThere = (life: Life): boolean =>
    life !== takeover.before.life && life.provenFrom <= closed.from && survived(life, takeover);
  return lives.some(isThere) && upheavals.every(({ life, to }) => to < closed.from || survived(life, takeover));
}

/** What takeovers may have done to one key, and what they may not. */
export interface Survey {
  readonly losses: readonly RecordedLoss[];
  /** Takeovers that somebody with a copy has outlived, and after which a read has shown what became of it. */
  readonly survivals: number;
}

/** Of one key; `open`: its writes that have not ended. */
export function lossesOf(
  history: KeyHistory,
  open: readonly Intent[],
  takeovers: readonly UncleanTakeover[],
  reigns: readonly Reign[],
): Survey {
  const { key, entries } = history;
  const lastAbsent = lastRead(entries);
  const firstPut = [...entries, ...open].reduce(
    (first, { op, s }) => (op === 'put' ? Math.min(first, s) : first),
    NEVER,
  );
  const strays = [...history.strays, ...open.map(({ s }) => ({ s, end: NEVER }))];
  const losses: RecordedLoss[] = [];
  let survivals = 0;
  for (const takeover of takeovers) {
    // What was not there cannot have been lost; and if no read finds it absent afterwards, a loss makes no difference.
    const isMissed = lastAbsent >= takeover.from;
    const isShown = showsWhatBecame(entries, open, takeover);
    if (firstPut >= takeover.to || !(isMissed || isShown)) continue;
    if (!isKept(history, strays, takeover, reigns)) {
      if (isMissed) losses.push({ op: 'loss', k: key, s: takeover.from, t: takeover.to });
    } else if (isShown) survivals += 1;
  }
  return { losses, survivals };
}

const NEVER = Number.POSITIVE_INFINITY;

/** Whether somebody has read the key after a takeover, before anybody may have written it anew. */
function showsWhatBecame(
  entries: readonly Recorded[],
  open: readonly Intent[],
  { from, to }: UncleanTakeover,
): boolean {
  let writtenAt = open.reduce((first, { s }) => (s >= from ? Math.min(first, s) : first), NEVER);
  for (const { op, s, t } of entries) {
    if (op !== 'get' && (t === -1 ? s >= from : t > to)) writtenAt = Math.min(writtenAt, s);
  }
  return entries.some(({ op, s, t }) => op === 'get' && s >= to && t <= writtenAt);
}

/** When the last read that found the key absent has ended. */
function lastRead(entries: readonly Recorded[]): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const entry of entries) if (entry.op === 'get' && entry.r === null) last = Math.max(last, entry.t);
  return last;
}

/** Whether somebody certainly had a copy, and lived on as a member. */
function isKept(
  history: KeyHistory,
  strays: readonly StrayWrite[],
  takeover: UncleanTakeover,
  reigns: readonly Reign[],
): boolean {
  for (const [life, holds] of history.holds) {
    if (!survived(life, takeover)) continue;
    const hold = holds.findLast(({ to }) => to < takeover.to - takeover.reign.life.slackNs);
    if (hold !== undefined && isUndisturbed(hold, history.entries, strays, takeover, reigns)) return true;
  }
  return false;
}

const survived = (life: Life, { reign }: UncleanTakeover): boolean =>
  life.followed >= reign.epoch || life.provenUntil >= reign.at;

function isUndisturbed(
  hold: Hold,
  entries: readonly Recorded[],
  strays: readonly StrayWrite[],
  { before, to }: UncleanTakeover,
  reigns: readonly Reign[],
): boolean {
  const lastCall = Math.min(to, before.life.overSince);
  // Evictions are noticed only some time after they have happened.
  if (hold.life.evictedAt >= hold.from) return false;
  const invalidates = (entry: Recorded): boolean => {
    if (entry === hold.by || entry.op === 'get' || entry.op === 'loss' || entry.t === -1 || entry.s >= lastCall)
      return false;
    // What one worker has done has stamps of the same clock, whatever that is worth.
    return entry.c === hold.life.client ? entry.t >= hold.to : entry.t > hold.from;
  };
  const mayInvalidate = ({ s, end }: StrayWrite): boolean =>
    s < lastCall && !reigns.some(({ at, life }) => end < at - life.slackNs && at <= hold.from);
  return !entries.some(invalidates) && !strays.some(mayInvalidate);
}
