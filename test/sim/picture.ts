/**
 * A counter-example as a picture: a lane for each client, a bar for each operation from its start to its end, in
 * colours for reads and writes; what cannot be is red. Long pauses are shortened, so that every bar can be read.
 */
import type { CounterExample } from './checker-counterexample.ts';
import type { Recorded } from './checker-history.ts';
import { timeIn, type Unit, unitOf, wordsOf } from './picture-words.ts';

const CHAR = 7.3;
const GUTTER = 92;
const MARGIN = 24;
const ROW = 40;
const BAR = 26;
const LANE_PADDING = 10;
const LINE = 19;
/** Between two moments, in pixels: as wide as time says, within these. */
const NARROWEST = 44;
const WIDEST = 150;
/** How far an operation of unknown outcome reaches beyond the last moment. */
const BEYOND = 70;

/** The lane of losses. */
const HOLDERS = 'all holders';

const STYLE = `
  .paper { fill: #ffffff; } .lane { fill: #f5f6f8; } .grid { stroke: #d9dce1; stroke-dasharray: 2 4; }
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #24292f; }
  .title { font: 600 15px system-ui, sans-serif; } .why, .legend { font: 13px system-ui, sans-serif; }
  .who { font: 600 12px system-ui, sans-serif; } .faint { fill: #6e7781; }
  .write { fill: #cfe3ff; stroke: #2f6fd0; } .read { fill: #d8f0dd; stroke: #2e8b4a; }
  .unknown { fill: url(#fading); stroke: #2f6fd0; stroke-dasharray: 5 4; }
  .bad { fill: #ffd9d6; stroke: #cf222e; stroke-width: 2.5; } .badtext { fill: #a40e26; font-weight: 700; }
  .loss { fill: #fff1c9; stroke: #b58100; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } .lane { fill: #161b22; } .grid { stroke: #30363d; } text { fill: #e6edf3; }
    .faint { fill: #8b949e; } .write { fill: #12355f; stroke: #6cb0ff; } .read { fill: #123c22; stroke: #56c271; }
    .unknown { stroke: #6cb0ff; } .bad { fill: #5c1a1b; stroke: #ff7b72; } .badtext { fill: #ffb3ad; }
    .loss { fill: #453400; stroke: #d4a72c; }
  }`;

interface Bar {
  readonly entry: Recorded;
  readonly words: string;
  readonly from: number;
  readonly to: number;
  row: number;
}

interface Lane {
  readonly name: string;
  readonly bars: readonly Bar[];
  readonly rows: number;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

const textWidth = (words: string): number => words.length * CHAR + 18;

/** Where each moment stands: in proportion, but never so close that the words of a bar would not fit into it. */
function scale(operations: readonly Recorded[]): Map<number, number> {
  const moments = [...new Set(operations.flatMap(({ s, t }) => (t === -1 ? [s] : [s, t])))].sort((a, b) => a - b);
  const span = moments.at(-1)! - moments[0]! || 1;
  const places = new Map<number, number>();
  let place = GUTTER + MARGIN;
  for (const [i, moment] of moments.entries()) {
    if (i > 0) place += Math.min(WIDEST, Math.max(NARROWEST, (600 * (moment - moments[i - 1]!)) / span));
    for (const entry of operations) {
      if (entry.t === moment && entry.s < moment)
        place = Math.max(place, places.get(entry.s)! + textWidth(wordsOf(entry)));
    }
    places.set(moment, place);
  }
  return places;
}

function lanesOf(operations: readonly Recorded[], places: ReadonlyMap<number, number>, right: number): Lane[] {
  const clients = new Map<string, Recorded[]>();
  for (const entry of operations) {
    const name = entry.op === 'loss' ? HOLDERS : `client ${entry.c}`;
    clients.set(name, [...(clients.get(name) ?? []), entry]);
  }
  const byName = ([a]: [string, unknown], [b]: [string, unknown]): number =>
    Number(a === HOLDERS) - Number(b === HOLDERS) || a.localeCompare(b, 'en', { numeric: true });
  return [...clients].sort(byName).map(([name, entries]) => {
    const bars: Bar[] = entries.map((entry) => {
      const from = places.get(entry.s)!;
      const words = wordsOf(entry);
      const to = entry.t === -1 ? right : Math.max(places.get(entry.t)!, from + textWidth(words));
      return { entry, words, from, to, row: 0 };
    });
    const ends: number[] = [];
    for (const bar of bars) {
      const free = ends.findIndex((end) => end <= bar.from - 4);
      bar.row = free === -1 ? ends.length : free;
      ends[bar.row] = bar.to;
    }
    return { name, bars, rows: ends.length };
  });
}

function drawBar({ entry, words, from, to, row }: Bar, top: number, offender: Recorded): string {
  const bad = entry === offender;
  const isUnknown = entry.t === -1;
  const kind = entry.op === 'loss' ? 'loss' : entry.op === 'get' ? 'read' : isUnknown ? 'unknown' : 'write';
  const y = top + LANE_PADDING + row * ROW + (ROW - BAR) / 2 - LANE_PADDING / 2;
  const end = isUnknown ? ' ?' : '';
  return (
    `<rect class="${bad ? 'bad' : kind}" x="${from.toFixed(1)}" y="${y}" width="${(to - from).toFixed(1)}" height="${BAR}" rx="5"/>` +
    `<text class="${bad ? 'badtext' : ''}" x="${(from + 9).toFixed(1)}" y="${y + 17}">${escaped(words + end)}</text>`
  );
}

function wrap(text: string, most: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (`${lines.at(-1)} ${word}`.length > most) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  }
  return lines;
}

