/**
 * One cluster of containers for all tests of a file. Each test finds it whole and under a small load; after each it is
 * made whole again, everybody has to serve, and the history of all that has been done so far has to keep the promise.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { monotonicNs } from '../faults/clock.ts';
import { isPass, judge, keepVerdict, type Verdict } from '../faults/verdict.ts';
import { describeWith } from '../support/requirements.ts';
import { scaled } from '../support/wait.ts';
import { ContainerCluster } from './container-cluster.ts';
import { whyNoDocker } from './engine.ts';
import { firstRead, written } from './expectations.ts';
import { whyNoFiltering } from './filter.ts';
import type { NodeContainer } from './node-container.ts';

const START_LIMIT_MS = 180_000;
const LAST_LINES = 12;

export interface Tests {
  /** What `docker network disconnect`, pause, kill and start can do. */
  it(name: string, body: (scene: Scene) => Promise<void>): void;
  /** What needs packet filters in the networks of the containers. */
  itFilters(name: string, body: (scene: Scene) => Promise<void>): void;
}

export interface Cast {
  readonly leader: NodeContainer;
  readonly follower: NodeContainer;
  readonly other: NodeContainer;
  readonly k: string;
  readonly v: string;
}

/** One test's. */
export class Scene {
  readonly cluster: ContainerCluster;
  readonly #number: number;
  readonly #laps: string[] = [];
  #last = monotonicNs();

  constructor(cluster: ContainerCluster, number: number) {
    this.cluster = cluster;
    this.#number = number;
  }

  /** A key that no other test uses. */
  key(name = 'k'): string {
    return `${this.#number}-${name}`;
  }

  /** The cast, and a key of which the leader and the first follower have a copy, and the other has not. */
  async withCopy(): Promise<Cast> {
    const [leader, follower, other] = await this.cluster.cast();
    const k = this.key();
    const v = await written(leader, k);
    expect(await firstRead(follower, k)).toBe(v);
    return { leader, follower, other, k, v };
  }

  /** Notes how long it took since the last lap. */
  lap(what: string): void {
    const now = monotonicNs();
    this.#laps.push(`${what} after ${((now - this.#last) / 1e9).toFixed(1)} s`);
    this.#last = now;
  }

  /** What comes now is not timed with what came before. */
  clock(): void {
    this.#last = monotonicNs();
  }

  /** Everything is healed; resolves when everybody serves again. */
  async heal(): Promise<void> {
    this.clock();
    await this.cluster.heal();
    await this.cluster.serving();
    this.lap('healed: everybody served again');
    await this.cluster.ensemble();
  }

  report(): string {
    return this.#laps.join('; ');
  }
}

/** A module waits for it: jest wants to know at once which tests are skipped. */
export async function onContainers(title: string, name: string, define: (tests: Tests) => void): Promise<void> {
  describeWith('docker', await whyNoDocker(), title, () => {
    let cluster: ContainerCluster | undefined;
    let number = 0;
    beforeAll(async () => {
      cluster = await ContainerCluster.start(name);
    }, scaled(START_LIMIT_MS));
    afterAll(() => cluster?.close(), scaled(START_LIMIT_MS));
    const test = (what: string, body: (scene: Scene) => Promise<void>): void =>
      it(what, async () => {
        number += 1;
        await play(new Scene(cluster!, number), body);
      });
    const noFilters = whyNoFiltering();
    if (noFilters !== null) process.stderr.write(`${title}: many of the cuts cannot be made here: ${noFilters}\n`);
    define({
      it: test,
      itFilters: (what, body) =>
        noFilters === null
          ? test(what, body)
          : describeWith('docker', noFilters, what, () => test('is as it says', body)),
    });
  });
}

async function play(scene: Scene, body: (scene: Scene) => Promise<void>): Promise<void> {
  const { cluster } = scene;
  try {
    cluster.load();
    await cluster.warm();
    await body(scene);
    await cluster.quiet();
    await assertKept(cluster);
    process.stderr.write(`${expect.getState().currentTestName}:\n  ${scene.report()}\n`);
  } catch (error) {
    await keepLogs(cluster, error as Error, scene.report());
    // The next test is to find it whole.
    await scene.heal().catch(() => {});
    throw error;
  }
}

/** Of everything so far; what a test before was told of is not told again. */
async function assertKept({ timeline, told }: ContainerCluster): Promise<void> {
  const verdict = judge(timeline);
  const { violations, undecided, staleReads, unexpected, counterExamples }: Verdict = verdict;
  const errors = Object.values(unexpected).reduce((sum, count) => sum + count, 0);
  const news = violations + undecided + staleReads + errors;
  if (isPass(verdict) || news <= told.faults) return;
  told.faults = news;
  const folder = await mkdtemp(join(tmpdir(), 'zistore-partition-'));
  await keepVerdict(folder, verdict);
  const why = counterExamples.map((example) => example.why).join(' ');
  throw new Error(
    `the promise was broken: ${violations} keys not linearizable, ${undecided} undecided, ${staleReads} stale reads, ${JSON.stringify(unexpected)} that no caller may see; ${why} (history and pictures are in ${folder})`,
  );
}

async function keepLogs({ nodes }: ContainerCluster, error: Error, report: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'zistore-partition-'));
  for (const { name, log } of nodes) {
    await writeFile(join(folder, `${name}.log`), log.join('\n'));
    // Where the folder is out of reach, as in CI, these have to do.
    process.stderr.write(`${name} logged last:\n${log.slice(-LAST_LINES).join('\n')}\n`);
  }
  error.message += ` [${report}; logs of the nodes are in ${folder}]`;
}
