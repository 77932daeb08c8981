/**
 * From a history that is not linearizable to the few operations that show it.
 *
 * Leaving out a read, a write whose value no remaining read returns, or a write that begins after all of them, never
 * makes a linearizable history unlinearizable; so what is left when nothing more can be left out is a proof by itself.
 */
import type { Recorded } from './checker-history.ts';
import { checkRegister } from './checker-register.ts';

export interface CounterExample {
  readonly key: string;
  /** In the order of their starts. */
  readonly operations: readonly Recorded[];
  /** The first operation that no order can explain. */
  readonly offender: Recorded;
  /** One sentence on why. */
  readonly why: string;
}

/** Configurations that each check may look at: where it would be hard to say, the operation stays in. */
const BUDGET = 20_000;

const fails = (history: readonly Recorded[], budget = BUDGET): boolean =>
  checkRegister(history, budget).verdict === 'violation';

const endOf = ({ t }: Recorded): number => (t === -1 ? Number.POSITIVE_INFINITY : t);

/** What only looks: a read, or a swap that failed. */
const isRead = (entry: Recorded): boolean => entry.op === 'get' || (entry.op === 'cas' && !entry.ok && entry.t !== -1);

/** The history of one key, which is known not to be linearizable. */
export function counterExample(key: string, history: readonly Recorded[], budget?: number): CounterExample {
  const reads = history.filter((entry) => isRead(entry) && entry.t !== -1).sort((a, b) => a.t - b.t);
  const writes = history.filter((entry) => !isRead(entry));
  const offender = firstOffender(writes, reads, budget);
  const kept = offender === undefined ? writes : [...writes, ...reads.slice(0, reads.indexOf(offender) + 1)];
  const operations = shrink(kept, offender).sort((a, b) => a.s - b.s || endOf(a) - endOf(b));
  const shown = offender ?? operations.at(-1)!;
  return { key, operations, offender: shown, why: explain(shown, operations) };
}

/** The first read, by its end, that does not fit those before it. */
function firstOffender(writes: readonly Recorded[], reads: readonly Recorded[], budget?: number): Recorded | undefined {
  if (fails(writes, budget)) return undefined;
  let [good, bad] = [0, reads.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fails([...writes, ...reads.slice(0, middle)], budget)) bad = middle;
    else good = middle;
  }
  return reads[bad - 1];
}

/** Leaves out what can be left out, in ever smaller pieces. */
function shrink(history: readonly Recorded[], offender: Recorded | undefined): Recorded[] {
  let rest = [...history];
  for (let size = Math.ceil(rest.length / 2); ; size = Math.ceil(size / 2)) {
    let before: number;
    do {
      before = rest.length;
      for (let from = 0; from < rest.length; from += size) {
        const without = leaveOut(rest, new Set(rest.slice(from, from + size)), offender);
        if (without.length < rest.length && fails(without)) {
          rest = without;
          from -= size;
        }
      }
    } while (size === 1 && rest.length < before);
    if (size === 1) return rest;
  }
}

/** Without those of `chosen` that may be left out. */
function leaveOut(history: readonly Recorded[], chosen: ReadonlySet<Recorded>, offender?: Recorded): Recorded[] {
  const rest = history.filter((entry) => !(chosen.has(entry) && isRead(entry)) || entry === offender);
  const needed = new Set<string | null>();
  for (const entry of rest) {
    if (entry.op === 'get') needed.add(entry.r ?? null);
    else if (entry.op === 'cas') needed.add(entry.e ?? null).add(entry.r ?? null);
  }
  const tellsAll = rest.some((entry) => entry.op === 'cas' && isRead(entry));
  const lastNeed = Math.max(Number.NEGATIVE_INFINITY, ...rest.filter((entry) => entry.op === 'get').map(endOf));
  const swaps = rest.some((entry) => entry.op === 'cas');
  return rest.filter((entry) => {
    if (!chosen.has(entry) || isRead(entry) || entry === offender) return true;
    // What begins after every read comes after every read.
    if (!swaps && entry.s > lastNeed) return false;
    return tellsAll || needed.has(writtenBy(entry) ?? null);
  });
}

const quote = (value: string | null | undefined): string => (value == null ? 'nothing' : JSON.stringify(value));

/** Undefined: it writes nothing. */
const writtenBy = (entry: Recorded): string | null | undefined => {
  if (isRead(entry)) return undefined;
  return 'v' in entry ? (entry.v ?? null) : null;
};

function explain(offender: Recorded, operations: readonly Recorded[]): string {
  if (offender.op !== 'get') return 'No order of these operations agrees with what each of them returned.';
  const value = offender.r ?? null;
  const who = `Client ${offender.c} read ${quote(value)}`;
  const sources = operations.filter((entry) => writtenBy(entry) === value && entry.s <= offender.t);
  if (sources.length === 0 && value !== null) return `${who}, which nobody had written by then.`;
  const lastSource = Math.max(Number.NEGATIVE_INFINITY, ...sources.map(endOf));
  const newer = operations.find(
    (entry) =>
      entry.op !== 'get' &&
      writtenBy(entry) !== value &&
      entry.s > lastSource &&
      entry.t !== -1 &&
      entry.t < offender.s,
  );
  if (newer !== undefined && newer.op !== 'loss') {
    const done = newer.op === 'del' ? 'the delete' : `the write of ${quote(writtenBy(newer))}`;
    return `${who}, although ${done} by client ${newer.c} had been acknowledged before that read began.`;
  }
  const earlier = operations.find(
    (entry) => entry.op === 'get' && entry !== offender && (entry.r ?? null) !== value && entry.t < offender.s,
  );
  if (earlier?.op === 'get') {
    return `${who}, although client ${earlier.c} had read ${quote(earlier.r)} before: the older value came back.`;
  }
  const other = operations.find((entry) => entry.op === 'get' && (entry.r ?? null) !== value);
  const writes = operations.filter((entry) => !isRead(entry));
  if (other?.op === 'get' && writes.every((entry) => endOf(entry) < Math.min(other.s, offender.s))) {
    return `${who} and client ${other.c} read ${quote(other.r)}, although every write had ended before both.`;
  }
  return `${who}; no order of these operations explains it.`;
}