function legend(y: number, operations: readonly Recorded[]): string {
  const entries: [string, string][] = [
    ['write', 'write'],
    ['read', 'read'],
  ];
  if (operations.some(({ op, t }) => t === -1 && op !== 'loss')) entries.push(['unknown', 'write of unknown outcome']);
  if (operations.some(({ op }) => op === 'loss')) entries.push(['loss', 'every holder lost']);
  entries.push(['bad', 'cannot be']);
  let x = MARGIN;
  return entries
    .map(([kind, words]) => {
      const at = x;
      x += words.length * 7 + 44;
      return `<rect class="${kind}" x="${at}" y="${y - 11}" width="16" height="14" rx="3"/><text class="legend" x="${at + 23}" y="${y}">${words}</text>`;
    })
    .join('');
}

/** What each moment is called; of several with one name the first. */
function ticksOf(places: ReadonlyMap<number, number>, zero: number, unit: Unit): [string, number][] {
  const ticks: [string, number][] = [];
  for (const [time, x] of places) {
    const label = timeIn(time, zero, unit);
    if (ticks.at(-1)?.[0] !== label) ticks.push([label, x]);
  }
  return ticks;
}

export function svgOf({ key, operations, offender, why }: CounterExample): string {
  const places = scale(operations);
  const last = Math.max(...places.values());
  const unknown = operations.some(({ t }) => t === -1);
  const right = Math.max(
    last + (unknown ? BEYOND : 0),
    ...operations.map((o) => places.get(o.s)! + textWidth(wordsOf(o)) + (o.t === -1 ? 20 : 0)),
  );
  const width = Math.max(right + MARGIN, 520);
  const lines = wrap(why, Math.floor((width - 2 * MARGIN) / 6.6));
  const top = MARGIN + 22 + lines.length * LINE + 6;
  const unit = unitOf(operations);
  const zero = Math.min(...places.keys());
  let y = top;
  const lanes = lanesOf(operations, places, right).map(({ name, bars, rows }) => {
    const height = rows * ROW + LANE_PADDING;
    const lane =
      `<rect class="lane" x="${MARGIN / 2}" y="${y}" width="${width - MARGIN}" height="${height}" rx="6"/>` +
      `<text class="who" x="${MARGIN}" y="${y + height / 2 + 4}">${escaped(name)}</text>` +
      bars.map((bar) => drawBar(bar, y, offender)).join('');
    y += height + 6;
    return lane;
  });
  const grid = [...places.values()].map(
    (x) => `<line class="grid" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${top}" y2="${y}"/>`,
  );
  const ticks = ticksOf(places, zero, unit).map(
    ([label, x]) => `<text class="faint" text-anchor="middle" x="${x.toFixed(1)}" y="${y + 14}">${label}</text>`,
  );
  const height = y + 62;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${height}" viewBox="0 0 ${Math.ceil(width)} ${height}" role="img">`,
    `<title>${escaped(`key ${key}: ${why}`)}</title><style>${STYLE}</style>`,
    '<defs><linearGradient id="fading"><stop offset="0" stop-color="#2f6fd0" stop-opacity=".35"/><stop offset="1" stop-color="#2f6fd0" stop-opacity="0"/></linearGradient></defs>',
    `<rect class="paper" width="100%" height="100%" rx="8"/>`,
    `<text class="title" x="${MARGIN}" y="${MARGIN + 8}">${escaped(`Key ${JSON.stringify(key)} is not linearizable`)}</text>`,
    ...lines.map((line, i) => `<text class="why" x="${MARGIN}" y="${MARGIN + 30 + i * LINE}">${escaped(line)}</text>`),
    ...lanes,
    ...grid,
    ...ticks,
    `<text class="faint" x="${MARGIN}" y="${y + 14}">${unit.name}</text>`,
    legend(y + 44, operations),
    '</svg>\n',
  ].join('\n');
}
