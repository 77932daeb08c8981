/** When a node's role changed, and how long its event loop stood still. */
import { performance } from 'node:perf_hooks';
import type { Moments } from './jobs.ts';

/** Milliseconds of the machine's monotonic clock. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const EVERY_MS = 2;

interface Roles {
  on(event: 'role', listener: (role: string) => void): unknown;
}

export class Watch {
  #leaderAt: number | null = null;
  #recoveringAt: number | null = null;
  #blockedMs = 0;
  #busyMs = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(node: Roles) {
    node.on('role', (role) => {
      if (role === 'leader') this.#leaderAt = monotonicMs();
      if (role === 'recovering') this.#recoveringAt = monotonicMs();
    });
    let last = performance.now();
    let spent = process.cpuUsage();
    this.#timer = setInterval(() => {
      const gapMs = performance.now() - last - EVERY_MS;
      const { user, system } = process.cpuUsage(spent);
      this.#blockedMs = Math.max(this.#blockedMs, gapMs);
      this.#busyMs = Math.max(this.#busyMs, Math.min(gapMs, (user + system) / 1000));
      last = performance.now();
      spent = process.cpuUsage();
    }, EVERY_MS);
  }

  /** Ends the watch, too. */
  moments(): Moments {
    clearInterval(this.#timer);
    const [blockedMs, busyMs] = [this.#blockedMs, this.#busyMs];
    return { leaderAt: this.#leaderAt, recoveringAt: this.#recoveringAt, blockedMs, busyMs };
  }
}
