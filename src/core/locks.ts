/** The per-key lock map (Z03 Z23 Z40): one write a key at a time, first come first served; free keys cost nothing. */
import type { Key } from './types.ts';

interface Lock<Holder, Waiting> {
  holder: Holder;
  queue: Waiting[];
}

export class LockMap<Holder, Waiting> {
  private readonly locks = new Map<Key, Lock<Holder, Waiting>>();
  private waiting = 0;

  /** Keys that are locked. */
  get size(): number {
    return this.locks.size;
  }

  /** Operations in all queues together. */
  get queued(): number {
    return this.waiting;
  }

  holder(key: Key): Holder | undefined {
    return this.locks.get(key)?.holder;
  }

  *holders(): Iterable<Holder> {
    for (const lock of this.locks.values()) yield lock.holder;
  }

  /** Takes a free lock, or passes a held one on to the next in its queue. */
  take(key: Key, holder: Holder): void {
    const lock = this.locks.get(key);
    if (lock === undefined) this.locks.set(key, { holder, queue: [] });
    else lock.holder = holder;
  }

  /** Queues behind the holder. The lock must be held. */
  wait(key: Key, item: Waiting): void {
    this.locks.get(key)?.queue.push(item);
    this.waiting += 1;
  }

  /** The next in the queue, taken out of it; when there is none, the lock is freed and its entry goes. */
  next(key: Key): Waiting | undefined {
    const lock = this.locks.get(key);
    const item = lock?.queue.shift();
    if (item === undefined) this.locks.delete(key);
    else this.waiting -= 1;
    return item;
  }

  /** Takes out of every queue what `drop` says; returns it. */
  withdraw(drop: (item: Waiting) => boolean): Waiting[] {
    const withdrawn: Waiting[] = [];
    for (const lock of this.locks.values()) {
      if (!lock.queue.some(drop)) continue;
      withdrawn.push(...lock.queue.filter(drop));
      lock.queue = lock.queue.filter((item) => !drop(item));
    }
    this.waiting -= withdrawn.length;
    return withdrawn;
  }
}
