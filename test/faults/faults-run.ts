/** One fault run, from an empty machine to a verdict. */
import { rmSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { formatHistory } from '../sim/checker-history.ts';
import { keepFolder, keptName, ownedFolder } from '../support/owned-folder.ts';
import { orAborted } from './abort.ts';
import { bundleWorker } from './bundle.ts';
import { Cluster } from './faults-cluster.ts';
import { bundleMutant } from './faults-mutation.ts';
import { problemsOf } from './faults-weigh.ts';
import type { Lab } from './lab.ts';
import { openLab } from './lab-open.ts';
import { Nemesis, possibleFaults } from './nemesis.ts';
import type { Fault } from './nemesis-fault.ts';
import type { FaultOptions } from './options.ts';
import { keepEvidence, Progress, recoverySummary } from './report.ts';
import { Timeline } from './timeline.ts';
import { judge } from './verdict.ts';

const SYNC_LIMIT = 4;
const GAP_MS = [200, 1500] as const;
const PAIRS = 0.15;
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
  readonly #folder = ownedFolder('zistore-faults');
  readonly #problems: string[] = [];
  #opening: Promise<Lab> | undefined;
  #lab: Lab | undefined;
  /** Kinds that it cannot make. */
  #impossible: readonly Fault[] = [];
  #cluster: Cluster | undefined;
  #nemesis: Nemesis | undefined;
  #kept = false;

  constructor(options: RunOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async go(faults: readonly Fault[]): Promise<RunResult> {
    const began = performance.now();
    try {
      await orAborted(this.#make(faults, began), this.#signal);
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
    const { mutation, nodes, tickTimeMs, proxies } = this.#options;
    const worker = mutation === undefined ? await bundleWorker() : await bundleMutant(mutation);
    const signal = this.#signal;
    signal.throwIfAborted();
    const lab = { hosts: nodes, tickTimeMs, syncLimit: SYNC_LIMIT, folder: this.#folder, worker, signal };
    return openLab(lab, { proxies, say: (line) => this.#progress.say(line) });
  }

  /** Rejects when something does not come to work again. */
  async #make(faults: readonly Fault[], began: number): Promise<void> {
    this.#opening = this.#openLab();
    const lab = await this.#opening;
    this.#signal.throwIfAborted();
    this.#lab = lab;
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
    this.#impossible = faults.filter((fault) => !possible.includes(fault));
    const kinds = this.#impossible.map(({ kind }) => kind);
    if (kinds.length > 0) this.#progress.say(`faults that cannot be made here: ${kinds.join(', ')}`);
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
    // Signals that came while it was judged.
    await setImmediate();
    const counts = this.#nemesis?.counts ?? {};
    const sessionsLost = this.#timeline.events.some(({ what }) => what === 'lost');
    const run = { minutes, counts, impossible: this.#impossible, lab: this.#lab?.kind, sessionsLost };
    this.#problems.push(...problemsOf(verdict, run));
    if (this.#signal.aborted)
      this.#problems.push(`it did not run to its end: ${(this.#signal.reason as Error).message}`);
    if (history !== undefined) writeFileSync(history, formatHistory(verdict.history));
    const line: Record<string, unknown> = {
      operations: verdict.operations,
      acknowledged: verdict.acknowledged,
      errors: verdict.errors,
      faults: counts,
      impossible: this.#impossible.map(({ kind }) => kind),
      violations: verdict.violations,
      maxUnavailableMs: verdict.maxUnavailableMs,
      staleReads: verdict.staleReads,
      undecided: verdict.undecided,
      lostKeys: verdict.lostKeys,
      survivalsDemanded: verdict.survivalsDemanded,
      refusedStarts: this.#cluster?.refusedStarts ?? {},
      zookeeperStuck: this.#cluster?.zookeeperStuck ?? 0,
      recoveryMs: recoverySummary(this.#nemesis?.recoveries ?? {}),
      ...{ seed, minutes, nodes, sessionTimeoutMs, lab: this.#lab?.kind, seconds: Math.round(seconds) },
    };
    if (this.#problems.length > 0 || this.#options.keep) {
      this.#kept = true;
      await keepEvidence(this.#folder, this.#lab, this.#timeline, verdict);
      line.kept = keptName(this.#folder);
    }
    if (this.#problems.length > 0) line.problems = this.#problems;
    return { line, problems: this.#problems };
  }
}
