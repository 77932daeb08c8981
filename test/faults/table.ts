/** `npm run faults -- --table`: what a caller sees of each fault and for how long, measured, for docs/faults.md. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownedFolder } from '../support/owned-folder.ts';
import { pause, until } from '../support/wait.ts';
import { bundleWorker } from './bundle.ts';
import { Cluster, type Running } from './faults-cluster.ts';
import { historyProblems } from './faults-weigh.ts';
import type { Lab } from './lab.ts';
import { openLab } from './lab-open.ts';
import { median } from './report.ts';
import { NOTICEABLE_MS, Prober, type Seen } from './table-probe.ts';
import { type Row, rows, type Stage } from './table-rows.ts';
import { Timeline } from './timeline.ts';
import { judge } from './verdict.ts';

const SESSION_TIMEOUTS_MS = [1000, 4000];
const TIMES = 3;
const HOSTS = 4;
/** Of undisturbed operation before each fault. */
const BEFORE_MS = 700;
/** Enough for the longest fault at one every `HELD_PAUSE_MS`. */
const HELD_KEYS = 400;
const HELD_PAUSE_MS = 30;
/** What a caller gives up after. */
const PATIENCE_MS = 30_000;
const DOCUMENT = fileURLToPath(new URL('../../docs/faults.md', import.meta.url));
const FROM = '<!-- measured: npm run faults -- --table -->';
const TO = '<!-- end of what was measured -->';

const COLUMNS = {
  ownReads: 'at that node: reads of cached keys',
  ownWrites: 'at that node: writes, other reads',
  reads: 'elsewhere: reads of cached keys',
  writes: 'elsewhere: writes',
  heldWrites: 'elsewhere: writes of keys of which that node has a copy',
} as const;

type Column = keyof typeof COLUMNS;
type Sightings = Readonly<Record<Column, Seen>>;

export interface TableOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly tickTimeMs: number;
}

