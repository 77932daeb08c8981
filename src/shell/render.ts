/** Results as people read them: coloured and framed on a terminal, plain lines elsewhere. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { Role } from '../core/status.ts';
import { type ClientRow, errorLine, type Result } from './results.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for a stream: none for a pipe, nor where NO_COLOR or TERM=dumb ask for none. */
export function colorsFor(stream: { readonly isTTY?: boolean }): Colors {
  return pc.createColors(stream.isTTY === true && pc.isColorSupported);
}

const HEAD = ['id', 'address', 'role', 'epoch', 'zookeeper', 'rmi', 'live', 'entries', 'pid'] as const;

function cells(row: ClientRow): string[] {
  const state = row.paused ? ' (paused)' : row.stale ? ' (stale)' : '';
  return [
    String(row.id),
    row.address,
    row.role + state,
    row.epoch,
    row.zookeeper,
    row.rmi,
    row.live ? 'yes' : 'no',
    String(row.entries),
    String(row.pid),
  ];
}

function roleColor(role: Role, colors: Colors): (text: string) => string {
  switch (role) {
    case 'leader':
      return (text) => colors.bold(colors.green(text));
    case 'follower':
      return colors.cyan;
    case 'lost':
      return colors.red;
    case 'closed':
      return colors.dim;
    default:
      return colors.yellow;
  }
}

function colored(row: ClientRow, colors: Colors): string[] {
  const texts = cells(row);
  if (row.role === 'closed') return texts.map((text) => colors.dim(text));
  const paint = (index: number, color: (text: string) => string): void => {
    texts[index] = color(texts[index] ?? '');
  };
  paint(0, colors.bold);
  paint(2, row.stale ? colors.yellow : roleColor(row.role, colors));
  paint(3, colors.dim);
  for (const index of [4, 5]) paint(index, texts[index] === 'up' ? colors.green : colors.red);
  paint(6, row.live ? colors.green : colors.red);
  paint(8, colors.dim);
  return texts;
}

/** A framed, coloured table of clients. */
export function prettyTable(rows: readonly ClientRow[], colors: Colors): string {
  return framed(
    HEAD,
    rows.map((row) => colored(row, colors)),
    ['right', 'left', 'left', 'right', 'left', 'left', 'left', 'right', 'right'],
    colors,
  );
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

/** Aligned columns without a frame. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function table(rows: readonly ClientRow[], colors: Colors, pretty: boolean): string {
  return pretty ? prettyTable(rows, colors) : plainTable(HEAD, rows.map(cells));
}

/** What a successful command says. */
export function renderResult(result: Result, colors: Colors, pretty: boolean): string {
  if (!result.ok) return colors.red(errorLine(result.error ?? { code: 'ZISTORE_CLOSED', message: 'failed' }));
  if (result.value !== undefined) return result.value ?? colors.dim('(none)');
  if (result.existed !== undefined) return result.existed ? colors.green('ok') : colors.dim('(none)');
  if (result.clients !== undefined) return table(result.clients, colors, pretty);
  if (result.help !== undefined) return result.help;
  if (typeof result.client === 'object') return table([result.client], colors, pretty);
  return colors.green('ok');
}
