/** Keys and values of benchmarks: of exact sizes, each value telling its key, so that every read can be checked. */

export const KEY_BYTES = 16;
const ZERO = '0'.charCodeAt(0);

/** Made of one piece: V8 would otherwise put the pieces together during a measurement. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

export const keyOf = (index: number): string => flat(`k${String(index).padStart(KEY_BYTES - 1, '0')}`);

/** `edition` tells the writes of one key from each other. At least 16 bytes. */
export function valueFor(index: number, size: number, edition = 0): string {
  return flat(`${String(edition % 1e6).padStart(6, '0')}${String(index).padStart(10, '0')}`.padEnd(size, '.'));
}

/** Digit by digit: to cut the number out and parse it took as long as a read from memory does. */
export function isValueOf(value: string | null | undefined, index: number, size: number): boolean {
  if (typeof value !== 'string' || value.length !== size) return false;
  let told = 0;
  for (let at = 6; at < 16; at++) told = told * 10 + value.charCodeAt(at) - ZERO;
  return told === index;
}

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
