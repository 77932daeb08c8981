/** When a node's role changed, and how long its event loop stood still. */
import { performance } from 'node:perf_hooks';
import type { Moments } from './jobs.ts';

/** Milliseconds of the machine's monotonic clock. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

interface Roles {
  on(event: 'role', listener: (role: string) => void): unknown;
}

export class Watch {
  #leaderAt: number | null = null;
  #recoveringAt: number | null = null;
  #blockedMs = 0;
  #running = true;

  constructor(node: Roles) {
    node.on('role', (role) => {
      if (role === 'leader') this.#leaderAt = monotonicMs();
      if (role === 'recovering') this.#recoveringAt = monotonicMs();
    });
    let last = performance.now();
    const look = (): void => {
      const now = performance.now();
      this.#blockedMs = Math.max(this.#blockedMs, now - last);
      last = now;
      if (this.#running) setImmediate(look);
    };
    setImmediate(look);
  }

  /** Ends the watch, too. */
  moments(): Moments {
    this.#running = false;
    return { leaderAt: this.#leaderAt, recoveringAt: this.#recoveringAt, blockedMs: this.#blockedMs };
  }
}
