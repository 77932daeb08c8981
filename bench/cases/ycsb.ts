/** YCSB's workloads at four nodes, each of which reads and writes. */

import type { Workload } from '../agent/jobs.ts';
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS, type Sample } from '../model.ts';
import { type Entrant, paired } from '../paired.ts';
import { median } from '../statistics.ts';
import type { Contender } from '../stores/store.ts';
import { type Case, resultOf } from './case.ts';

const NODES = 4;
const RECORDS = 100_000;
const SIZE = 100;
const IN_FLIGHT = 16;
const ALL = { from: 0, count: RECORDS };
/** Of every node: all records, and what workload D inserts. */
const CACHE = { maxEntries: 1_000_000, maxBytes: 2 ** 30 };

export const together = (samples: readonly Sample[]): Sample => {
  const at = (which: 'p50' | 'p99' | 'p999'): number =>
    median(samples.map(({ latency }) => latency?.[which] ?? Number.NaN));
  const value = samples.reduce((sum, sample) => sum + sample.value, 0);
  const cpuUs = median(samples.map((sample) => sample.cpuUs ?? Number.NaN));
  return { value, latency: { p50: at('p50'), p99: at('p99'), p999: at('p999') }, cpuUs };
};

async function clientsOf(context: Context, contender: Contender): Promise<Agent[]> {
  const agents: Agent[] = [];
  if (contender === OURS) agents.push(...(await context.nodes(NODES, { cache: CACHE })));
  else for (let i = 0; i < NODES; i++) agents.push(await context.peer(contender));
  const fill = { inFlight: 256, keys: ALL, size: SIZE };
  await agents[0]!.ask('pass', { op: 'set', ...fill });
  await Promise.all(agents.map((agent) => agent.ask('pass', { op: 'get', ...fill })));
  return agents;
}

function entrant(contender: string, agents: readonly Agent[], workload: Workload): Entrant {
  return {
    contender,
    run: async (ms) => {
      const shape = { workload, records: RECORDS, size: SIZE, inFlight: IN_FLIGHT, ms };
      const samples = agents.map((agent, i) =>
        agent.ask('ycsb', { ...shape, seed: 1000 + i, insertAt: RECORDS + i * 10_000_000 }),
      );
      return together(await Promise.all(samples));
    },
  };
}

const MIX: Readonly<Record<Workload, string>> = {
  A: 'half reads, half updates',
  B: '95 % reads, 5 % updates',
  C: 'reads only',
  D: '95 % reads of the latest, 5 % inserts',
  F: 'half reads, half read-modify-writes',
};

async function ycsb(context: Context, workloads: readonly Workload[]): Promise<CaseResult[]> {
  const peers: Contender[] = context.effort.quick ? ['node-redis cache'] : ['node-redis cache', 'node-redis'];
  const clients = new Map<Contender, Agent[]>();
  for (const contender of [OURS, ...context.available(peers)] as Contender[]) {
    clients.set(contender, await clientsOf(context, contender));
  }
  for (const workload of workloads) {
    if (!context.wants(`ycsb-${workload}`)) continue;
    const entrants = [...clients].map(([contender, agents]) => entrant(contender, agents, workload));
    const about = {
      name: `ycsb-${workload}`,
      title: `YCSB ${workload} (${MIX[workload]}), ${NODES} nodes`,
      notes: [
        `${RECORDS.toLocaleString('en-US')} records of one field of ${SIZE} B, YCSB's scrambled zipfian (0.99)${workload === 'D' ? ', for D its latest' : ''}; ${NODES} client processes, ${IN_FLIGHT} operations in flight in each; every process has read all records once before.`,
      ],
    };
    context.results.push(resultOf(context, about, await paired(context, entrants, { ms: 2 * context.effort.ms })));
  }
  return context.results;
}

const QUICK: readonly Workload[] = ['C', 'B'];
const ALL_WORKLOADS: readonly Workload[] = ['C', 'B', 'D', 'A', 'F'];

export const ycsbCases: readonly Case[] = [
  {
    name: 'ycsb',
    covers: ALL_WORKLOADS.map((workload) => `ycsb-${workload}`),
    quick: true,
    run: (context) => ycsb(context, context.effort.quick ? QUICK : ALL_WORKLOADS),
  },
];
