/** Contenders in alternation: A B C, C B A, …, so that what changes on the machine meanwhile meets all of them. */
import type { Context } from './context.ts';
import type { Measured, Sample } from './model.ts';

export interface Entrant {
  readonly contender: string;
  /** Untimed: what a round needs. */
  readonly prepare?: () => Promise<unknown>;
  readonly run: (ms: number) => Promise<Sample>;
}

export interface PairedOptions {
  readonly rounds?: number;
  readonly ms?: number;
  /** Of each contender before the first round, for the compiler's sake. */
  readonly warmUpMs?: number;
}

export async function paired(
  { effort, progress }: Pick<Context, 'effort' | 'progress'>,
  entrants: readonly Entrant[],
  { rounds = effort.rounds, ms = effort.ms, warmUpMs = ms }: PairedOptions = {},
): Promise<Measured[]> {
  const samples = new Map<string, Sample[]>(entrants.map(({ contender }) => [contender, []]));
  for (const { contender, prepare, run } of entrants) {
    progress.step(`${contender}, warming up`);
    await prepare?.();
    await run(warmUpMs);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { contender, prepare, run } of round % 2 === 0 ? entrants : [...entrants].reverse()) {
      progress.step(`${contender}, round ${round + 1} of ${rounds}`);
      await prepare?.();
      samples.get(contender)!.push(await run(ms));
    }
  }
  return [...samples].map(([contender, own]) => ({ contender, samples: own }));
}

/** Runs until they have taken so long together; `run` says how long one took. Their mean rate is that of all together. */
export async function filling(ms: number, run: () => Promise<{ sample: Sample; tookMs: number }>): Promise<Sample> {
  const all: { sample: Sample; tookMs: number }[] = [];
  for (let spent = 0; spent < ms; spent += all.at(-1)!.tookMs) all.push(await run());
  const operations = all.reduce((sum, { sample, tookMs }) => sum + sample.value * tookMs, 0);
  const took = all.reduce((sum, { tookMs }) => sum + tookMs, 0);
  return { ...all[all.length >> 1]!.sample, value: operations / took };
}

/** One value a round, for cases that have no contender. */
export async function repeated(
  { effort, progress }: Pick<Context, 'effort' | 'progress'>,
  contender: string,
  measure: (round: number) => Promise<number>,
  rounds = effort.rounds,
): Promise<Measured> {
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    progress.step(`round ${round + 1} of ${rounds}`);
    samples.push({ value: await measure(round) });
  }
  return { contender, samples };
}