/** Measures everything and writes it into docs/faults.md. Rejects when a history of it was not linearizable. */
export async function measureTable(options: TableOptions): Promise<void> {
  const tables = await Promise.all(SESSION_TIMEOUTS_MS.map((ms) => measureAt(ms, options)));
  const parts = tables.map((table, i) => `Session timeout ${SESSION_TIMEOUTS_MS[i]! / 1000} s:\n\n${tableOf(table)}`);
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, rest] = text.split(FROM);
  const after = rest?.split(TO)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/faults.md has no ${FROM} … ${TO}`);
  writeFileSync(DOCUMENT, `${before}${FROM}\n\n${parts.join('\n')}\n${TO}${after}`);
}

async function measureAt(
  sessionTimeoutMs: number,
  { say, signal, tickTimeMs }: TableOptions,
): Promise<[Row, Sightings[]][]> {
  const folder = ownedFolder('zistore-table');
  const lab = await openLab(
    { hosts: HOSTS, tickTimeMs, syncLimit: 4, folder, worker: await bundleWorker() },
    { proxies: false, say },
  );
  try {
    if (!lab.can('oneWay')) throw new Error('the table needs network namespaces, so Linux and root');
    const timeline = new Timeline();
    const cluster = new Cluster(lab, timeline, {
      name: 'table',
      sessionTimeoutMs,
      tickTimeMs,
      load: { rate: 1 },
      seed: 1,
      say,
    });
    await cluster.startAll();
    const measured: [Row, Sightings[]][] = [];
    for (const row of rows) {
      const sightings: Sightings[] = [];
      for (let time = 0; time < TIMES; time += 1) {
        signal.throwIfAborted();
        sightings.push(await measure(row, lab, cluster, sessionTimeoutMs));
      }
      say(`${sessionTimeoutMs} ms | ${lineOf(row, sightings)}`);
      measured.push([row, sightings]);
    }
    await cluster.close();
    const problems = historyProblems(judge(timeline));
    if (problems.length > 0) throw new Error(problems.join('; '));
    return measured;
  } finally {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

let measurements = 0;

async function measure(row: Row, lab: Lab, cluster: Cluster, sessionTimeoutMs: number): Promise<Sightings> {
  await cluster.serving();
  measurements += 1;
  const leader = cluster.leaderHost()!;
  const followers = cluster.hosts().filter((host) => host !== leader);
  const host = row.happensTo === 'leader' ? leader : followers[0]!;
  const leadingServer = (await cluster.leadingServer())!;
  const stage: Stage = { lab, cluster, sessionTimeoutMs, host, leader, leadingServer };
  // Not the leader, for what concerns all: a caller at the leader has it easier.
  const probers = await startProbers(`m${measurements}`, cluster.at(host), cluster.at(followers.at(-1)!));
  await pause(BEFORE_MS);
  const struckAt = performance.now();
  const heal = await row.strike(stage);
  await pause(row.holdMs(sessionTimeoutMs));
  const healedAt = performance.now();
  await heal();
  await cluster.serving();
  await Promise.all(Object.values(probers).map((prober) => prober.stop()));
  const entries = Object.entries(probers).map(([column, prober]) => [column, prober.seen(struckAt, healedAt)]);
  return Object.fromEntries(entries) as Record<Column, Seen>;
}

async function startProbers(name: string, own: Running, other: Running): Promise<Record<Column, Prober>> {
  let values = 0;
  const write =
    ({ member }: Running, key: string) =>
    () => {
      values += 1;
      return member.put(`${name}-${key}`, `${values}`, PATIENCE_MS);
    };
  const read =
    ({ member }: Running, key: string) =>
    () =>
      member.get(`${name}-${key}`, PATIENCE_MS);
  const held = Array.from({ length: HELD_KEYS }, (_unused, i) => `held-${i}`);
  // A node that a busy machine has made late just now will be in time again.
  await until('both nodes have their copies', async () => {
    await write(own, 'cached')();
    await Promise.all([own, other].map((node) => read(node, 'cached')()));
    // Each is written once more only, so at any moment the own node has a copy of the next.
    await Promise.all(held.map((key) => write(other, key)()));
    await Promise.all(held.map((key) => read(own, key)()));
    return true;
  });
  return {
    ownReads: new Prober(read(own, 'cached')),
    ownWrites: new Prober(write(own, 'own')),
    reads: new Prober(read(other, 'cached')),
    writes: new Prober(write(other, 'other')),
    heldWrites: new Prober(async () => {
      await pause(HELD_PAUSE_MS);
      await write(other, held.pop() ?? 'held')();
    }),
  };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

/** Median and worst of several. */
const spread = (values: readonly number[]): string => `${seconds(median(values))} s (${seconds(Math.max(...values))})`;

/** What most of the times have in common: a machine that is busy for once makes anything late. */
function cellOf(all: readonly Seen[]): string {
  if (all.every(({ ended }) => ended)) return '–';
  const most = (count: number): boolean => count > all.length / 2;
  const known = [...new Set(all.flatMap((seen) => seen.codes))];
  const codes = known.filter((code) => most(all.filter((seen) => seen.codes.includes(code)).length));
  const noticed = all.filter(({ ms, codes: own }) => ms >= NOTICEABLE_MS || own.length > 0);
  if (!most(noticed.length)) return 'nothing';
  const words = codes.map((code) => `\`${code.replace('ZISTORE_', '')}\``).join(', ');
  const sees = codes.length === 0 ? 'waits' : words;
  const late = noticed.flatMap(({ afterHealMs }) => (afterHealMs === undefined ? [] : [afterHealMs]));
  if (most(late.length)) return `${sees}, until healed + ${spread(late)}`;
  return `${sees}, ${spread(noticed.map(({ ms }) => ms))}`;
}

function lineOf(row: Row, sightings: readonly Sightings[]): string {
  const cells = (Object.keys(COLUMNS) as Column[]).map((column) => cellOf(sightings.map((seen) => seen[column])));
  return `| ${[row.name, ...cells].join(' | ')} |`;
}

function tableOf(measured: readonly [Row, Sightings[]][]): string {
  const head = ['fault', ...Object.values(COLUMNS)];
  const lines = measured.map(([row, sightings]) => lineOf(row, sightings));
  return `| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|\n${lines.join('\n')}\n`;
}
