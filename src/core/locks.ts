/** The per-key lock map (Z03 Z23 Z40): one write a key at a time, first come first served; free keys cost nothing. */
import { KeyTable } from './key-table.ts';
import type { Key } from './types.ts';

interface Lock<Holder, Waiting> {
  holder: Holder;
  /** In order of arrival. Undefined: nobody has waited yet, as behind most. */
  queue: Set<Waiting> | undefined;
}

export class LockMap<Holder, Waiting> {
  private readonly locks: KeyTable<Lock<Holder, Waiting>>;
  private readonly onLeft: (holder: Holder, item: Waiting) => void;
  private waiting = 0;

  /** `onLeft`: told of each that has left the queue behind a holder. `seed`: see `hashOf`. */
  constructor(onLeft: (holder: Holder, item: Waiting) => void, seed: number) {
    this.locks = new KeyTable(seed);
    this.onLeft = onLeft;
  }

  /** Keys that are locked. */
  get size(): number {
    return this.locks.size;
  }

  /** Operations in all queues together. */
  get queued(): number {
    return this.waiting;
  }

  /** Those queued behind the holder of this key. */
  queuedBehind(key: Key): number {
    return this.waiting === 0 ? 0 : (this.locks.get(key)?.queue?.size ?? 0);
  }

  holder(key: Key): Holder | undefined {
    return this.locks.size === 0 ? undefined : this.locks.get(key)?.holder;
  }

  *holders(): Iterable<Holder> {
    for (const lock of this.locks.values()) yield lock.holder;
  }

  /** Takes a free lock, or passes a held one on to the next in its queue. */
  take(key: Key, holder: Holder): void {
    const lock = this.locks.get(key);
    if (lock === undefined) this.locks.add(key, { holder, queue: undefined });
    else lock.holder = holder;
  }

  /** Queues behind the holder. The lock must be held. */
  wait(key: Key, item: Waiting): void {
    const lock = this.locks.get(key);
    if (lock === undefined) return;
    lock.queue ??= new Set();
    lock.queue.add(item);
    this.waiting += 1;
  }

  /** The next in the queue, taken out of it; when there is none, the lock is freed and its entry goes. */
  next(key: Key): Waiting | undefined {
    if (this.waiting > 0) {
      const lock = this.locks.get(key);
      for (const item of lock?.queue ?? []) {
        this.remove(lock!, item);
        return item;
      }
    }
    this.locks.delete(key);
    return undefined;
  }

  /** Takes out of every queue what `drop` says; returns it. Looks at all of them. */
  withdraw(drop: (item: Waiting) => boolean): Waiting[] {
    if (this.waiting === 0) return [];
    const withdrawn: Waiting[] = [];
    for (const lock of this.locks.values()) {
      for (const item of lock.queue ?? []) if (drop(item) && this.remove(lock, item)) withdrawn.push(item);
    }
    return withdrawn;
  }

  /** Takes one out, at a cost that does not grow with how many wait: thousands may give up at the same moment. */
  withdrawOne(key: Key, item: Waiting): boolean {
    const lock = this.locks.get(key);
    return lock !== undefined && this.remove(lock, item);
  }

  private remove(lock: Lock<Holder, Waiting>, item: Waiting): boolean {
    if (!lock.queue?.delete(item)) return false;
    this.waiting -= 1;
    this.onLeft(lock.holder, item);
    return true;
  }
}
