/** `npm run soak`: see docs/faults.md. One JSON line on standard output; exit code 0 only where nothing has grown. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHistory } from '../sim/checker-history.ts';
import { keepFolder, keptName, ownedFolder } from '../support/owned-folder.ts';
import { orAborted } from './abort.ts';
import { bundleWorker } from './bundle.ts';
import { monotonicNs } from './clock.ts';
import { Cluster } from './faults-cluster.ts';
import { historyProblems } from './faults-weigh.ts';
import type { Lab } from './lab.ts';
import { openLab } from './lab-open.ts';
import { allFaults, Nemesis, possibleFaults } from './nemesis.ts';
import { readSoakOptions, type SoakOptions } from './options.ts';
import { keepEvidence, Progress, recoverySummary } from './report.ts';
import { chartOf, type Mark } from './soak-chart.ts';
import { type Growth, growthOf } from './soak-growth.ts';
import { Samples } from './soak-samples.ts';
import { Sweep } from './soak-sweep.ts';
import { soakProblems } from './soak-weigh.ts';
import { Timeline } from './timeline.ts';
import { Judge } from './verdict.ts';

const SYNC_LIMIT = 4;
const SAMPLE_MS = 10_000;
/** Their processes are never ended, so that what they leak adds up. They are stopped and cut off like the others. */
const SPARED = [0, 1];

class Soak {
  readonly #options: SoakOptions;
  readonly #signal: AbortSignal;
  readonly #timeline = new Timeline();
  readonly #judge = new Judge(this.#timeline);
  readonly #samples = new Samples(SPARED);
  readonly #progress = new Progress();
  readonly #faults: Mark[] = [];
  readonly #problems: string[] = [];
  readonly #folder = ownedFolder('zistore-soak');
  #opening: Promise<Lab> | undefined;
  #lab: Lab | undefined;
  /** Kinds that it cannot make. */
  #impossible: readonly string[] = [];
  #cluster: Cluster | undefined;
  #nemesis: Nemesis | undefined;
  #kept = false;

