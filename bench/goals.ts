/** What is aimed at, and whether it was met. Ratios are of medians of paired rounds. */
import { type CaseResult, OURS } from './model.ts';
import { type Metric, metricOf, ratioOf, type Spread, spreadOf } from './statistics.ts';

export interface Goal {
  readonly case: string;
  readonly says: string;
  /** Without it the goal is about the value itself. */
  readonly against?: string;
  readonly ours?: string;
  readonly metric?: Metric;
  readonly bound: 'atLeast' | 'atMost';
  readonly goal: number;
  /** Which of a case's values, when it is not the median: the worst of all rounds. */
  readonly worst?: true;
}

export interface Verdict {
  readonly goal: Goal;
  readonly seen: Spread | undefined;
  readonly met: boolean | undefined;
}

const redis = 'node-redis';

export const GOALS: readonly Goal[] = [
  goal('cached-get', 'cached get, awaited, against an async Map get with a clock reading', 'Map', 'atLeast', 0.8),
  goal('cached-get', 'cached get against a hit of node-redis client-side cache', 'node-redis cache', 'atLeast', 5),
  goal('peek', 'peek against Map.get and performance.now()', 'Map', 'atLeast', 0.8),
  goal('get-256-16B', 'uncached get, 256 in flight, 16 B, against GET', redis, 'atLeast', 1.5),
  goal('set-256-16B', 'set without holders, 256 in flight, 16 B, against SET', redis, 'atLeast', 1.5),
  { ...goal('get-1-16B', 'uncached get, one in flight: p50 against GET', redis, 'atMost', 1.2), metric: 'p50' },
  { ...goal('set-1-16B', 'set, one in flight: p50 against SET', redis, 'atMost', 1.2), metric: 'p50' },
  goal('set-3-holders', 'set with 3 holders, 64 in flight, against etcd put', 'etcd', 'atLeast', 5),
  goal('set-3-holders', 'set with 3 holders, 64 in flight, against ZooKeeper setData', 'ZooKeeper', 'atLeast', 5),
  goal('ycsb-B', 'YCSB B, 4 nodes, against node-redis with client-side caching', 'node-redis cache', 'atLeast', 5),
  goal('ycsb-C', 'YCSB C, 4 nodes, against node-redis with client-side caching', 'node-redis cache', 'atLeast', 5),
  goal('lone-set', 'set on a lone node against classic-level put, awaited one by one', 'classic-level', 'atLeast', 10),
  value('failover', 'kill -9 of the leader to the first acknowledged write, session timeout 1 s (ms)', 1500),
  value('takeover-1M', 'takeover with 1M surviving entries (ms)', 3000),
  { ...value('takeover-1M-block', 'longest block of an event loop in it (ms)', 50), worst: true },
  value('warm-up-512B', 'warm-up of 1000 × 512 B (ms)', 50),
  value('warm-up-16KiB', 'warm-up of 1000 × 16 KiB (ms)', 300),
  value('memory-cached', 'memory per cached 16 B/16 B entry (bytes)', 300),
];

function goal(name: string, says: string, against: string, bound: Goal['bound'], at: number): Goal {
  return { case: name, says, against, bound, goal: at };
}

function value(name: string, says: string, atMost: number): Goal {
  return { case: name, says, bound: 'atMost', goal: atMost };
}

export function judge(results: readonly CaseResult[], goals: readonly Goal[] = GOALS): Verdict[] {
  return goals.map((each) => {
    const result = results.find(({ name }) => name === each.case);
    const seen = result && seenOf(result, each);
    if (seen === undefined || Number.isNaN(seen.median)) return { goal: each, seen: undefined, met: undefined };
    const decisive = each.worst ? seen.max : seen.median;
    return { goal: each, seen, met: each.bound === 'atLeast' ? decisive >= each.goal : decisive <= each.goal };
  });
}

function seenOf(result: CaseResult, { against, ours = OURS, metric = 'value' }: Goal): Spread | undefined {
  if (against !== undefined) return ratioOf(result, ours, against, metric);
  const samples = result.measured.find(({ contender }) => contender === ours)?.samples;
  return samples && spreadOf(samples.map((sample) => metricOf(sample, metric)));
}
