/** The limits for local reads: a bare Map, and the cache that most would take. */
import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import type { Store } from './store.ts';

/**
 * A Map behind an asynchronous method that also looks at the clock: the least that a store does that answers from
 * memory for a limited time.
 */
export class MapStore implements Store {
  readonly #map = new Map<string, string>();
  readonly #validUntil = performance.now() + 1e9;

  async get(key: string): Promise<string | undefined> {
    return performance.now() < this.#validUntil ? this.#map.get(key) : undefined;
  }

  async set(key: string, value: string): Promise<void> {
    this.#map.set(key, value);
  }

  peek(key: string): string | undefined {
    return performance.now() < this.#validUntil ? this.#map.get(key) : undefined;
  }

  async close(): Promise<void> {
    this.#map.clear();
  }
}

export class LruStore implements Store {
  readonly #cache = new LRUCache<string, string>({ max: 1_000_000 });

  async get(key: string): Promise<string | undefined> {
    return this.#cache.get(key);
  }

  async set(key: string, value: string): Promise<void> {
    this.#cache.set(key, value);
  }

  peek(key: string): string | undefined {
    return this.#cache.get(key);
  }

  async close(): Promise<void> {
    this.#cache.clear();
  }
}
