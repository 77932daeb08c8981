/** One fault run, from an empty machine to a verdict. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatHistory } from '../sim/checker-history.ts';
import { bundleWorker } from './bundle.ts';
import { Cluster } from './faults-cluster.ts';
import { bundleMutant } from './faults-mutation.ts';
import type { Lab } from './lab.ts';
import { openLab } from './lab-open.ts';
import { Nemesis, possibleFaults } from './nemesis.ts';
import type { Fault } from './nemesis-fault.ts';
import type { FaultOptions } from './options.ts';
import { keepEvidence, Progress, recoverySummary } from './report.ts';
import { Timeline } from './timeline.ts';
import { judge, type Verdict } from './verdict.ts';

const SYNC_LIMIT = 4;
const GAP_MS = [200, 1500] as const;
const PAIRS = 0.15;
/** Below this a run shows too little. Operations a second. */
const LEAST_RATE = 170;
/** From this length on every kind of fault has to happen. */
const LONG_MINUTES = 10;
/** Whoever ends here does so in its own good time: nothing may be lost. */
const CLEAN = ['rolling-restart', 'churn', 'skew'];
/** Keys that exist for the whole run (workload.ts). */
const COLD_KEYS = Array.from({ length: 500 }, (_unused, i) => `c${i}`);

export interface RunResult {
  readonly line: Record<string, unknown>;
  /** Why it is no pass; empty: it is one. */
  readonly problems: readonly string[];
}

export type RunOptions = Omit<FaultOptions, 'table'>;

export async function runFaults(
  options: RunOptions,
  faults: readonly Fault[],
  signal: AbortSignal,
): Promise<RunResult> {
  const run = new FaultRun(options, signal);
  try {
    return await run.go(faults);
  } finally {
    await run.close();
  }
}

class FaultRun {
  readonly #options: RunOptions;
  readonly #signal: AbortSignal;
  readonly #timeline = new Timeline();
  readonly #progress = new Progress();
  readonly #folder = mkdtempSync(join(tmpdir(), 'zistore-faults-'));
  readonly #problems: string[] = [];
  #lab: Lab | undefined;
  #cluster: Cluster | undefined;
  #nemesis: Nemesis | undefined;
  #kept = false;

