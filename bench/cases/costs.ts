/** What it costs to begin: start, join, warm-up; and what it costs to keep: memory. */
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS } from '../model.ts';
import { repeated } from '../paired.ts';
import { type Case, resultOf } from './case.ts';

const LOWER = { better: 'lower' } as const;

/** A node that has just joined reads everything for the first time. */
export async function warmUp(context: Context, size: number, count = 1000, rounds?: number) {
  const cluster = context.newCluster();
  const leader = await context.node(cluster, 'ZiStore leader');
  const keys = { from: 0, count };
  await leader.ask('pass', { op: 'set', inFlight: 64, keys, size });
  return repeated(
    context,
    OURS,
    async (round) => {
      const follower = await context.node(cluster, `ZiStore follower ${round + 1}`);
      const { value } = await follower.ask('pass', { op: 'get', inFlight: count, keys, size });
      await follower.close();
      return (count / value) * 1000;
    },
    rounds,
  );
}

async function warmUpCase(context: Context, name: string, size: number, words: string): Promise<CaseResult[]> {
  const about = {
    ...LOWER,
    name,
    title: `Warm-up of a follower: 1000 × ${words}`,
    unit: 'ms',
    notes: [
      'A process that has just started and joined reads 1000 keys for the first time, all at once, and checks their values.',
    ],
  } as const;
  return [resultOf(context, about, [await warmUp(context, size)])];
}

async function startAndJoin(context: Context): Promise<CaseResult[]> {
  const opening = async (cluster: string): Promise<number> => {
    const agent = await context.agent('ZiStore');
    const took = await agent.open({ contender: OURS, options: await context.zistoreOptions(cluster) });
    return took;
  };
  const started = await repeated(context, OURS, async () => {
    const took = await opening(context.newCluster());
    await context.close();
    return took;
  });
  const joined = await repeated(context, OURS, async () => {
    const cluster = context.newCluster();
    await context.node(cluster, 'ZiStore leader');
    const took = await opening(cluster);
    await context.close();
    return took;
  });
  const notes = [
    'From open() to its promise, in a process that has just started: loading the library, the session, the first lease.',
  ];
  const common = { ...LOWER, unit: 'ms', notes } as const;
  return [
    resultOf(context, { ...common, name: 'start', title: 'Start of a first node, which then leads' }, [started]),
    resultOf(context, { ...common, name: 'join', title: 'Join of a node to a cluster with a leader' }, [joined]),
  ];
}

/** Both fill V8's tables, whose sizes are powers of two, to three quarters. */
const ENTRIES = 100_000;
const ENTRIES_QUICK = 25_000;
const PIECE = 5000;
const CACHE = { maxEntries: 1_000_000, maxBytes: 2 ** 30 };

/** In pieces, so that the process that is measured does not keep the keys and values that it is asked for. */
async function each(agent: Agent, op: 'get' | 'set', entries: number): Promise<void> {
  for (let from = 0; from < entries; from += PIECE) {
    await agent.ask('pass', { op, inFlight: 64, keys: { from, count: PIECE }, size: 16, forget: true });
  }
}

async function memory(context: Context): Promise<CaseResult[]> {
  const entries = context.effort.quick ? ENTRIES_QUICK : ENTRIES;
  const copies: number[] = [];
  const listed: number[] = [];
  const owned: number[] = [];
  for (let round = 0; round < context.effort.rounds; round++) {
    context.progress.step(`round ${round + 1} of ${context.effort.rounds}`);
    const [leader, follower] = await context.nodes(2, { cache: CACHE });
    const used = async (agent: Agent): Promise<number> => (await agent.ask('memory', null)).used;
    const [empty, none] = [await used(leader!), await used(follower!)];
    await each(leader!, 'set', entries);
    const full = await used(leader!);
    await each(follower!, 'get', entries);
    copies.push(((await used(follower!)) - none) / entries);
    listed.push(((await used(leader!)) - full) / entries);
    owned.push((full - empty) / entries);
    await context.close();
  }
  const notes = [
    `${entries.toLocaleString('en-US')} entries, keys and values of 16 B; growth of V8's heap and of what hangs on it, after garbage collection.`,
  ];
  const result = (name: string, title: string, values: readonly number[]): CaseResult =>
    resultOf(context, { ...LOWER, name, title, unit: 'bytes', notes }, [
      { contender: OURS, samples: values.map((value) => ({ value })) },
    ]);
  return [
    result('memory-cached', 'Memory of a cached entry, at a follower', copies),
    result('memory-directory', 'Memory of a directory entry with one holder, at the leader', listed),
    result('memory-owned', 'Memory of an entry, at the leader', owned),
  ];
}

export const costCases: readonly Case[] = [
  { name: 'warm-up-512B', quick: true, run: (context) => warmUpCase(context, 'warm-up-512B', 512, '512 B') },
  { name: 'warm-up-16KiB', quick: true, run: (context) => warmUpCase(context, 'warm-up-16KiB', 16_384, '16 KiB') },
  { name: 'memory', covers: ['memory-cached', 'memory-directory', 'memory-owned'], quick: true, run: memory },
  { name: 'start-join', covers: ['start', 'join'], run: startAndJoin },
];
