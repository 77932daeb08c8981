/** How long a cluster is without a leader: fail-over after kill -9, and taking over what survives. */

import { monotonicMs } from '../agent/watch.ts';
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS, type Sample } from '../model.ts';
import { repeated } from '../paired.ts';
import { type Case, resultOf } from './case.ts';

const SESSION_TIMEOUT_MS = 1000;
const WRITE_EVERY_MS = 5;

async function failOver(context: Context): Promise<CaseResult[]> {
  const short = { sessionTimeoutMs: SESSION_TIMEOUT_MS };
  const measured = await repeated(context, OURS, async () => {
    const [leader, one, another] = await context.nodes(3, short);
    await leader!.ask('pass', { op: 'set', inFlight: 16, keys: { from: 0, count: 100 }, size: 16 });
    const killedAt = monotonicMs();
    await leader!.kill();
    const writes = [one!, another!].map((agent, i) =>
      agent.ask('firstWrite', { key: `w${i}`, everyMs: WRITE_EVERY_MS }),
    );
    const first = Math.min(...(await Promise.all(writes)));
    await context.discard();
    return first - killedAt;
  });
  const about = {
    name: 'failover',
    title: 'Fail-over: kill -9 of the leader to the first acknowledged write',
    unit: 'ms',
    better: 'lower',
    notes: [
      `Three nodes, session timeout ${SESSION_TIMEOUT_MS} ms, ZooKeeper's tickTime 500 ms; both survivors try a write every ${WRITE_EVERY_MS} ms. ZooKeeper ends a session a tick late at the most.`,
    ],
  } as const;
  return [resultOf(context, about, [measured])];
}

interface Takeover {
  readonly tookMs: number;
  readonly sinceKillMs: number;
  readonly blockedMs: number;
  readonly busyMs: number;
}

const UNBOUNDED = { cache: { maxEntries: 10_000_000, maxBytes: 4 * 2 ** 30 }, store: { maxBytes: 4 * 2 ** 30 } };
/** Rounds wait for ZooKeeper to give the leader up; with many entries garbage collection takes its time, too. */
const sessionTimeoutFor = (entries: number): number => (entries > 100_000 ? 8000 : 3000);
const PASS = { inFlight: 1000, size: 16 };

/** Half of the entries survives at the next leader, half at another node, from which they have to be fetched. */
async function takeOver(context: Context, entries: number): Promise<Takeover> {
  const half = Math.ceil(entries / 2);
  const [leader, next, other] = await context.nodes(3, { ...UNBOUNDED, sessionTimeoutMs: sessionTimeoutFor(entries) });
  const halves = [
    { from: 0, count: half },
    { from: half, count: entries - half },
  ] as const;
  if (entries > 0) {
    await leader!.ask('pass', { op: 'set', keys: { from: 0, count: entries }, ...PASS });
    await Promise.all(
      [next!, other!].map(async (agent, i) => {
        await agent.ask('pass', { op: 'get', keys: halves[i]!, ...PASS });
        await expectEntries(agent, halves[i]!.count);
      }),
    );
  }
  for (const agent of [next!, other!]) await agent.ask('watch', null);
  const killedAt = monotonicMs();
  await leader!.kill();
  await other!.ask('firstWrite', { key: 'after', everyMs: 20 });
  const [seen, beside] = await Promise.all([next!, other!].map((agent) => agent.ask('moments', null)));
  const { leaderAt, recoveringAt } = seen!;
  if (leaderAt === null || recoveringAt === null) throw new Error('the next node in line did not take over');
  await survivors(next!, entries);
  await context.discard();
  return {
    tookMs: leaderAt - recoveringAt,
    sinceKillMs: leaderAt - killedAt,
    blockedMs: Math.max(seen!.blockedMs, beside!.blockedMs),
    busyMs: Math.max(seen!.busyMs, beside!.busyMs),
  };
}

async function expectEntries(agent: Agent, entries: number): Promise<void> {
  const { cache, role } = (await agent.ask('status', null)) as { cache: { entries: number }; role: string };
  if (cache.entries < entries) throw new Error(`a ${role} has ${cache.entries} of ${entries} entries`);
}

async function survivors(leader: Agent, entries: number): Promise<void> {
  if (entries === 0) return;
  await expectEntries(leader, entries);
  const step = Math.max(1, Math.floor(entries / 10));
  for (let from = 0; from < entries; from += step) {
    await leader.ask('pass', { op: 'get', keys: { from, count: 1 }, ...PASS });
  }
}

async function takeOvers(context: Context, label: string, entries: number, rounds: number): Promise<CaseResult[]> {
  const all: Takeover[] = [];
  for (let round = 0; round < rounds; round++) {
    context.progress.step(`round ${round + 1} of ${rounds}`);
    all.push(await takeOver(context, entries));
  }
  const samples = (pick: (each: Takeover) => number): Sample[] => all.map((each) => ({ value: pick(each) }));
  const count = entries.toLocaleString('en-US');
  const common = { unit: 'ms', better: 'lower' } as const;
  return [
    resultOf(
      context,
      {
        ...common,
        name: `takeover-${label}`,
        title: `Takeover with ${count} surviving entries`,
        notes: [
          'Three nodes; the leader is killed. One half of the entries is at the node that leads next, the other at the third. From the moment at which the next leader starts to take over.',
          `Since the kill: with the session timeout of ${sessionTimeoutFor(entries)} ms before it.`,
        ],
      },
      [
        { contender: OURS, samples: samples(({ tookMs }) => tookMs) },
        { contender: 'since the kill', samples: samples(({ sinceKillMs }) => sinceKillMs) },
      ],
    ),
    resultOf(
      context,
      {
        ...common,
        name: `takeover-${label}-block`,
        title: `Longest block of an event loop during takeover of ${count} entries`,
        notes: [
          'At the two survivors, from before the kill to after the first write, garbage collection included. What its own work took is no more than the processor time that the process had meanwhile.',
        ],
      },
      [
        { contender: OURS, samples: samples(({ blockedMs }) => blockedMs) },
        { contender: 'of it, its own work', samples: samples(({ busyMs }) => busyMs) },
      ],
    ),
  ];
}

const takeOverCase = (label: string, entries: number, rounds: number, quick?: true): Case => ({
  name: `takeover-${label}`,
  covers: [`takeover-${label}-block`],
  run: (context) => takeOvers(context, label, entries, context.effort.quick ? 1 : rounds),
  ...(quick && { quick }),
});

export const failureCases: readonly Case[] = [
  { name: 'failover', quick: true, run: failOver },
  takeOverCase('0', 0, 5),
  takeOverCase('10k', 10_000, 5),
  takeOverCase('1M', 1_000_000, 5),
];
