/** A chart of a soak run: a small panel for each metric, a line for each node. */
import type { Series } from './soak-samples.ts';

const WIDTH = 420;
const HEIGHT = 150;
const COLUMNS = 2;
const GAP = 26;
const LEFT = 74;
const COLOURS = ['#2f6fd0', '#c2571a', '#2e8b4a', '#8a4fbf'];
const MIB = 1024 * 1024;

const isBytes = (metric: string): boolean => ['rss', 'heapUsed', 'external'].includes(metric);

const label = (metric: string, value: number): string =>
  isBytes(metric) ? `${(value / MIB).toFixed(0)} MiB` : String(Math.round(value));

export interface Mark {
  /** Seconds from the start. */
  readonly at: number;
}

/** `faults`: when each struck, drawn as ticks under every panel. */
export function chartOf(all: readonly Series[], seconds: number, faults: readonly Mark[], title: string): string {
  const metrics = [...new Set(all.map(({ metric }) => metric))];
  const panels = metrics.map((metric, i) => {
    const x = LEFT + (i % COLUMNS) * (WIDTH + LEFT + GAP);
    const y = 60 + Math.floor(i / COLUMNS) * (HEIGHT + 56);
    const own = all.filter((series) => series.metric === metric);
    return `<g transform="translate(${x} ${y})">${panelOf(metric, own, seconds, faults)}</g>`;
  });
  const width = COLUMNS * (WIDTH + LEFT + GAP) + GAP;
  const height = 60 + Math.ceil(metrics.length / COLUMNS) * (HEIGHT + 56) + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.faint{fill:#6e7781}</style>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text class="title" x="${GAP}" y="30">${title}</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panelOf(metric: string, all: readonly Series[], seconds: number, faults: readonly Mark[]): string {
  const most = Math.max(1, ...all.flatMap(({ points }) => points.map(({ value }) => value))) * 1.1;
  const x = (at: number): string => ((at / seconds) * WIDTH).toFixed(1);
  const y = (value: number): string => (HEIGHT - (value / most) * HEIGHT).toFixed(1);
  const lines = all.map(({ points }, i) => {
    const path = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(' ');
    return `<polyline fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.4" points="${path}"/>`;
  });
  const names = all.map(
    ({ of }, i) =>
      `<text x="${WIDTH - 8}" y="${16 + i * 15}" text-anchor="end" style="fill:${COLOURS[i % COLOURS.length]}">${of}</text>`,
  );
  const ticks = faults.map(({ at }) => `<path d="M${x(at)} ${HEIGHT}v5" stroke="#cf222e"/>`);
  const levels = [0, 0.5, 1].map((share) => {
    const value = (most / 1.1) * share;
    return `<text class="faint" x="-8" y="${Number(y(value)) + 4}" text-anchor="end">${label(metric, value)}</text>`;
  });
  return [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#f5f6f8"/>`,
    `<text x="0" y="-8" font-weight="600">${metric}</text>`,
    ...levels,
    ...ticks,
    ...lines,
    ...names,
    `<text class="faint" x="0" y="${HEIGHT + 19}">0</text>`,
    `<text class="faint" x="${WIDTH}" y="${HEIGHT + 19}" text-anchor="end">${(seconds / 60).toFixed(1)} min, faults in red</text>`,
  ].join('');
}
