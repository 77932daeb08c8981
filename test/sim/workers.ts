/** Seeds run in processes of their own, one a core; results come back in the order of the seeds. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { runSeed, type SeedOptions, type SeedResult } from './seed.ts';

const CHUNK = 20;

interface Order extends Omit<SeedOptions, 'log' | 'seed'> {
  readonly from: number;
  readonly count: number;
  /** Whether results are wanted with their histories. */
  readonly withHistory: boolean;
}

export interface PoolOptions extends Omit<Order, 'count'> {
  readonly seeds: number;
  /** What a worker process runs; it has to call `work`. */
  readonly script: string;
  readonly onResult: (result: SeedResult) => void;
}

/** Rejects when a worker dies. */
export async function runPool({ seeds, from, script, onResult, ...common }: PoolOptions): Promise<void> {
  let next = from;
  const end = from + seeds;
  const early = new Map<number, SeedResult>();
  let due = from;
  const take = (results: readonly SeedResult[]): void => {
    for (const result of results) early.set(result.seed, result);
    for (let result = early.get(due); result !== undefined; result = early.get(due)) {
      early.delete(due);
      due += 1;
      onResult(result);
    }
  };
  const order = (): Order | undefined => {
    if (next >= end) return undefined;
    const count = Math.min(CHUNK, end - next);
    next += count;
    return { ...common, from: next - count, count };
  };
  const count = Math.min(availableParallelism(), Math.ceil(seeds / CHUNK));
  const children = Array.from({ length: count }, () => fork(script, ['--worker']));
  try {
    await Promise.all(children.map((child) => serve(child, order, take)));
  } finally {
    for (const child of children) child.kill();
  }
}

function serve(
  child: ChildProcess,
  order: () => Order | undefined,
  take: (results: readonly SeedResult[]) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const hand = (): void => {
      const work = order();
      if (work === undefined) resolve();
      else child.send(work);
    };
    child.on('message', (results) => {
      take(results as SeedResult[]);
      hand();
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`a simulation process ended early (${signal ?? code})`)));
    hand();
  });
}

/** The life of a worker process. */
export function work(): void {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ from, count, withHistory, ...options }: Order) => {
    const results: SeedResult[] = [];
    for (let seed = from; seed < from + count; seed++) {
      const result = await runSeed({ ...options, seed });
      results.push(withHistory ? result : { ...result, history: [] });
    }
    process.send?.(results);
  });
}
