/** YCSB's core workloads without scans: A 50/50 read/update, B 95/5, C reads, D 95/5 read latest/insert, F read-modify-write. */
import { isValueOf, keyOf, valueFor, WrongValueError } from '../data.ts';
import type { Sample } from '../model.ts';
import type { Store } from '../stores/store.ts';
import { drawn, latestDistance, scrambledZipfian, seeded } from '../zipfian.ts';
import type { YcsbShape } from './jobs.ts';
import { closedLoop } from './load.ts';

const DRAWN = 1 << 18;
const UPDATES: Readonly<Record<YcsbShape['workload'], number>> = { A: 0.5, B: 0.05, C: 0, D: 0.05, F: 0.5 };

export class Ycsb {
  readonly #store: Store;
  readonly #names: string[] = [];
  #draws: { shape: string; chosen: Int32Array; updates: Uint8Array } | undefined;
  #at = 0;
  #edition = 0;
  #inserts = 0;
  /** Those that were acknowledged. */
  readonly #inserted: number[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  async run(shape: YcsbShape): Promise<Sample> {
    const { workload, records, size, inFlight, ms } = shape;
    while (this.#names.length < records) this.#names.push(keyOf(this.#names.length));
    const { chosen, updates } = this.#drawsOf(shape);
    const start = this.#at;
    let last = start;
    const begin = (n: number): Promise<unknown> => {
      last = start + n;
      const at = last % DRAWN;
      const isUpdate = updates[at] === 1;
      if (workload === 'D') return isUpdate ? this.#insert(shape) : this.#readLatest(shape, chosen[at]!);
      if (!isUpdate) return this.#store.get(this.#names[chosen[at]!]!);
      return workload === 'F' ? this.#readModifyWrite(chosen[at]!, size) : this.#write(chosen[at]!, size);
    };
    const end = (n: number, value: unknown): void => {
      const at = (start + n) % DRAWN;
      if (workload !== 'D' && updates[at] !== 1) this.#check(chosen[at]!, size, value);
    };
    const sample = await closedLoop({ begin, end }, { inFlight, ms });
    this.#at = last + 1;
    return sample;
  }

  /** Drawn once for a workload: drawing takes longer than a read from memory. */
  #drawsOf({ workload, records, seed }: YcsbShape): { chosen: Int32Array; updates: Uint8Array } {
    const shape = `${workload} ${records}`;
    if (this.#draws?.shape === shape) return this.#draws;
    const uniform = seeded(seed);
    const choose = workload === 'D' ? latestDistance(records, uniform) : scrambledZipfian(records, uniform);
    const chosen = drawn(choose, DRAWN);
    const updates = Uint8Array.from({ length: DRAWN }, () => Number(uniform() < UPDATES[workload]));
    this.#draws = { shape, chosen, updates };
    return this.#draws;
  }

  #check(index: number, size: number, value: unknown): void {
    if (!isValueOf(value as string, index, size)) throw new WrongValueError(this.#names[index]!, value);
  }

  async #read(index: number, size: number): Promise<void> {
    this.#check(index, size, await this.#store.get(this.#names[index]!));
  }

  #write(index: number, size: number): Promise<unknown> {
    this.#edition += 1;
    return this.#store.set(this.#names[index]!, valueFor(index, size, this.#edition));
  }

  async #readModifyWrite(index: number, size: number): Promise<void> {
    await this.#read(index, size);
    await this.#write(index, size);
  }

  async #insert({ insertAt, size }: YcsbShape): Promise<void> {
    const index = insertAt + this.#inserts;
    this.#inserts += 1;
    await this.#store.set(keyOf(index), valueFor(index, size));
    this.#inserted.push(index);
  }

  /** What this process has inserted is the newest, the last acknowledged first; then come the records that were there. */
  async #readLatest({ records, size }: YcsbShape, distance: number): Promise<void> {
    const own = this.#inserted.length;
    if (distance >= own) {
      await this.#read(Math.max(0, records - 1 - (distance - own)), size);
      return;
    }
    const index = this.#inserted[own - 1 - distance]!;
    const value = await this.#store.get(keyOf(index));
    if (!isValueOf(value, index, size)) throw new WrongValueError(keyOf(index), value);
  }
}
