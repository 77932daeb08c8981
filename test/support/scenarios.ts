/** One suite, run on every kind of coordinator. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { startEmbeddedCoordinator } from '../../src/embedded/server.ts';
import type { ZiStoreErrorCode } from '../../src/errors.ts';
import { type Coordinator, TestCluster } from './cluster.ts';
import { describeZooKeeper } from './describe-zookeeper.ts';
import { outOfDateReads } from './history.ts';
import { scaled } from './wait.ts';
import { sharedZooKeeper, TICK_TIME_MS } from './zookeeper.ts';

interface RunningCoordinator extends Coordinator {
  stop(): Promise<void>;
}

async function startEmbedded(): Promise<RunningCoordinator> {
  const server = await startEmbeddedCoordinator({
    tickTimeMs: TICK_TIME_MS,
    maxSessionTimeoutMs: 600_000,
  });
  return { connectString: server.connectString, tickTimeMs: server.tickTimeMs, stop: () => server.close() };
}

/** `define` gets the cluster of the running test; each test has a new one, closed and checked when it ends. */
export function scenarios(title: string, define: (cluster: () => TestCluster) => void): void {
  describeZooKeeper(`${title} (ZooKeeper)`, () => onOne(sharedZooKeeper, define));
  describe(`${title} (embedded coordinator)`, () => onOne(startEmbedded, define));
}

function onOne(start: () => Promise<RunningCoordinator>, define: (cluster: () => TestCluster) => void): void {
  let coordinator: RunningCoordinator;
  let cluster: TestCluster;
  const stalls = monitorEventLoopDelay({ resolution: 20 });
  beforeAll(async () => {
    coordinator = await start();
  });
  afterAll(() => coordinator?.stop());
  beforeEach(async () => {
    cluster = await TestCluster.create(coordinator);
    stalls.reset();
    stalls.enable();
  });
  afterEach(async () => {
    stalls.disable();
    sayIfStalled(stalls.max / 1e6);
    await cluster.close();
    expect(outOfDateReads(cluster.history.entries)).toEqual([]);
  });
  define(() => cluster);
}

/** A machine too busy for the sessions of these tests makes them fail for reasons that are not the nodes' fault. */
function sayIfStalled(longestMs: number): void {
  if (longestMs < scaled(300)) return;
  const test = expect.getState().currentTestName;
  process.stderr.write(
    `${test}: this process stood still for ${Math.round(longestMs)} ms, and leases of nodes may have lapsed meanwhile. ` +
      'If that made the test fail, set ZISTORE_TEST_TIME_SCALE=3 on this machine.\n',
  );
}

/** For `expect(promise).rejects`. */
export const withCode = (code: ZiStoreErrorCode): unknown => expect.objectContaining({ code });

/** Follows a promise without waiting for it. */
export interface Watched<T> {
  readonly promise: Promise<T>;
  settled: boolean;
}

export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { promise, settled: false };
  const settle = () => {
    watched.settled = true;
  };
  promise.then(settle, settle);
  return watched;
}
