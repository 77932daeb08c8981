/** Who hears of a node's events. What a listener throws is logged and harms nobody. */
import type { NodeEvents } from './node.ts';
import type { Logger } from './ports.ts';

type Listener = (...args: unknown[]) => void;

export class NodeListeners {
  private readonly listeners = new Map<keyof NodeEvents, Set<Listener>>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  on<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void {
    const listed = this.listeners.get(event) ?? new Set<Listener>();
    this.listeners.set(event, listed.add(listener as Listener));
  }

  off<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void {
    this.listeners.get(event)?.delete(listener as Listener);
  }

  emit<E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) {
      try {
        listener(...args);
      } catch (error) {
        this.logger.error('an event listener failed', { event, reason: String(error) });
      }
    }
  }
}
