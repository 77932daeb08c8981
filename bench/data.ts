/** Keys and values of benchmarks: of exact sizes, each value telling its key, so that every read can be checked. */

export const KEY_BYTES = 16;

/** Made of one piece: V8 would otherwise put the pieces together during a measurement. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

export const keyOf = (index: number): string => flat(`k${String(index).padStart(KEY_BYTES - 1, '0')}`);

/** `edition` tells the writes of one key from each other. At least 16 bytes. */
export function valueFor(index: number, size: number, edition = 0): string {
  return flat(`${String(edition % 1e6).padStart(6, '0')}${String(index).padStart(10, '0')}`.padEnd(size, '.'));
}

export const isValueOf = (value: string | null | undefined, index: number, size: number): boolean =>
  typeof value === 'string' && value.length === size && Number(value.slice(6, 16)) === index;

/** Indices from `from`, `count` of them. */
export interface KeyRange {
  readonly from: number;
  readonly count: number;
}

export const keysOf = ({ from, count }: KeyRange): string[] => Array.from({ length: count }, (_, i) => keyOf(from + i));

export class WrongValueError extends Error {
  constructor(key: string, value: unknown) {
    super(`read a wrong value of ${key}: ${String(value).slice(0, 40)}`);
    this.name = 'WrongValueError';
  }
}
