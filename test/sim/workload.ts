/** What users ask for: few hot keys and many cold ones, alone and in batches, with and without patience. */
import type { Key } from '../../src/core/types.ts';
import type { CallOptions } from '../../src/node.ts';
import type { Clock } from '../../src/ports.ts';
import type { Cluster, Life } from './cluster.ts';
import type { Recorder } from './recorder.ts';
import type { SeededRandom } from './seeded-random.ts';

const HOT_KEYS = 3;
const COLD_KEYS = 20;
const HOT_SHARE = 0.7;

export class Workload {
  readonly #cluster: Cluster;
  readonly #recorder: Recorder;
  readonly #random: SeededRandom;
  readonly #clock: Clock;
  readonly #prefix: string;
  #values = 0;

  /** `prefix`: of all keys, so that histories of many runs can stand in one file. */
  constructor(cluster: Cluster, recorder: Recorder, random: SeededRandom, clock: Clock, prefix: string) {
    this.#cluster = cluster;
    this.#recorder = recorder;
    this.#random = random;
    this.#clock = clock;
    this.#prefix = prefix;
  }

  step(): void {
    const random = this.#random;
    const running = this.#cluster.open.filter(({ process }) => !process.paused);
    if (running.length === 0) return;
    const life = random.pick(running);
    const roll = random.fraction();
    if (roll < 0.56) this.#get(life, this.#key());
    else if (roll < 0.8) this.#set(life, this.#key());
    else if (roll < 0.85) this.#delete(life, this.#key());
    else if (roll < 0.92) for (const key of this.#keys()) this.#get(life, key);
    else if (roll < 0.96) for (const key of this.#keys()) this.#set(life, key);
    else {
      const key = this.#key();
      for (const each of running) this.#get(each, key);
    }
  }

  /** Every node reads the hot keys, and one of them everything else. */
  readAll(): void {
    const lives = this.#cluster.open;
    const reader = this.#random.pick(lives);
    for (let i = 0; i < HOT_KEYS; i++) for (const life of lives) this.#get(life, this.#hot(i), {});
    for (let i = 0; i < COLD_KEYS; i++) this.#get(reader, this.#cold(i), {});
  }

  #hot(index: number): string {
    return `${this.#prefix}hot${index}`;
  }

  #cold(index: number): string {
    return `${this.#prefix}cold${index}`;
  }

  #key(): string {
    const random = this.#random;
    return random.chance(HOT_SHARE) ? this.#hot(random.below(HOT_KEYS)) : this.#cold(random.below(COLD_KEYS));
  }

  #keys(): Set<string> {
    return new Set(Array.from({ length: 2 + this.#random.below(3) }, () => this.#key()));
  }

  #get(life: Life, key: string, options = this.#patience()): void {
    this.#recorder.run({ c: life.number, op: 'get', k: key }, () => life.node!.get(key as Key, options));
  }

  #set(life: Life, key: string): void {
    const value = `v${++this.#values}`;
    const options = this.#patience();
    this.#recorder.run({ c: life.number, op: 'put', k: key, v: value }, () =>
      life.node!.write(key as Key, { kind: 'set', value }, options),
    );
  }

  #delete(life: Life, key: string): void {
    const options = this.#patience();
    this.#recorder.run({ c: life.number, op: 'del', k: key }, () =>
      life.node!.write(key as Key, { kind: 'delete' }, options),
    );
  }

  #patience(): CallOptions {
    const random = this.#random;
    const roll = random.fraction();
    if (roll < 0.1) return { timeoutMs: random.between(1, 600) };
    if (roll >= 0.15) return {};
    const controller = new AbortController();
    this.#clock.setTimer(random.between(0, 600), () => controller.abort());
    return { signal: controller.signal };
  }
}
