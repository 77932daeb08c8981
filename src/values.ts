/** What users may use as a value (Z07), to and from what the core carries: text as text, bytes as bytes. */
import { isUint8Array } from 'node:util/types';
import { describe } from './check.ts';
import type { Value } from './core/types.ts';
import { ZiStoreError } from './errors.ts';
import type { ValueEncoding } from './options.ts';
import { decodeUtf8, exceedsUtf8Bytes, isWellFormed } from './text.ts';

/**
 * One value encoding. A value written under one encoding may be read under another: text read as bytes is its UTF-8
 * form, bytes read as text are decoded, and what cannot be read so is refused rather than mangled.
 */
export interface ValueCodec {
  /** @throws ZISTORE_INVALID_ARGUMENT, ZISTORE_LIMIT_EXCEEDED. The result shares no memory with `value`. */
  encode(value: unknown): Value;
  /** @throws ZISTORE_INVALID_ARGUMENT if it was written under another encoding and has no reading in this one. */
  decode(value: Value): unknown;
}

export function createValueCodec(encoding: ValueEncoding, maxBytes: number): ValueCodec {
  switch (encoding) {
    case 'utf8':
      return { encode: (value) => encodeText(value, maxBytes), decode: decodeText };
    case 'json':
      return { encode: (value) => encodeJson(value, maxBytes), decode: decodeJson };
    case 'buffer':
      return { encode: (value) => encodeBytes(value, maxBytes), decode: decodeBytes };
  }
}

function encodeText(value: unknown, maxBytes: number): Value {
  if (typeof value !== 'string') throw badValue(`expected a string (valueEncoding 'utf8'), got ${kindOf(value)}`);
  if (exceedsUtf8Bytes(value, maxBytes)) throw tooLarge(maxBytes);
  if (!isWellFormed(value)) {
    throw badValue("contains a lone surrogate, which UTF-8 cannot carry; use valueEncoding 'buffer' for binary values");
  }
  return value;
}

function decodeText(value: Value): string {
  if (typeof value === 'string') return value;
  const text = decodeUtf8(value);
  if (text === undefined) throw unreadable('utf8', 'it holds bytes that are not UTF-8');
  return text;
}

/** Whatever JSON.stringify leaves out inside objects is left out here too; only a value that it cannot say at all is refused. */
function encodeJson(value: unknown, maxBytes: number): Value {
  if (typeof value === 'number' && !Number.isFinite(value)) throw badValue(`JSON has no ${value}`);
  const text = stringify(value);
  if (text === undefined) throw badValue(`JSON cannot express ${kindOf(value)}; to remove a key, delete it`);
  if (exceedsUtf8Bytes(text, maxBytes)) throw tooLarge(maxBytes);
  return text;
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw badValue('JSON cannot express it (a cycle, a bigint, or a toJSON that throws); see cause', error);
  }
}

function decodeJson(value: Value): unknown {
  const text = decodeText(value);
  try {
    return JSON.parse(text);
  } catch {
    // Not passed on as cause: the parser's message quotes the value.
    throw unreadable('json', 'it does not hold JSON');
  }
}

function encodeBytes(value: unknown, maxBytes: number): Value {
  if (!isUint8Array(value)) {
    throw badValue(`expected a Uint8Array or Buffer (valueEncoding 'buffer'), got ${kindOf(value)}`);
  }
  if (value.length > maxBytes) throw tooLarge(maxBytes);
  // The caller may go on writing into its buffer, and other nodes must not see that.
  return new Uint8Array(value);
}

/** Always a copy: whoever gets it may write into it, and the cache must not change by that. */
function decodeBytes(value: Value): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
}

/** Never the value itself: messages end up in logs. */
function kindOf(value: unknown): string {
  return value === undefined || value === null ? describe(value) : `a value of type ${typeof value}`;
}

function badValue(why: string, cause?: unknown): ZiStoreError {
  return new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `value: ${why}`, cause === undefined ? {} : { cause });
}

function tooLarge(maxBytes: number): ZiStoreError {
  return new ZiStoreError('ZISTORE_LIMIT_EXCEEDED', `value: larger than maxValueBytes (${maxBytes} bytes)`);
}

function unreadable(encoding: ValueEncoding, why: string): ZiStoreError {
  return badValue(`cannot be read with valueEncoding '${encoding}': ${why}; read it with the encoding that wrote it`);
}
