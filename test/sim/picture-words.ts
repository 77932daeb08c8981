/** The words of a counter-example, for a terminal: one line an operation, in the order of their starts. */
import type { CounterExample } from './checker-counterexample.ts';
import type { Recorded } from './checker-history.ts';

const quoted = (value: string | null | undefined): string => (value == null ? 'nothing' : JSON.stringify(value));

export function wordsOf(entry: Recorded): string {
  switch (entry.op) {
    case 'put':
      return `put ${quoted(entry.v)}`;
    case 'get':
      return `get → ${quoted(entry.r)}`;
    case 'del':
      return 'delete';
    case 'loss':
      return 'lost';
    default:
      return `cas ${quoted(entry.e)} → ${quoted(entry.v)}${entry.ok || entry.t === -1 ? '' : ' refused'}`;
  }
}

export interface Unit {
  readonly name: string;
  readonly ns: number;
}

/** The unit in which the whole can be read best. */
export function unitOf(operations: readonly Recorded[]): Unit {
  const times = operations.flatMap(({ s, t }) => (t === -1 ? [s] : [s, t]));
  const span = Math.max(...times) - Math.min(...times);
  if (span >= 10e9) return { name: 's', ns: 1e9 };
  if (span >= 100_000) return { name: 'ms', ns: 1e6 };
  return span >= 100 ? { name: 'µs', ns: 1e3 } : { name: 'ns', ns: 1 };
}

/** A time relative to `zero`, as short as it may be. */
export function timeIn(time: number, zero: number, unit: Unit): string {
  const value = (time - zero) / unit.ns;
  return String(Number(value.toFixed(value >= 10 ? 1 : 3)));
}

/** For reading without colours: what cannot be is marked at the end of its line. */
export function tableOf({ key, operations, offender, why }: CounterExample): string {
  const unit = unitOf(operations);
  const zero = Math.min(...operations.map(({ s }) => s));
  const rows = operations.map((entry) => [
    entry.op === 'loss' ? '' : String(entry.c),
    wordsOf(entry),
    timeIn(entry.s, zero, unit),
    entry.t === -1 ? 'unknown' : timeIn(entry.t, zero, unit),
    entry === offender ? '← cannot be' : '',
  ]);
  const head = ['client', 'operation', `from (${unit.name})`, `to (${unit.name})`, ''];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const isNumber = (column: number): boolean => column === 2 || column === 3;
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [`key ${JSON.stringify(key)}: ${why}`, '', line(head), ...rows.map(line), ''].join('\n');
}
