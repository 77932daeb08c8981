/** Event listeners of a user, kept apart from the node: whatever one throws is logged and harms nobody. */
import { describe, invalid } from './check.ts';
import type { Logger } from './ports.ts';

type Listener = (...args: never[]) => unknown;

interface Registration {
  readonly listener: Listener;
  readonly once: boolean;
}

export class Listeners<Events extends { [event in keyof Events]: unknown[] }> {
  private readonly registered = new Map<keyof Events, readonly Registration[]>();
  private readonly logger: Logger;

  /** @param names every event there is; others are refused, since a misspelt one would never come */
  constructor(names: readonly (keyof Events & string)[], logger: Logger) {
    for (const name of names) this.registered.set(name, []);
    this.logger = logger;
  }

  add<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => unknown, once: boolean): void {
    this.registered.set(event, [...this.check(event, listener), { listener, once }]);
  }

  /** Removes the newest registration of this listener, if there is one. */
  remove<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => unknown): void {
    const registrations = this.check(event, listener);
    const index = registrations.findLastIndex((registration) => registration.listener === listener);
    if (index >= 0) this.registered.set(event, registrations.toSpliced(index, 1));
  }

  /** Calls those who listened when the event came, in the order in which they were added. Never throws. */
  emit<E extends keyof Events & string>(event: E, args: Events[E]): void {
    const registrations = this.registered.get(event) ?? [];
    // First of all, so that a listener that causes the same event again does not meet itself.
    this.registered.set(
      event,
      registrations.filter(({ once }) => !once),
    );
    for (const { listener } of registrations) this.call(event, listener, args);
  }

  clear(): void {
    for (const event of this.registered.keys()) this.registered.set(event, []);
  }

  private call(event: string, listener: Listener, args: unknown[]): void {
    const failed = (error: unknown) => this.logger.error('an event listener failed', { event, error });
    try {
      const result = listener(...(args as never[]));
      // An async listener fails later; unhandled, that would end the process.
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  private check(event: keyof Events & string, listener: unknown): readonly Registration[] {
    const registrations = this.registered.get(event);
    if (registrations === undefined) {
      throw invalid('event', `expected one of ${[...this.registered.keys()].join(', ')}, got ${describe(event)}`);
    }
    if (typeof listener !== 'function') throw invalid('listener', `expected a function, got ${describe(listener)}`);
    return registrations;
  }
}
