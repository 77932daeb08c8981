/** mulberry32: small, seeded, good enough to draw schedules from. */
import type { Random } from '../../src/ports.ts';

export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An independent stream, so that drawing more of one thing does not change the others. */
  static stream(seed: number, name: string): SeededRandom {
    let hash = Math.imul(seed, 0x9e3779b1) ^ 0x811c9dc5;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    const random = new SeededRandom(hash ^ (hash >>> 15));
    random.fraction();
    return random;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  guid(): string {
    let text = '';
    while (text.length < 32)
      text += Math.floor(this.fraction() * 0x10000_0000)
        .toString(16)
        .padStart(8, '0');
    return text;
  }

  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.fraction();
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** A name, by its weight. Undefined where no weight is above 0. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name | undefined {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return undefined;
  }
}
