/** One direction of a connection in virtual time: in order, late, and held back while the path is cut. */
import type { Clock } from '../../src/ports.ts';

export class Pipe<Item> {
  readonly #clock: Clock;
  readonly #latencyMs: () => number;
  readonly #deliver: (item: Item) => void;
  readonly #queue: { readonly item: Item; due: number }[] = [];
  #cancel: (() => void) | undefined;
  #held = false;
  #closed = false;

  constructor(clock: Clock, latencyMs: () => number, deliver: (item: Item) => void) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
    this.#deliver = deliver;
  }

  send(item: Item): void {
    if (this.#closed) return;
    const due = Math.max(this.#clock.now() + this.#latencyMs(), this.#queue.at(-1)?.due ?? 0);
    this.#queue.push({ item, due });
    this.#arm();
  }

  hold(): void {
    this.#held = true;
    this.#disarm();
  }

  release(): void {
    this.#held = false;
    const earliest = this.#clock.now() + this.#latencyMs();
    for (const entry of this.#queue) entry.due = Math.max(entry.due, earliest);
    this.#arm();
  }

  /** What is still under way is lost. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#disarm();
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    const head = this.#queue[0];
    if (head === undefined || this.#held || this.#cancel !== undefined) return;
    this.#cancel = this.#clock.setTimer(head.due - this.#clock.now(), () => {
      this.#cancel = undefined;
      this.#queue.shift();
      this.#arm();
      this.#deliver(head.item);
    });
  }
}
