/** Batches of records, as the thesis has them: 16 to 512 pairs of 16 B keys and 16 B values, timed as a whole. */
import { performance } from 'node:perf_hooks';
import { isValueOf, keyOf, valueFor, WrongValueError } from '../data.ts';
import { median } from '../statistics.ts';
import type { Store } from '../stores/store.ts';
import type { BatchShape, BatchTimes } from './jobs.ts';
import { turn } from './load.ts';

const SIZE = 16;

interface Record {
  readonly index: number;
  readonly key: string;
  readonly value: string;
}

export async function runBatches(store: Store, shape: BatchShape): Promise<BatchTimes> {
  const { op, order, records, repeats, from, existing = false } = shape;
  const operate = op === 'set' ? write : read;
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const batch = batchFrom(from + repeat * records, records);
    if (existing) await together(batch, (record) => write(store, record));
    await turn();
    const before = performance.now();
    if (order === 'together') await together(batch, (record) => operate(store, record));
    else for (const record of batch) await operate(store, record);
    times.push((performance.now() - before) * 1000);
  }
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return { median: median(times), mean, worst: Math.max(...times) };
}

function batchFrom(from: number, count: number): Record[] {
  return Array.from({ length: count }, (_, i) => {
    const index = from + i;
    return { index, key: keyOf(index), value: valueFor(index, SIZE) };
  });
}

async function together(batch: readonly Record[], operate: (record: Record) => Promise<void>): Promise<void> {
  await Promise.all(batch.map(operate));
}

async function write(store: Store, { key, value }: Record): Promise<void> {
  await store.set(key, value);
}

async function read(store: Store, { index, key }: Record): Promise<void> {
  const value = await store.get(key);
  if (!isValueOf(value, index, SIZE)) throw new WrongValueError(key, value);
}
