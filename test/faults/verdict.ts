/** What a run has shown: whether every key's history is linearizable, and for how long nobody could write. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CounterExample, counterExample } from '../sim/checker-counterexample.ts';
import { formatHistory, type Recorded } from '../sim/checker-history.ts';
import { checkRegister } from '../sim/checker-register.ts';
import { svgOf } from '../sim/picture.ts';
import { tableOf } from '../sim/picture-words.ts';
import { lossesOf, type UncleanTakeover, uncleanTakeovers } from './losses.ts';
import type { Timeline } from './timeline.ts';
import { countStaleReads } from './verdict-stale.ts';
import type { Intent } from './wire.ts';
import { isHot } from './workload.ts';

export interface Verdict {
  /** That have ended, however, or whose worker has. */
  readonly operations: number;
  readonly acknowledged: number;
  /** By code. `skipped`: what the load left out. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of those, what no caller may see, whatever happens: a defect. */
  readonly unexpected: Readonly<Record<string, number>>;
  /** Keys whose history is not linearizable. */
  readonly violations: number;
  /** Keys of which that could not be said: no pass. */
  readonly undecided: number;
  /** Reads of a value, or of nothing, that had certainly been replaced before they were called. */
  readonly staleReads: number;
  /** The longest stretch, while the load ran, in which no write of any node was acknowledged. */
  readonly maxUnavailableMs: number;
  /** Keys that may have been lost with all who held them, and that were found absent afterwards. */
  readonly lostKeys: number;
  /**
   * Pairs of a key and a takeover after a leader was gone uncleanly, where somebody who certainly had a copy lived on,
   * and where a read has shown what became of it: what a run has shown of survival (Z05).
   */
  readonly survivalsDemanded: number;
  /** Of the first violations. */
  readonly counterExamples: readonly CounterExample[];
  /** With losses, in the order of keys; without what was settled before. */
  readonly history: readonly Recorded[];
}

export interface JudgeOptions {
  /** Configurations looked at for each key before it is undecided. Default 500 000. */
  readonly budget?: number;
  /** Default 10; further violations are only counted. */
  readonly maxCounterExamples?: number;
}

const NS_PER_MS = 1e6;

/** To be called when every worker is quiet or has ended. */
export const judge = (timeline: Timeline, options: JudgeOptions = {}): Verdict =>
  new Judge(timeline, options).verdict();

/** For runs too long to keep all of their history: judges bit by bit what is over. */
export class Judge {
  readonly #timeline: Timeline;
  readonly #budget: number | undefined;
  readonly #maxCounterExamples: number;
  readonly #counterExamples: CounterExample[] = [];
  #violations = 0;
  #undecided = 0;
  #staleReads = 0;
  #lostKeys = 0;
  #survivalsDemanded = 0;

  constructor(timeline: Timeline, { budget, maxCounterExamples = 10 }: JudgeOptions = {}) {
    this.#timeline = timeline;
    this.#budget = budget;
    this.#maxCounterExamples = maxCounterExamples;
  }

  /**
   * Judges and forgets the hot keys of which nothing was heard since `before`. Nobody may come back to them: it has to
   * be longer ago than the longest pause of a worker, and than any operation may last.
   */
  settle(before: number): void {
    const takeovers = uncleanTakeovers(this.#timeline);
    const open = this.#timeline.openWrites();
    for (const [key, { entries, strays }] of this.#timeline.keys) {
      if (!isHot(key) || open.has(key)) continue;
      const isQuiet = entries.every(({ t }) => t < before) && strays.every(({ end }) => end < before);
      if (!isQuiet) continue;
      this.#key(key, [], takeovers);
      this.#timeline.forget(key);
    }
  }

  /** Of what is settled and of all the rest. */
  verdict(): Verdict {
    const { operations, acknowledged, errors, unexpected, keys } = this.#timeline;
    const takeovers = uncleanTakeovers(this.#timeline);
    const open = this.#timeline.openWrites();
    const history: Recorded[] = [];
    for (const key of new Set([...keys.keys(), ...open.keys()])) {
      for (const entry of this.#key(key, open.get(key) ?? [], takeovers)) history.push(entry);
    }
    return {
      operations,
      acknowledged,
      errors,
      unexpected,
      violations: this.#violations,
      undecided: this.#undecided,
      staleReads: this.#staleReads,
      maxUnavailableMs: longestGapMs(this.#timeline),
      lostKeys: this.#lostKeys,
      survivalsDemanded: this.#survivalsDemanded,
      counterExamples: this.#counterExamples,
      history,
    };
  }

  #key(key: string, open: readonly Intent[], takeovers: readonly UncleanTakeover[]): Recorded[] {
    const known = this.#timeline.historyOf(key);
    const { losses, survivals } = lossesOf(known, open, takeovers, this.#timeline.reigns);
    const unfinished = open.map((write) => ({ ...write, ok: false, t: -1 }));
    const entries = [...known.entries, ...unfinished, ...losses];
    const { verdict } = checkRegister(entries, this.#budget);
    if (verdict === 'undecided') this.#undecided += 1;
    else if (verdict === 'violation') {
      this.#violations += 1;
      if (this.#counterExamples.length < this.#maxCounterExamples)
        this.#counterExamples.push(counterExample(key, entries, this.#budget));
    }
    this.#staleReads += countStaleReads(entries);
    if (losses.length > 0) this.#lostKeys += 1;
    this.#survivalsDemanded += survivals;
    return entries;
  }
}

/** Whether a run with this verdict has passed. */
export const isPass = ({ violations, undecided, staleReads, unexpected }: Verdict): boolean =>
  violations === 0 && undecided === 0 && staleReads === 0 && Object.keys(unexpected).length === 0;

/**
 * Writes the history (`history.jsonl`) and, for each counter-example, a picture (`violation-N.svg`) and a table
 * (`violation-N.txt`) into the folder, which is made if need be.
 */
export async function keepVerdict(folder: string, { history, counterExamples }: Verdict): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'history.jsonl'), formatHistory(history));
  for (const [index, example] of counterExamples.entries()) {
    await writeFile(join(folder, `violation-${index + 1}.svg`), svgOf(example));
    await writeFile(join(folder, `violation-${index + 1}.txt`), `${example.why}\n\n${tableOf(example)}\n`);
  }
}

/** Between writes acknowledged, and between those and the load's beginning and end. */
export function longestGapMs(timeline: Pick<Timeline, 'writesAcknowledged' | 'loads'>): number {
  const writes = Float64Array.from(timeline.writesAcknowledged).sort();
  let longest = 0;
  let next = 0;
  for (const { from, to } of united(timeline.loads)) {
    let last = from;
    while (next < writes.length && writes[next]! < from) next += 1;
    for (; next < writes.length && writes[next]! <= to; next += 1) {
      longest = Math.max(longest, writes[next]! - last);
      last = writes[next]!;
    }
    longest = Math.max(longest, to - last);
  }
  return Math.round(longest / NS_PER_MS);
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function united(spans: readonly Span[]): Span[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}
