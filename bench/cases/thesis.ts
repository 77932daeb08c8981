/**
 * The thesis' figures and tables, made again on this system, beside the values that the thesis gives. Those were
 * measured on other machines in 2019, by somebody else: they are shown as the document's and never compared in ratios.
 */

import type { BatchShape, BatchTimes } from '../agent/jobs.ts';
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import type { Figure, Series } from '../model.ts';
import { median } from '../statistics.ts';
import type { Case } from './case.ts';
import { warmUp } from './costs.ts';

const SOURCE = 'the thesis, 2019';
const RECORDS = [16, 32, 64, 128, 256, 512];
const LABELS = ['512 B', '1 KiB', '2 KiB', '4 KiB', '8 KiB', '16 KiB'];
const REPEATS = 40;
const TOGETHER =
  'The bytes are the total of a batch of pairs, 16 B keys and 16 B values; a batch is written or read as a whole, all its operations at once.';

/** Batches of all sizes; each kind of run has keys of its own. */
let nextKeys = 0;

function fresh(records: number): number {
  const from = nextKeys;
  nextKeys += records * (REPEATS + 10);
  return from;
}

type Kind = Pick<BatchShape, 'op' | 'order' | 'existing'>;

async function batches(agent: Agent, kind: Kind, prepare?: (from: number, count: number) => Promise<unknown>) {
  const times: BatchTimes[] = [];
  for (const records of RECORDS) {
    const from = fresh(records);
    await prepare?.(from, records * REPEATS);
    await agent.ask('batch', { ...kind, records, repeats: 10, from: from + records * REPEATS, existing: true });
    times.push(await agent.ask('batch', { ...kind, records, repeats: REPEATS, from }));
  }
  return times;
}

const medians = (name: string, times: readonly BatchTimes[]): Series => ({
  name,
  values: times.map((each) => each.median),
});

const figure = (
  name: string,
  title: string,
  measured: readonly Series[],
  quoted: readonly Series[],
  more: Partial<Figure> = {},
): Figure => ({
  name,
  title,
  unit: 'µs',
  labels: LABELS,
  measured,
  quoted,
  source: SOURCE,
  notes: [TOGETHER],
  ...more,
});

const APPEND: Kind = { op: 'set', order: 'together' };
const OVERWRITE: Kind = { ...APPEND, existing: true };

async function figure51(context: Context): Promise<void> {
  const [, writer] = await context.nodes(2);
  const append = medians('append', await batches(writer!, APPEND));
  const overwrite = medians('overwrite', await batches(writer!, OVERWRITE));
  const oneByOne = medians('append, one by one', await batches(writer!, { ...APPEND, order: 'oneByOne' }));
  const quoted = [
    { name: 'append', values: [892, 2046, 3132, 5735, 10_510, 18_136] },
    { name: 'overwrite', values: [846, 1322, 2001, 3743, 8043, 17_005] },
  ];
  const notes = [TOGETHER, 'Two nodes; the one that does not lead writes.'];
  context.figures.push(figure('thesis-5-1', 'Figure 5.1: writes', [append, overwrite, oneByOne], quoted, { notes }));
}

async function figure52(context: Context): Promise<void> {
  const [, writer] = await context.nodes(2);
  const [alone] = await context.nodes(1);
  const remote = medians('through a leader', await batches(writer!, APPEND));
  const local = medians('lone node', await batches(alone!, APPEND));
  const quoted = [
    { name: 'replicated', values: [891, 2049, 3144, 5733, 10_512, 18_112] },
    { name: 'local only', values: [828, 1312, 1986, 3733, 8028, 16_975] },
  ];
  const notes = [
    TOGETHER,
    'ZiStore does not replicate writes; what compares is a write that goes to a leader in another process.',
    'The thesis gives the overhead as 10 % in one place and 20 % in another; its chart shows up to 36 % or more. Its figures 5.1, 5.2 and the first series of 5.3 are the same numbers.',
  ];
  context.figures.push(
    figure('thesis-5-2', 'Figure 5.2: cost of a leader elsewhere', [remote, local], quoted, { notes }),
  );
}

const BY_NODES = [
  [812, 1327, 1961, 3745, 8026, 16_984],
  [891, 2041, 3151, 5727, 10_483, 18_094],
  [1525, 2120, 4538, 7947, 16_389, 31_530],
  [1288, 2675, 5053, 9215, 19_322, 34_503],
];
const TABLE_51 = [1534, 2134, 4529, 7953, 16_395, 31_532];
const TABLE_51_WORST = 54_317;

