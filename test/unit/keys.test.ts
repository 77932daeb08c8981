/** Keys: text, bytes and whole numbers (Z07), one canonical form each (core/types.ts: Key; contract: Library). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromKey, toKey, type ZiStoreKey } from '../../src/keys.ts';

const MAX = 1024;
const key = (given: unknown) => toKey(given, MAX);
const bytesOf = (given: ZiStoreKey): Buffer =>
  given instanceof Uint8Array ? Buffer.from(given) : Buffer.from(String(given), 'utf8');

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
const anyKey: fc.Arbitrary<ZiStoreKey> = fc.oneof(text, bytes, fc.maxSafeInteger(), text.map(bytesOf));

describe('a key', () => {
  it('that is text is itself', () => {
    fc.assert(fc.property(text, (given) => expect(key(given)).toBe(given)));
  });

  it('is the same as another exactly if their bytes are the same', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(key(a) === key(b)).toBe(bytesOf(a).equals(bytesOf(b)));
        expect(key(bytesOf(a))).toBe(key(a));
      }),
    );
  });

  it('comes back with the same bytes, as text wherever it is text', () => {
    fc.assert(
      fc.property(anyKey, (given) => {
        const back = fromKey(key(given));
        expect(bytesOf(back)).toEqual(bytesOf(given));
        expect(key(back)).toBe(key(given));
      }),
    );
  });

  it('that is a number is its decimal text', () => {
    expect([0, -0, -5, 1e15, Number.MAX_SAFE_INTEGER].map(key)).toEqual([
      '0',
      '0',
      '-5',
      '1000000000000000',
      '9007199254740991',
    ]);
  });

  it('keeps a byte order mark and the form of its characters: it is bytes, not meaning', () => {
    expect(key(Buffer.from('\ufeffa'))).toBe('\ufeffa');
    expect(key('é')).not.toBe(key('e\u0301'));
  });

  it('of bytes that are no UTF-8 is none that text could be', () => {
    for (const raw of [[0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xe2, 0x82]]) {
      const canonical = key(Uint8Array.from(raw));
      expect(canonical.charCodeAt(0)).toBe(0xd800);
      expect(() => key(canonical)).toThrow(expect.objectContaining({ code: 'ZISTORE_INVALID_ARGUMENT' }));
      expect(fromKey(canonical)).toEqual(Buffer.from(raw));
    }
  });

  it('does not share memory with the bytes it came from', () => {
    const given = Uint8Array.of(0xff, 1);
    const canonical = key(given);
    given[1] = 2;
    expect(fromKey(canonical)).toEqual(Buffer.from([0xff, 1]));
  });

  it('is read from the window that a Buffer is, not from the memory behind it', () => {
    const window = Buffer.from([1, 0xff, 0xfe, 2]).subarray(1, 3);
    expect(fromKey(key(window))).toEqual(Buffer.from([0xff, 0xfe]));
  });
});

describe('what cannot be a key is refused with ZISTORE_INVALID_ARGUMENT', () => {
  it.each<[unknown, RegExp]>([
    ['', /empty/],
    [new Uint8Array(0), /empty/],
    ['a\ud800', /lone surrogate/],
    ['\udc00b', /lone surrogate/],
    [1.5, /whole/],
    [Number.NaN, /whole/],
    [2 ** 53, /whole/],
    [undefined, /got undefined/],
    [null, /got null/],
    [true, /got true/],
    [{ toString: () => 'a' }, /got an object/],
    [['a'], /got an array/],
    [1n, /got a bigint/],
    [Symbol('a'), /got a symbol/],
    [new ArrayBuffer(1), /got an object/],
    [Uint16Array.of(1), /got an object/],
  ])('%p', (given, why) => {
    expect(() => key(given)).toThrow(
      expect.objectContaining({ code: 'ZISTORE_INVALID_ARGUMENT', message: expect.stringMatching(why) }),
    );
  });
});

describe('a key that is too long is refused with ZISTORE_LIMIT_EXCEEDED', () => {
  it('counting UTF-8 bytes, exactly', () => {
    fc.assert(
      fc.property(anyKey, fc.integer({ min: 1, max: 60 }), (given, max) => {
        const fits = bytesOf(given).length <= max;
        const convert = () => toKey(given, max);
        if (fits) expect(convert()).toBe(key(given));
        else expect(convert).toThrow(expect.objectContaining({ code: 'ZISTORE_LIMIT_EXCEEDED' }));
      }),
    );
  });

  it.each([
    ['x'.repeat(MAX), 'x'.repeat(MAX + 1)],
    ['é'.repeat(MAX / 2), 'é'.repeat(MAX / 2 + 1)],
    ['𝄞'.repeat(MAX / 4), '𝄞'.repeat(MAX / 4 + 1)],
    [new Uint8Array(MAX), new Uint8Array(MAX + 1)],
  ])('at the bound', (longest, tooLong) => {
    expect(() => key(longest)).not.toThrow();
    expect(() => key(tooLong)).toThrow(/maxKeyBytes \(1024 bytes\)/);
  });

  it.each(['\u{10000}', '\u{103ff}x', '\u{10400}'])('text that begins with %j stays text', (text) => {
    expect(fromKey(key(text))).toBe(text);
  });
});