  constructor(options: RunOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async go(faults: readonly Fault[]): Promise<RunResult> {
    const { mutation, nodes, tickTimeMs, proxies } = this.#options;
    const worker = mutation === undefined ? await bundleWorker() : await bundleMutant(mutation);
    const lab = { hosts: nodes, tickTimeMs, syncLimit: SYNC_LIMIT, folder: this.#folder, worker };
    this.#lab = await openLab(lab, { proxies, say: (line) => this.#progress.say(line) });
    const began = performance.now();
    const making = this.#make(this.#lab, faults, began);
    making.catch(() => {});
    try {
      await Promise.race([making, this.#aborted()]);
    } catch (error) {
      this.#problems.push((error as Error).message);
    }
    this.#progress.end();
    return this.#conclude((performance.now() - began) / 1000);
  }

  /** Whatever is being waited for. */
  #aborted(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#signal.addEventListener('abort', () => reject(this.#signal.reason as Error));
    });
  }

  async close(): Promise<void> {
    await this.#lab?.close();
    if (!this.#kept) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Rejects when something does not come to work again. */
  async #make(lab: Lab, faults: readonly Fault[], began: number): Promise<void> {
    const { minutes, seed, rate, nodes, sessionTimeoutMs, tickTimeMs } = this.#options;
    const load = { rate: rate / nodes };
    const log = (line: string) => this.#progress.say(`${((performance.now() - began) / 1000).toFixed(1)} s  ${line}`);
    const named = { name: 'faults', sessionTimeoutMs, tickTimeMs };
    const cluster = new Cluster(lab, this.#timeline, { ...named, load, seed, say: log });
    this.#cluster = cluster;
    await cluster.startAll();
    cluster.load();
    const endAt = performance.now() + minutes * 60_000;
    const possible = possibleFaults(lab, faults);
    const others = faults.filter((fault) => !possible.includes(fault)).map(({ kind }) => kind);
    if (others.length > 0) this.#progress.say(`faults that cannot be made here: ${others.join(', ')}`);
    if (possible.length === 0) throw new Error('none of these faults can be made here');
    const nemesis = new Nemesis(lab, cluster, { seed, faults: possible, gapMs: GAP_MS, pairs: PAIRS, spared: [], log });
    this.#nemesis = nemesis;
    const ticking = setInterval(() => this.#progress.show(() => this.#words(endAt)), 500);
    try {
      await nemesis.run(() => performance.now() > endAt || this.#signal.aborted);
    } finally {
      clearInterval(ticking);
    }
    await cluster.quiet();
    await cluster.keysServe(COLD_KEYS);
    await cluster.close();
    cluster.assertWell();
  }

  #words(endAt: number): string {
    const left = Math.max(0, (endAt - performance.now()) / 1000).toFixed(0);
    const { operations, acknowledged } = this.#timeline;
    const struck = Object.values(this.#nemesis?.counts ?? {}).reduce((sum, count) => sum + count, 0);
    return `${left} s left, ${operations} operations, ${acknowledged} acknowledged, ${struck} faults`;
  }

  async #conclude(seconds: number): Promise<RunResult> {
    const { seed, minutes, nodes, sessionTimeoutMs, history } = this.#options;
    this.#progress.say('judging the history…');
    const verdict = judge(this.#timeline);
    const counts = this.#nemesis?.counts ?? {};
    this.#weigh(verdict, counts);
    if (history !== undefined) writeFileSync(history, formatHistory(verdict.history));
    const line: Record<string, unknown> = {
      operations: verdict.operations,
      acknowledged: verdict.acknowledged,
      errors: verdict.errors,
      faults: counts,
      violations: verdict.violations,
      maxUnavailableMs: verdict.maxUnavailableMs,
      staleReads: verdict.staleReads,
      undecided: verdict.undecided,
      lostKeys: verdict.lostKeys,
      zookeeperStuck: this.#cluster?.zookeeperStuck ?? 0,
      recoveryMs: recoverySummary(this.#nemesis?.recoveries ?? {}),
      ...{ seed, minutes, nodes, sessionTimeoutMs, lab: this.#lab?.kind, seconds: Math.round(seconds) },
    };
    if (this.#problems.length > 0 || this.#options.keep) {
      this.#kept = true;
      mkdirSync(this.#folder, { recursive: true });
      await keepEvidence(this.#folder, this.#lab, this.#timeline, verdict);
      line.kept = this.#folder;
    }
    if (this.#problems.length > 0) line.problems = this.#problems;
    return { line, problems: this.#problems };
  }

  #weigh(verdict: Verdict, counts: Readonly<Record<string, number>>): void {
    const { minutes } = this.#options;
    if (verdict.violations > 0) this.#problems.push(`${verdict.violations} keys are not linearizable`);
    if (verdict.staleReads > 0) this.#problems.push(`${verdict.staleReads} reads were out of date`);
    if (verdict.undecided > 0) this.#problems.push(`${verdict.undecided} keys could not be decided, which is no pass`);
    const struck = Object.keys(counts).filter((kind) => counts[kind]! > 0);
    const isClean = struck.every((kind) => CLEAN.includes(kind));
    if (isClean && verdict.lostKeys > 0 && !this.#timeline.events.some(({ what }) => what === 'lost')) {
      this.#problems.push(`${verdict.lostKeys} keys are lost although every node left cleanly`);
    }
    if (this.#signal.aborted) return;
    const least = Math.round(LEAST_RATE * 60 * minutes);
    if (verdict.operations < least)
      this.#problems.push(`${verdict.operations} operations are too few; at least ${least}`);
    const missing = Object.keys(counts).filter((kind) => counts[kind] === 0);
    if (minutes >= LONG_MINUTES && missing.length > 0) this.#problems.push(`did not happen: ${missing.join(', ')}`);
  }
}
