/** One caller at one node: the same operation again and again, and for how long it did not succeed. */
import { pause } from '../support/wait.ts';
import { WORKER_ENDED, WorkerError } from './member.ts';

const BETWEEN_MS = 20;
/** Shorter than this nobody calls it an outage. */
export const NOTICEABLE_MS = 200;

const LASTING_MS = 400;

interface Attempt {
  readonly to: number;
  /** Undefined: it succeeded. */
  readonly code: string | undefined;
}

/** What a caller saw of one fault. */
export interface Seen {
  /** Of the errors in the order of their first coming. */
  readonly codes: readonly string[];
  /** Between two successes. */
  readonly ms: number;
  /** Whether it ended only after the healing began, and if so, how long after. */
  readonly afterHealMs: number | undefined;
  /** The process is gone, and with it the caller. */
  readonly ended: boolean;
}

export class Prober {
  readonly #attempts: Attempt[] = [];
  readonly #run: Promise<void>;
  #stopped = false;
  #ended = false;

  constructor(operation: () => Promise<unknown>) {
    this.#run = this.#go(operation);
  }

  /** Resolves when the last attempt has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#run;
  }

  seen(struckAt: number, healedAt: number): Seen {
    let last = struckAt;
    let worst = { from: struckAt, to: struckAt };
    for (const { to, code } of this.#attempts) {
      if (to < struckAt || code !== undefined) continue;
      if (to - last > worst.to - worst.from) worst = { from: last, to };
      last = to;
    }
    // One that began just before the healing has to do with that, not with the fault.
    const lasted = worst.to > healedAt && healedAt - worst.from >= LASTING_MS;
    const failed = this.#attempts.filter(({ to, code }) => to >= struckAt && code !== undefined);
    return {
      codes: [...new Set(failed.map(({ code }) => code!))],
      ms: worst.to - worst.from,
      afterHealMs: lasted ? worst.to - healedAt : undefined,
      ended: this.#ended,
    };
  }

  async #go(operation: () => Promise<unknown>): Promise<void> {
    while (!this.#stopped && !this.#ended) {
      let code: string | undefined;
      try {
        await operation();
      } catch (error) {
        if (!(error instanceof WorkerError)) throw error;
        code = error.code;
      }
      this.#ended = code === WORKER_ENDED || code === 'ZISTORE_CLOSED';
      if (!this.#ended) this.#attempts.push({ to: performance.now(), code });
      await pause(BETWEEN_MS);
    }
  }
}