  constructor(options: SoakOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async go(): Promise<Record<string, unknown>> {
    const began = performance.now();
    try {
      await orAborted(this.#make(began), this.#signal);
    } catch (error) {
      if (error !== this.#signal.reason) this.#problems.push((error as Error).message);
    }
    this.#progress.end();
    return this.#conclude((performance.now() - began) / 1000);
  }

  async close(): Promise<void> {
    // Also of one that was still being opened.
    await (await this.#opening?.catch(() => undefined))?.close();
    if (this.#kept) keepFolder(this.#folder);
    else rmSync(this.#folder, { recursive: true, force: true });
  }

  async #openLab(): Promise<Lab> {
    const { nodes, tickTimeMs, proxies } = this.#options;
    const [worker, signal] = [await bundleWorker(), this.#signal];
    signal.throwIfAborted();
    const lab = { hosts: nodes, tickTimeMs, syncLimit: SYNC_LIMIT, folder: this.#folder, worker, signal };
    return openLab(lab, { proxies, say: (line) => this.#progress.say(line) });
  }

  async #make(began: number): Promise<void> {
    this.#opening = this.#openLab();
    const lab = await this.#opening;
    this.#signal.throwIfAborted();
    this.#lab = lab;
    const { hours, seed, rate, nodes, sessionTimeoutMs, tickTimeMs, everySeconds } = this.#options;
    const load = { rate: rate / nodes };
    const seconds = () => (performance.now() - began) / 1000;
    const say = (line: string) => this.#progress.say(`${seconds().toFixed(0)} s  ${line}`);
    const named = { name: 'soak', sessionTimeoutMs, tickTimeMs };
    const cluster = new Cluster(lab, this.#timeline, { ...named, load, seed, say });
    this.#cluster = cluster;
    await cluster.startAll();
    cluster.load();
    const possible = possibleFaults(lab);
    this.#impossible = allFaults.filter((fault) => !possible.includes(fault)).map(({ kind }) => kind);
    const nemesis = new Nemesis(lab, cluster, {
      ...{ seed, faults: possible, pairs: 0, spared: SPARED },
      gapMs: [everySeconds * 500, everySeconds * 1500],
      log: (line) => {
        this.#faults.push({ at: seconds() });
        say(line);
      },
    });
    this.#nemesis = nemesis;
    const endAt = performance.now() + hours * 3_600_000;
    let failed = false;
    const over = () => failed || performance.now() > endAt || this.#signal.aborted;
    const faults = nemesis.run(over).catch((error: unknown) => {
      failed = true;
      throw error;
    });
    await Promise.all([faults, this.#sample(cluster, over)]);
    this.#signal.throwIfAborted();
    await cluster.quiet();
    await cluster.close();
    cluster.assertWell();
  }

  /** Until `over`. */
  async #sample(cluster: Cluster, over: () => boolean): Promise<void> {
    const sweep = new Sweep(this.#timeline, cluster, this.#judge);
    while (!over()) {
      const next = performance.now() + SAMPLE_MS;
      await this.#samples.take(cluster);
      await sweep.go(monotonicNs());
      this.#progress.show(() => `${this.#samples.taken} samples, ${this.#timeline.operations} operations`);
      while (performance.now() < next && !over()) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #growth(): Growth[] {
    try {
      return this.#samples.all().map(growthOf);
    } catch (error) {
      this.#problems.push((error as Error).message);
      return [];
    }
  }

  async #conclude(seconds: number): Promise<Record<string, unknown>> {
    const { seed, hours, nodes, rate, sessionTimeoutMs, everySeconds, history, out, keep } = this.#options;
    const verdict = this.#judge.verdict();
    const { violations, staleReads, undecided } = verdict;
    this.#problems.push(...historyProblems(verdict));
    const faults = Object.values(this.#nemesis?.counts ?? {}).reduce((sum, count) => sum + count, 0);
    const run = { hours, rate, everySeconds, faults, taken: this.#samples.taken, answers: this.#samples.answers };
    this.#problems.push(...soakProblems(verdict, run));
    if (this.#signal.aborted)
      this.#problems.push(`it did not run to its end: ${(this.#signal.reason as Error).message}`);
    const growth = this.#growth();
    for (const { metric, of, first, last, allowed, grown } of growth) {
      if (grown) this.#problems.push(`${metric} of ${of} grew from ${first} to ${last}; allowed: ${allowed}`);
    }
    // Of keys that were settled on the way only the verdict is left.
    if (history !== undefined) writeFileSync(history, formatHistory(verdict.history));
    mkdirSync(out, { recursive: true });
    const chart = join(out, `soak-${seed}.svg`);
    const title = `${hours} h, ${nodes} nodes, seed ${seed}`;
    writeFileSync(chart, chartOf(this.#samples.all(), seconds, this.#faults, title));
    writeFileSync(join(out, `soak-${seed}.json`), `${JSON.stringify(this.#samples.all())}\n`);
    const line: Record<string, unknown> = {
      operations: verdict.operations,
      acknowledged: verdict.acknowledged,
      errors: verdict.errors,
      faults: this.#nemesis?.counts ?? {},
      impossible: this.#impossible,
      ...{ violations, maxUnavailableMs: verdict.maxUnavailableMs, staleReads, undecided, lostKeys: verdict.lostKeys },
      survivalsDemanded: verdict.survivalsDemanded,
      refusedStarts: this.#cluster?.refusedStarts ?? {},
      samples: this.#samples.taken,
      growth,
      zookeeperStuck: this.#cluster?.zookeeperStuck ?? 0,
      recoveryMs: recoverySummary(this.#nemesis?.recoveries ?? {}),
      ...{ chart, seed, hours, nodes, sessionTimeoutMs, lab: this.#lab?.kind, seconds: Math.round(seconds) },
    };
    if (this.#problems.length > 0 || keep) {
      this.#kept = true;
      await keepEvidence(this.#folder, this.#lab, this.#timeline, verdict);
      Object.assign(line, { kept: keptName(this.#folder) });
    }
    if (this.#problems.length > 0) line.problems = this.#problems;
    return line;
  }
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
}
const soak = new Soak(readSoakOptions(process.argv.slice(2)), stop.signal);
try {
  const line = await soak.go();
  process.stdout.write(`${JSON.stringify(line)}\n`);
  process.exitCode = line.problems === undefined ? 0 : 1;
} finally {
  await soak.close();
  // What was given up may still be waiting for something.
  if (stop.signal.aborted) process.exit(1);
}