/** Overwrites of keys that every other node holds: what makes more nodes cost more. */
async function figure53(context: Context): Promise<void> {
  const measured: Series[] = [];
  for (const count of [1, 2, 3, 4]) {
    const agents = await context.nodes(count);
    const [writer, ...others] = [...agents].reverse();
    const readers = others.slice(0, -1);
    const hold = async (from: number, keys: number): Promise<void> => {
      const pass = { inFlight: 64, keys: { from, count: keys }, size: 16 };
      await writer!.ask('pass', { op: 'set', ...pass });
      await Promise.all(readers.map((reader) => reader.ask('pass', { op: 'get', ...pass })));
    };
    const times = await batches(writer!, APPEND, hold);
    measured.push(medians(count === 1 ? '1 node' : `${count} nodes`, times));
    if (count === 3) table51(context, times);
    await context.close();
  }
  const quoted = BY_NODES.map((values, i) => ({ name: i === 0 ? '1 node' : `${i + 1} nodes`, values }));
  const notes = [
    TOGETHER,
    'Overwrites of keys that all nodes hold but the leader, whose data they are, and the writer.',
  ];
  context.figures.push(figure('thesis-5-3', 'Figure 5.3: writes by number of nodes', measured, quoted, { notes }));
}

function table51(context: Context, times: readonly BatchTimes[]): void {
  const measured = [
    { name: 'average', values: times.map(({ mean }) => mean) },
    { name: 'worst', values: times.map(({ worst }) => worst) },
  ];
  const quoted = [{ name: 'average', values: TABLE_51 }];
  const notes = [
    TOGETHER,
    `The thesis gives ${TABLE_51_WORST} µs as its worst single value, without saying of which size.`,
  ];
  context.figures.push(figure('thesis-table-5-1', 'Table 5.1: writes with three nodes', measured, quoted, { notes }));
}

async function figure55(context: Context): Promise<void> {
  const values: number[] = [];
  for (const size of [512, 1024, 2048, 4096, 8192, 16_384]) {
    const { samples } = await warmUp(context, size, 1000, context.effort.quick ? 1 : 5);
    values.push(median(samples.map(({ value }) => value)));
    await context.close();
  }
  const quoted = [{ name: 'recovery', values: [8000, 10_000, 11_000, 14_000, 16_000, 23_000] }];
  const notes = [
    'The bytes are those of one value: a node that has just joined reads 1000 of them. The thesis gives 7 s and 23 s in its text, 8 s to 23 s in its chart.',
  ];
  const measured = [{ name: 'warm-up', values }];
  context.figures.push(
    figure('thesis-5-5', 'Figure 5.5: recovery of 1000 records', measured, quoted, { unit: 'ms', notes }),
  );
}

async function figure56(context: Context): Promise<void> {
  const [leader, reader] = await context.nodes(2);
  const fill = (agent: Agent) => (from: number, count: number) =>
    agent.ask('pass', { op: 'set', inFlight: 64, keys: { from, count }, size: 16 });
  const READ: Kind = { op: 'get', order: 'together' };
  const uncached = medians('from the leader', await batches(reader!, READ, fill(leader!)));
  // What this node has written it holds.
  const cached = medians('from its own memory', await batches(reader!, READ, fill(reader!)));
  const quoted = [
    { name: 'ZiStore', values: [153, 421, 474, 539, 562, 612] },
    { name: '“local”', values: [486, 538, 598, 626, 735, 794] },
  ];
  context.figures.push(figure('thesis-5-6', 'Figure 5.6: reads', [uncached, cached], quoted));
}

async function table52(context: Context): Promise<void> {
  const writers = [1, 4];
  const rate = async (agent: Agent, inFlight: number): Promise<number> => {
    const values: number[] = [];
    for (let round = 0; round < context.effort.rounds; round++) {
      const shape = { workload: 'A', records: 1024, size: 16, inFlight, ms: context.effort.ms } as const;
      values.push((await agent.ask('ycsb', { ...shape, seed: 7, insertAt: 0 })).value);
    }
    return median(values);
  };
  const measured: Series[] = [];
  for (const name of ['ZiStore', 'classic-level'] as const) {
    const agent = name === 'ZiStore' ? (await context.nodes(1))[0]! : await context.peer(name);
    await agent.ask('pass', { op: 'set', inFlight: 16, keys: { from: 0, count: 1024 }, size: 16 });
    const values: number[] = [];
    for (const inFlight of writers) values.push(await rate(agent, inFlight));
    measured.push({ name, values });
  }
  const quoted = [
    { name: 'ZiStore', values: [57_337, 105_422] },
    { name: 'LevelDB', values: [86_811, 92_440] },
    { name: 'Kyoto Cabinet', values: [85_837, 60_450] },
  ];
  const notes = [
    '1024 records of 16 B, half reads and half updates, on one node; a writer is one operation in flight. The writes of milliseconds in the figures above do not fit 57,337 operations a second.',
  ];
  const labels = ['1 writer', '4 writers'];
  context.figures.push(
    figure('thesis-table-5-2', 'Table 5.2: YCSB, 1024 pairs', measured, quoted, {
      unit: 'operations/s',
      labels,
      notes,
    }),
  );
}

const thesisCase = (name: string, make: (context: Context) => Promise<void>): Case => ({
  name,
  run: async (context) => {
    await make(context);
    return [];
  },
});

export const thesisCases: readonly Case[] = [
  thesisCase('thesis-5-1', figure51),
  thesisCase('thesis-5-2', figure52),
  thesisCase('thesis-5-3', figure53),
  thesisCase('thesis-5-5', figure55),
  thesisCase('thesis-5-6', figure56),
  thesisCase('thesis-table-5-2', table52),
];
