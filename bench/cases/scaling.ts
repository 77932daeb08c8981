/** How cost grows with the number of nodes and of keys: messages and time of one operation. Takes long: `--full`. */
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import type { Sample } from '../model.ts';
import { median } from '../statistics.ts';
import type { Case } from './case.ts';

const NODES = [2, 4, 8, 16, 32];
const KEYS = [1000, 10_000, 100_000, 1_000_000, 10_000_000];
const HELD = { from: 0, count: 1000 };
const IN_FLIGHT = 64;
const PASS = { inFlight: IN_FLIGHT, keys: HELD, size: 16 };
const PIECE = 100_000;
const UNBOUNDED = { store: { maxBytes: 16 * 2 ** 30 }, cache: { maxEntries: 100 } };

const microseconds = (samples: readonly Sample[]): number => median(samples.map(({ value }) => 1e6 / value));

interface Counted {
  readonly serverReadsServed: number;
  readonly invalidationsSent: number;
}

async function countersOf(agent: Agent): Promise<Counted> {
  return ((await agent.ask('status', null)) as { counters: Counted }).counters;
}

async function byNodes(context: Context): Promise<void> {
  const [reads, writes, perRead, perWrite]: number[][] = [[], [], [], []];
  for (const count of NODES) {
    context.progress.step(`${count} nodes`);
    const [leader, writer, ...holders] = await context.nodes(count);
    await leader!.ask('pass', { op: 'set', ...PASS });
    const [read, write]: Sample[][] = [[], []];
    let [asked, told] = [0, 0];
    for (let round = 0; round < context.effort.rounds; round++) {
      const before = await countersOf(leader!);
      for (const holder of holders) await holder.ask('pass', { op: 'get', ...PASS });
      read!.push(await writer!.ask('pass', { op: 'get', ...PASS }));
      const between = await countersOf(leader!);
      write!.push(await writer!.ask('pass', { op: 'set', ...PASS }));
      const after = await countersOf(leader!);
      if (round === 0) asked = between.serverReadsServed - before.serverReadsServed;
      told += after.invalidationsSent - between.invalidationsSent;
      // What the writer holds it would read from its own memory: it has to be overwritten by another.
      await leader!.ask('pass', { op: 'set', ...PASS });
    }
    reads!.push(microseconds(read!));
    writes!.push(microseconds(write!));
    perRead!.push((2 * asked) / (HELD.count * (count - 1)));
    perWrite!.push(2 + (2 * told) / (HELD.count * context.effort.rounds));
    await context.close();
  }
  const labels = NODES.map((count) => `${count}`);
  const notes = [
    `${IN_FLIGHT} in flight, 16 B. Every node but the leader and the writer holds each key that is written; all are processes of this machine. Messages: requests, answers, invalidations and their acknowledgements, as the nodes' own counters have them.`,
  ];
  push(context, 'nodes', 'by number of nodes', labels, notes, { reads, writes, perRead, perWrite });
}

async function byKeys(context: Context): Promise<void> {
  const [reads, writes]: number[][] = [[], []];
  for (const count of KEYS) {
    context.progress.step(`${count.toLocaleString('en-US')} keys`);
    const [leader, client] = await context.nodes(2, UNBOUNDED);
    for (let from = 0; from < count; from += PIECE) {
      const keys = { from, count: Math.min(PIECE, count - from) };
      await leader!.ask('pass', { op: 'set', inFlight: 1000, keys, size: 16, forget: true });
    }
    const keys = { from: 0, count: Math.min(count, 1_000_000) };
    const [read, write]: Sample[][] = [[], []];
    for (let round = 0; round < context.effort.rounds; round++) {
      const shape = { inFlight: IN_FLIGHT, ms: context.effort.ms, keys, size: 16 };
      read!.push(await client!.ask('load', { op: 'get', ...shape }));
      write!.push(await client!.ask('load', { op: 'set', ...shape }));
    }
    reads!.push(microseconds(read!));
    writes!.push(microseconds(write!));
    await context.close();
  }
  const labels = KEYS.map((count) => (count >= 1e6 ? `${count / 1e6}M` : `${count / 1000}k`));
  const notes = [`${IN_FLIGHT} in flight, 16 B; one client of one leader that has so many keys.`];
  push(context, 'keys', 'by number of keys', labels, notes, { reads, writes });
}

function push(
  context: Context,
  name: string,
  by: string,
  labels: readonly string[],
  notes: readonly string[],
  found: Partial<Record<'reads' | 'writes' | 'perRead' | 'perWrite', number[] | undefined>>,
): void {
  const common = { labels, notes, quoted: [], source: '' };
  const time = [
    { name: 'uncached get', values: found.reads ?? [] },
    { name: 'set', values: found.writes ?? [] },
  ];
  const title = `Time of an operation ${by}`;
  context.figures.push({ ...common, name: `scaling-${name}-time`, title, unit: 'µs', measured: time });
  if (found.perRead === undefined) return;
  const messages = [
    { name: 'uncached get', values: found.perRead },
    { name: 'set', values: found.perWrite ?? [] },
  ];
  const counted = `Messages of an operation ${by}`;
  context.figures.push({
    ...common,
    name: `scaling-${name}-messages`,
    title: counted,
    unit: 'messages',
    measured: messages,
  });
}

const scalingCase = (name: string, make: (context: Context) => Promise<void>): Case => ({
  name,
  full: true,
  run: async (context) => {
    await make(context);
    return [];
  },
});

export const scalingCases: readonly Case[] = [
  scalingCase('scaling-nodes', byNodes),
  scalingCase('scaling-keys', byKeys),
];
