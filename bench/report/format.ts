/** Numbers as people read them. */
import type { Unit } from '../model.ts';
import type { Spread } from '../statistics.ts';

const significant = (value: number): string => {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
};

export function amount(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '–';
  switch (unit) {
    case 'ops/s':
      return value >= 1e6
        ? `${(value / 1e6).toFixed(2)} M/s`
        : value >= 1e4
          ? `${(value / 1e3).toFixed(0)} k/s`
          : `${significant(value)} /s`;
    case 'ms':
      return `${significant(value)} ms`;
    case 'us':
      return `${significant(value)} µs`;
    case 'bytes':
      return `${significant(value)} B`;
    case 'messages':
      return significant(value);
  }
}

export const times = (value: number): string => significant(value);

export const spread = ({ median, min, max }: Spread, show: (value: number) => string): string =>
  `${show(median)} (${show(min)} – ${show(max)})`;
