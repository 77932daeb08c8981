/** What users may use as a key (Z07), to and from the one form that the core knows (see Key in core/types.ts). */
import { isUint8Array } from 'node:util/types';
import { describe } from './check.ts';
import type { Key } from './core/types.ts';
import { ZiStoreError } from './errors.ts';
import { decodeUtf8, exceedsUtf8Bytes, isWellFormed } from './text.ts';

/**
 * Text, bytes, or a whole number, which is the same key as its decimal text. Bytes that are valid UTF-8 are the same
 * key as that text.
 */
export type ZiStoreKey = string | Uint8Array | number;

/** Stands before bytes that are no text, one char a byte. No text can begin so: it is half a character. */
const BYTES_MARK = '\ud800';
const BYTES_MARK_CODE = BYTES_MARK.charCodeAt(0);

/**
 * @throws ZiStoreError ZISTORE_INVALID_ARGUMENT for what cannot be a key, ZISTORE_LIMIT_EXCEEDED for one of more than
 * `maxBytes` bytes.
 */
export function toKey(key: unknown, maxBytes: number): Key {
  if (typeof key === 'string') return textKey(key, maxBytes);
  if (typeof key === 'number') return numberKey(key, maxBytes);
  if (isUint8Array(key)) return bytesKey(key, maxBytes);
  throw badKey(`expected a string, a Uint8Array or a whole number, got ${describe(key)}`);
}

/**
 * Whether what is known under this key, if anything, is what the user means. Text is its own form; only text that begins
 * with half a character, which is no key, could be taken for the form of another. Cheaper than `toKey`.
 */
export function isText(key: unknown): key is Key {
  return typeof key === 'string' && key.charCodeAt(0) !== BYTES_MARK_CODE;
}

function textKey(text: string, maxBytes: number): Key {
  if (text.length === 0) throw badKey('must not be empty');
  if (exceedsUtf8Bytes(text, maxBytes)) throw tooLong(maxBytes);
  if (!isWellFormed(text)) throw badKey('contains a lone surrogate, which is no character; use bytes for binary keys');
  return text as Key;
}

function numberKey(number: number, maxBytes: number): Key {
  if (Number.isSafeInteger(number)) return textKey(String(number), maxBytes);
  throw badKey(`a number must be whole and within ± (2^53 − 1), got ${describe(number)}; use a string instead`);
}

function bytesKey(bytes: Uint8Array, maxBytes: number): Key {
  if (bytes.length === 0) throw badKey('must not be empty');
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  return (decodeUtf8(bytes) ?? BYTES_MARK + asBuffer(bytes).toString('latin1')) as Key;
}

/** The same key for a user: text, or bytes where it is no text. */
export function fromKey(key: Key): string | Buffer {
  // The mark also begins the characters U+10000 to U+103FF, but only there is it one half of a pair.
  return isWellFormed(key) ? key : Buffer.from(key.slice(1), 'latin1');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function badKey(why: string): ZiStoreError {
  return new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `key: ${why}`);
}

function tooLong(maxBytes: number): ZiStoreError {
  return new ZiStoreError('ZISTORE_LIMIT_EXCEEDED', `key: longer than maxKeyBytes (${maxBytes} bytes)`);
}
