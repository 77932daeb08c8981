/** The order in which the owner of a transport is told things, never from within a call of its own. */
import type { Logger } from '../ports.ts';

export class EventQueue {
  readonly #logger: Logger;
  readonly #waiting: (() => void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** From a stack that is not the owner's: at once, unless something is to be told before. Makes no closure for it. */
  now<A, B>(event: (a: A, b: B) => void, a: A, b: B): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(() => event(a, b));
      return;
    }
    try {
      event(a, b);
    } catch (error) {
      this.#threw(error);
    }
  }

  /** From a stack that may be the owner's: from a microtask. */
  later(event: () => void): void {
    if (this.#waiting.push(event) === 1) queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    // Removed only after it was told: what happens meanwhile comes after it.
    while (this.#waiting[0] !== undefined) {
      this.#tell(this.#waiting[0]);
      this.#waiting.shift();
    }
  }

  #tell(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#threw(error);
    }
  }

  #threw(error: unknown): void {
    const fields = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    this.#logger.error('the owner of the transport threw', fields);
  }
}
