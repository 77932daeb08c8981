/** One-shot watches. They belong to a connection, as in ZooKeeper: a client sets them again after reconnecting. */
import type { Change } from './operations.ts';

/** Number of a connection. */
export type Watcher = number;

export interface WatchEvent extends Change {
  readonly watcher: Watcher;
}

export type WatchList = 'data' | 'child';

export class WatchTable {
  /** `data` serves get and exists alike: one event for both. */
  readonly #lists: Record<WatchList, Map<string, Set<Watcher>>> = { data: new Map(), child: new Map() };
  readonly #perWatcher = new Map<Watcher, Set<string>>();
  readonly #maxPerWatcher: number;

  constructor(maxPerWatcher: number) {
    this.#maxPerWatcher = maxPerWatcher;
  }

  get size(): number {
    let size = 0;
    for (const mine of this.#perWatcher.values()) size += mine.size;
    return size;
  }

  /** False where that connection has as many watches as it may. */
  add(list: WatchList, path: string, watcher: Watcher): boolean {
    const mine = this.#perWatcher.get(watcher) ?? new Set();
    const key = `${list}:${path}`;
    if (!mine.has(key) && mine.size >= this.#maxPerWatcher) return false;
    this.#perWatcher.set(watcher, mine.add(key));
    const watchers = this.#lists[list].get(path) ?? new Set();
    this.#lists[list].set(path, watchers.add(watcher));
    return true;
  }

  /** Removes and returns the watches that wait for this change. Nobody hears twice of one deletion. */
  trigger(change: Change): WatchEvent[] {
    const watchers = new Set<Watcher>();
    if (change.kind !== 'children') this.#remove('data', change.path, watchers);
    if (change.kind === 'children' || change.kind === 'deleted') this.#remove('child', change.path, watchers);
    return [...watchers].map((watcher) => ({ ...change, watcher }));
  }

  forget(watcher: Watcher): void {
    for (const key of this.#perWatcher.get(watcher) ?? []) {
      const colon = key.indexOf(':');
      const list = this.#lists[key.slice(0, colon) as WatchList];
      const path = key.slice(colon + 1);
      const watchers = list.get(path);
      watchers?.delete(watcher);
      if (watchers?.size === 0) list.delete(path);
    }
    this.#perWatcher.delete(watcher);
  }

  #remove(list: WatchList, path: string, into: Set<Watcher>): void {
    for (const watcher of this.#lists[list].get(path) ?? []) {
      into.add(watcher);
      const mine = this.#perWatcher.get(watcher);
      mine?.delete(`${list}:${path}`);
      if (mine?.size === 0) this.#perWatcher.delete(watcher);
    }
    this.#lists[list].delete(path);
  }
}
