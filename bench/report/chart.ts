/** Charts as SVG, for light and dark pages: a bar for each contender with its spread, and groups of bars for figures. */
import { type CaseResult, type Figure, isPeer } from '../model.ts';
import { spreadOf } from '../statistics.ts';
import { amount, times } from './format.ts';

export const WIDTH = 720;
export const MARGIN = 20;
const NAMES = 150;
const VALUES = 170;
const BAR = 20;
const ROW = 32;

const STYLE = `
  .paper { fill: #ffffff; } .grid { stroke: #d9dce1; stroke-dasharray: 2 4; } .spread { stroke: #24292f; stroke-width: 1.5; }
  text { font: 12px system-ui, sans-serif; fill: #24292f; } .title { font-size: 15px; font-weight: 600; } .faint { fill: #6e7781; }
  .met { fill: #2f6fd0; } .missed { fill: #c2571a; } .ours { fill: #2f6fd0; } .theirs { fill: #a9b4c2; } .c0 { fill: #2f6fd0; } .c1 { fill: #56a36c; } .c2 { fill: #c2571a; }
  .c3 { fill: #8a4fbf; } .q0 { fill: #b9c0ca; } .q1 { fill: #d3d8df; } .q2 { fill: #9aa3af; } .q3 { fill: #7f8a98; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } .grid { stroke: #30363d; } .spread { stroke: #e6edf3; } text { fill: #e6edf3; } .faint { fill: #8b949e; }
    .ours, .c0, .met { fill: #6cb0ff; } .missed { fill: #f0883e; } .theirs { fill: #57606a; } .c1 { fill: #56c271; } .c2 { fill: #f0883e; } .c3 { fill: #bc8cff; }
    .q0 { fill: #57606a; } .q1 { fill: #3d444d; } .q2 { fill: #6e7781; } .q3 { fill: #8b949e; }
  }`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

export const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`;

export function page(height: number, title: string, inside: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style>`,
    '<rect class="paper" width="100%" height="100%" rx="8"/>',
    text(MARGIN, MARGIN + 10, title, 'class="title"'),
    ...inside,
    '</svg>\n',
  ].join('\n');
}

export function chartOfCase({ title, unit, better, measured }: CaseResult): string {
  const rows = measured.map(({ contender, samples }) => ({
    contender,
    ...spreadOf(samples.map(({ value }) => value)),
  }));
  const most = Math.max(...rows.map(({ max }) => max), Number.MIN_VALUE);
  const space = WIDTH - 2 * MARGIN - NAMES - VALUES;
  const left = MARGIN + NAMES;
  const at = (value: number): number => left + (value / most) * space;
  const top = 66;
  const bars = rows.map(({ contender, median, min, max }, i) => {
    const y = top + i * ROW;
    const middle = y + BAR / 2;
    return [
      text(left - 10, middle + 4, contender, 'text-anchor="end"'),
      `<rect class="${isPeer(contender) ? 'theirs' : 'ours'}" x="${left}" y="${y}" width="${Math.max(1, at(median) - left).toFixed(1)}" height="${BAR}" rx="3"/>`,
      `<path class="spread" d="M${at(min).toFixed(1)} ${middle}H${at(max).toFixed(1)}"/>`,
      text(at(max) + 8, middle + 4, amount(median, unit)),
    ].join('');
  });
  const hint = `${better} is better; the line is from the least to the greatest of ${measured[0]?.samples.length ?? 0} rounds`;
  return page(top + rows.length * ROW + MARGIN, title, [text(MARGIN, 50, hint, 'class="faint"'), ...bars]);
}

/** Groups of bars, measured ones in colour, quoted ones in grey. A logarithmic scale where they lie far apart. */
export function chartOfFigure(figure: Figure): string {
  const series = [
    ...figure.measured.map(({ name, values }, i) => ({ name: `${name}, measured here`, values, style: `c${i % 4}` })),
    ...figure.quoted.map(({ name, values }, i) => ({ name: `${name}, ${figure.source}`, values, style: `q${i % 4}` })),
  ];
  const all = series.flatMap(({ values }) => values).filter((value) => value > 0);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const isLogarithmic = most / least > 50;
  const top = 60 + series.length * 18;
  const height = 220;
  const bottom = top + height;
  const floor = 10 ** Math.floor(Math.log10(least));
  const share = (value: number): number =>
    isLogarithmic ? Math.log10(value / floor) / Math.log10(most / floor) : value / most;
  const group = (WIDTH - 2 * MARGIN) / figure.labels.length;
  const wide = Math.min(46, (group - 14) / series.length);
  const bars = figure.labels.flatMap((label, g) => {
    const x = MARGIN + g * group + (group - wide * series.length) / 2;
    return [
      ...series.map(({ values, style }, s) => drawColumn(x + s * wide, bottom, wide, values[g], height, share, style)),
      text(MARGIN + (g + 0.5) * group, bottom + 18, label, 'text-anchor="middle"'),
    ];
  });
  const legend = series.map(
    ({ name, style }, i) =>
      `<rect class="${style}" x="${MARGIN}" y="${58 + i * 18 - 10}" width="12" height="12" rx="2"/>${text(MARGIN + 20, 58 + i * 18, name)}`,
  );
  const scale = `${figure.unit}${isLogarithmic ? ', logarithmic scale' : ''}`;
  return page(bottom + 50, figure.title, [
    ...legend,
    `<path class="grid" d="M${MARGIN} ${bottom}H${WIDTH - MARGIN}"/>`,
    ...bars,
    text(MARGIN, bottom + 38, scale, 'class="faint"'),
  ]);
}

/** Upright where columns are too narrow for it. */
function columnLabel(x: number, y: number, words: string, wide: number): string {
  if (wide >= 5 * words.length + 4) return text(x, y, words, 'text-anchor="middle" style="font-size:9px"');
  const turned = `transform="rotate(-90 ${x.toFixed(1)} ${y.toFixed(1)})" style="font-size:9px"`;
  return text(x + 1, y + 3, words, turned);
}

function drawColumn(
  x: number,
  bottom: number,
  wide: number,
  value: number | undefined,
  height: number,
  share: (value: number) => number,
  style: string,
): string {
  if (value === undefined || !(value > 0)) return '';
  const tall = Math.max(1, share(value) * (height - 36));
  return (
    `<rect class="${style}" x="${(x + 1).toFixed(1)}" y="${(bottom - tall).toFixed(1)}" width="${(wide - 2).toFixed(1)}" height="${tall.toFixed(1)}"/>` +
    columnLabel(x + wide / 2, bottom - tall - 4, times(value), wide)
  );
}
