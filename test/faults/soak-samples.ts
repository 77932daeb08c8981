/** What is looked at of each node every few seconds, and what must not grow. */
import type { Cluster, Running } from './faults-cluster.ts';
import type { WorkerStatus } from './wire.ts';

/** A series of values, each with its time in seconds from the start. */
export interface Series {
  readonly metric: string;
  /** A node that is never ended, or all of them together. */
  readonly of: string;
  readonly points: { readonly at: number; readonly value: number }[];
}

/** Of each node that is never ended: what would show a leak. */
const OF_NODES: Readonly<Record<string, (status: WorkerStatus) => number>> = {
  rss: ({ memory }) => memory.rss,
  heapUsed: ({ memory }) => memory.heapUsed,
  external: ({ memory }) => memory.external,
  handles: ({ handles }) => Object.values(handles).reduce((sum, count) => sum + count, 0),
};

/** The most that any node has: which of them leads changes, and with it who has a directory. */
const OF_ALL: Readonly<Record<string, (status: WorkerStatus) => number>> = {
  inFlight: ({ inFlight }) => inFlight,
  operations: ({ status }) => status.pending.operations,
  locks: ({ status }) => status.pending.locks,
  invalidating: ({ status }) => status.pending.invalidating,
  directory: ({ status }) => status.pending.directory,
  entries: ({ status }) => status.cache.entries,
  bytes: ({ status }) => status.cache.bytes,
};

const ANSWER_LIMIT_MS = 5000;

export class Samples {
  readonly #series = new Map<string, Series>();
  readonly #spared: readonly number[];
  readonly #began = performance.now();
  /** How often all were asked. Some may not answer: they stand still, or have just ended. */
  taken = 0;
  /** Of each node that is never ended, how often it answered. */
  readonly answers = new Map<number, number>();

  constructor(spared: readonly number[]) {
    this.#spared = spared;
    for (const host of spared) this.answers.set(host, 0);
  }

  all(): Series[] {
    return [...this.#series.values()];
  }

  async take(cluster: Cluster): Promise<void> {
    const at = (performance.now() - this.#began) / 1000;
    const answers = await Promise.all(cluster.running().map(statusOf));
    const statuses = answers.filter((answer) => answer !== undefined);
    for (const { host, status } of statuses) {
      if (!this.#spared.includes(host)) continue;
      this.answers.set(host, (this.answers.get(host) ?? 0) + 1);
      for (const [metric, read] of Object.entries(OF_NODES)) this.#add(metric, `node ${host}`, at, read(status));
    }
    this.taken += 1;
    if (statuses.length === 0) return;
    for (const [metric, read] of Object.entries(OF_ALL)) {
      this.#add(metric, 'all', at, Math.max(...statuses.map(({ status }) => read(status))));
    }
  }

  #add(metric: string, of: string, at: number, value: number): void {
    const name = `${metric} ${of}`;
    const series = this.#series.get(name) ?? { metric, of, points: [] };
    series.points.push({ at: Math.round(at), value });
    this.#series.set(name, series);
  }
}

async function statusOf({ host, member }: Running): Promise<{ host: number; status: WorkerStatus } | undefined> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(resolve, ANSWER_LIMIT_MS, undefined).unref();
  });
  const status = await Promise.race([member.status().catch(() => undefined), late]);
  return status === undefined ? undefined : { host, status };
}
