/** The per-key lock map (Z03 Z23 Z40): one write a key at a time, first come first served; free keys cost nothing. */
import type { Key } from './types.ts';

interface Lock<Holder, Waiting> {
  holder: Holder;
  /** In order of arrival. */
  readonly queue: Set<Waiting>;
}

export class LockMap<Holder, Waiting> {
  private readonly locks = new Map<Key, Lock<Holder, Waiting>>();
  private readonly nameOf: (item: Waiting) => string | undefined;
  private readonly onLeft: (holder: Holder) => void;
  /** What waits and has a name, with the key that it waits for. */
  private readonly named = new Map<string, { readonly key: Key; readonly item: Waiting }>();
  private waiting = 0;

  /**
   * `nameOf`: by which an item can be withdrawn; no two that wait have the same one. `onLeft`: told of each that has
   * left the queue behind a holder.
   */
  constructor(nameOf: (item: Waiting) => string | undefined, onLeft: (holder: Holder) => void = () => {}) {
    this.nameOf = nameOf;
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
    return this.locks.get(key)?.queue.size ?? 0;
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
    if (lock === undefined) this.locks.set(key, { holder, queue: new Set() });
    else lock.holder = holder;
  }

  /** Queues behind the holder. The lock must be held. */
  wait(key: Key, item: Waiting): void {
    this.locks.get(key)?.queue.add(item);
    this.waiting += 1;
    const name = this.nameOf(item);
    if (name !== undefined) this.named.set(name, { key, item });
  }

  /** The next in the queue, taken out of it; when there is none, the lock is freed and its entry goes. */
  next(key: Key): Waiting | undefined {
    const lock = this.locks.get(key);
    if (lock === undefined) return undefined;
    for (const item of lock.queue) {
      this.remove(lock, item);
      return item;
    }
    this.locks.delete(key);
    return undefined;
  }

  /** Takes out of every queue what `drop` says; returns it. Looks at all of them. */
  withdraw(drop: (item: Waiting) => boolean): Waiting[] {
    if (this.waiting === 0) return [];
    const withdrawn: Waiting[] = [];
    for (const lock of this.locks.values()) {
      for (const item of lock.queue) {
        if (!drop(item)) continue;
        this.remove(lock, item);
        withdrawn.push(item);
      }
    }
    return withdrawn;
  }

  /** Takes one out, at a cost that does not grow with how many wait: thousands may give up at the same moment. */
  withdrawNamed(name: string): Waiting | undefined {
    const found = this.named.get(name);
    const lock = found && this.locks.get(found.key);
    if (lock === undefined) return undefined;
    this.remove(lock, found!.item);
    return found!.item;
  }

  private remove(lock: Lock<Holder, Waiting>, item: Waiting): void {
    lock.queue.delete(item);
    this.waiting -= 1;
    const name = this.nameOf(item);
    if (name !== undefined) this.named.delete(name);
    this.onLeft(lock.holder);
  }
}
