/** Results as people read them: coloured and framed on a terminal, plain lines elsewhere. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { type ClientRow, errorLine, type Result } from './results.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for a stream: none for a pipe, nor where NO_COLOR or TERM=dumb ask for none. */
export function colorsFor(stream: { readonly isTTY?: boolean }): Colors {
  return pc.createColors(stream.isTTY === true && pc.isColorSupported);
}

/** A column of the table of clients. */
interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly text: (row: ClientRow) => string;
  readonly color: (text: string, row: ClientRow, colors: Colors) => string;
}

const upOrDown: Column['color'] = (text, _row, colors) =>
  text.trim() === 'up' ? colors.green(text) : colors.red(text);
const dim: Column['color'] = (text, _row, colors) => colors.dim(text);
const uncolored: Column['color'] = (text) => text;

const EPOCH: Column = { title: 'epoch', align: 'right', text: (row) => row.epoch, color: dim };
/** The last digits are the ones that change. */
const SHORT_EPOCH: Column = {
  ...EPOCH,
  text: ({ epoch }) => (epoch.length > 7 ? `…${epoch.slice(-6)}` : epoch),
};
const PID: Column = { title: 'pid', align: 'right', text: (row) => String(row.pid), color: dim };

function columns(epoch: Column, ...more: Column[]): Column[] {
  return [
    { title: 'id', align: 'right', text: (row) => String(row.id), color: (text, _row, colors) => colors.bold(text) },
    { title: 'address', align: 'left', text: (row) => row.address, color: uncolored },
    { title: 'role', align: 'left', text: roleText, color: roleColor },
    epoch,
    { title: 'zookeeper', align: 'left', text: (row) => row.zookeeper, color: upOrDown },
    { title: 'rmi', align: 'left', text: (row) => row.rmi, color: upOrDown },
    {
      title: 'live',
      align: 'left',
      text: (row) => (row.live ? 'yes' : 'no'),
      color: (text, row, colors) => (row.live ? colors.green(text) : colors.red(text)),
    },
    { title: 'entries', align: 'right', text: (row) => String(row.entries), color: uncolored },
    ...more,
  ];
}

function roleText(row: ClientRow): string {
  return row.role + (row.paused ? ' (paused)' : row.stale ? ' (stale)' : '');
}

function roleColor(text: string, row: ClientRow, colors: Colors): string {
  if (row.stale) return colors.yellow(text);
  switch (row.role) {
    case 'leader':
      return colors.bold(colors.green(text));
    case 'follower':
      return colors.cyan(text);
    case 'lost':
      return colors.red(text);
    default:
      return colors.yellow(text);
  }
}

function paint(column: Column, text: string, row: ClientRow, colors: Colors): string {
  return row.role === 'closed' ? colors.dim(text) : column.color(text, row, colors);
}

function frameWith(shown: readonly Column[], rows: readonly ClientRow[], colors: Colors): string {
  const cells = rows.map((row) => shown.map((column) => paint(column, column.text(row), row, colors)));
  const titles = shown.map((column) => column.title);
  const aligns = shown.map((column) => column.align);
  return framed(titles, cells, aligns, colors);
}

/** A framed, coloured table of clients; on a narrow terminal it leaves out what is missed least. */
export function prettyTable(rows: readonly ClientRow[], colors: Colors, width: number): string {
  const layouts = [columns(EPOCH, PID), columns(EPOCH), columns(SHORT_EPOCH)];
  const tables = layouts.map((layout) => frameWith(layout, rows, colors));
  // The frame's first line has no colours, so its length is its width.
  const fitting = tables.find((text) => text.indexOf('\n') <= width);
  return fitting ?? columnsOf(columns(SHORT_EPOCH), rows, colors);
}

/** Aligned columns without a frame. */
function columnsOf(shown: readonly Column[], rows: readonly ClientRow[], colors: Colors): string {
  const texts = [shown.map((column) => column.title), ...rows.map((row) => shown.map((column) => column.text(row)))];
  const [head = [], ...lines] = aligned(texts);
  const painted = lines.map((line, index) =>
    line.map((text, at) => paint(shown[at] as Column, text, rows[index] as ClientRow, colors)),
  );
  return [head.map((title) => colors.dim(title)), ...painted].map((line) => line.join('  ').trimEnd()).join('\n');
}

/** A frame around cells that are coloured already. */
export function framed(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  colAligns: ('left' | 'right')[],
  colors: Colors,
): string {
  const table = new Table({
    head: head.map((text) => colors.dim(text)),
    colAligns,
    // The library's own colours would not ask NO_COLOR of our stream.
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** Cells padded to the width of their columns. */
function aligned(rows: readonly (readonly string[])[]): string[][] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)));
}

/** Aligned columns without a frame or colours. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return aligned([head, ...rows])
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
}

/** Control characters, line separators, and what turns the direction of text: a terminal would obey them. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Text that a terminal shows instead of obeying it. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return SHORT_ESCAPES[character] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`);
  });
}

/** What a command says. `width` is that of the terminal; null where there is none: plain lines, values as they are. */
export function renderResult(result: Result, colors: Colors, width: number | null): string {
  const table = (rows: readonly ClientRow[]): string =>
    width === null ? columnsOf(columns(EPOCH, PID), rows, colors) : prettyTable(rows, colors, width);
  const text = (raw: string): string => (width === null ? raw : printable(raw));
  if (!result.ok) return colors.red(text(errorLine(result.error ?? { code: 'ZISTORE_CLOSED', message: 'failed' })));
  if (result.value !== undefined) return result.value === null ? colors.dim('(none)') : text(result.value);
  if (result.existed !== undefined) return result.existed ? colors.green('ok') : colors.dim('(none)');
  if (result.clients !== undefined) return table(result.clients);
  if (result.help !== undefined) return result.help;
  if (typeof result.client === 'object') return table([result.client]);
  return colors.green('ok');
}
