/** What a run has shown: whether every key's history is linearizable, and for how long nobody could write. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CounterExample, counterExample } from '../sim/checker-counterexample.ts';
import { formatHistory, type Recorded } from '../sim/checker-history.ts';
import { checkRegister } from '../sim/checker-register.ts';
import { svgOf } from '../sim/picture.ts';
import { tableOf } from '../sim/picture-words.ts';
import { lossesOf, uncleanTakeovers } from './losses.ts';
import type { Timeline } from './timeline.ts';
import { countStaleReads } from './verdict-stale.ts';

export interface Verdict {
  /** That have ended, however, or whose worker has. */
  readonly operations: number;
  readonly acknowledged: number;
  /** By code. `skipped`: what the load left out. */
  readonly errors: Readonly<Record<string, number>>;
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
  /** Of the first violations. */
  readonly counterExamples: readonly CounterExample[];
  /** Everything, with losses, in the order of keys. */
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
export function judge(timeline: Timeline, { budget, maxCounterExamples = 10 }: JudgeOptions = {}): Verdict {
  const takeovers = uncleanTakeovers(timeline);
  const open = timeline.openWrites();
  const keys = new Set([...timeline.keys.keys(), ...open.keys()]);
  const counterExamples: CounterExample[] = [];
  const history: Recorded[] = [];
  let [violations, undecided, staleReads, lostKeys] = [0, 0, 0, 0];
  for (const key of keys) {
    const known = timeline.historyOf(key);
    const unfinished = open.get(key) ?? [];
    const losses = lossesOf(known, unfinished, takeovers, timeline.reigns);
    const entries = [...known.entries, ...unfinished.map((write) => ({ ...write, ok: false, t: -1 })), ...losses];
    const { verdict } = checkRegister(entries, budget);
    if (verdict === 'undecided') undecided += 1;
    else if (verdict === 'violation') {
      violations += 1;
      if (counterExamples.length < maxCounterExamples) counterExamples.push(counterExample(key, entries, budget));
    }
    staleReads += countStaleReads(entries);
    if (losses.length > 0) lostKeys += 1;
    for (const entry of entries) history.push(entry);
  }
  const { operations, acknowledged, errors } = timeline;
  const maxUnavailableMs = longestGapMs(timeline);
  return {
    operations,
    acknowledged,
    errors,
    violations,
    undecided,
    staleReads,
    maxUnavailableMs,
    lostKeys,
    counterExamples,
    history,
  };
}

/** Whether a run with this verdict has passed. */
export const isPass = ({ violations, undecided, staleReads }: Verdict): boolean =>
  violations === 0 && undecided === 0 && staleReads === 0;

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
