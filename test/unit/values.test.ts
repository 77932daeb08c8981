/** Values: text, JSON, bytes (Z07; contract: valueEncoding), and what one encoding makes of another's. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ValueEncoding } from '../../src/options.ts';
import { createValueCodec } from '../../src/values.ts';

const MAX = 1024;
const codec = (encoding: ValueEncoding, max = MAX) => createValueCodec(encoding, max);
const [utf8, json, buffer] = [codec('utf8'), codec('json'), codec('buffer')];
const refused = (code: string, why: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(why) });
const invalid = (why: RegExp) => refused('ZISTORE_INVALID_ARGUMENT', why);

const text = fc.string({ unit: 'binary', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 40 });

describe('a value comes back as it was given', () => {
  it('as text', () => {
    fc.assert(fc.property(text, (value) => expect(utf8.decode(utf8.encode(value))).toBe(value)));
  });

  it('as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        expect(codec('json', 1e6).decode(json.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(json.decode(json.encode(null))).toBeNull();
    expect(json.decode(json.encode('\ud800'))).toBe('\ud800');
  });

  it('as bytes, in a Buffer', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const back = buffer.decode(buffer.encode(value));
        expect(back).toBeInstanceOf(Buffer);
        expect([...(back as Buffer)]).toEqual([...value]);
      }),
    );
  });
});

describe('memory is never shared with the caller', () => {
  it('when a buffer is written', () => {
    const given = Buffer.from('before');
    const value = buffer.encode(given);
    given.fill('x');
    expect(buffer.decode(value)).toEqual(Buffer.from('before'));
  });

  it('when a buffer is read, also from a small one, which Node would take from its pool', () => {
    const value = buffer.encode(Buffer.from('before'));
    (buffer.decode(value) as Buffer).fill('x');
    (buffer.decode('text') as Buffer).fill('x');
    expect(buffer.decode(value)).toEqual(Buffer.from('before'));
  });

  it('when JSON is read', () => {
    const value = json.encode({ list: [1] });
    (json.decode(value) as { list: number[] }).list.push(2);
    expect(json.decode(value)).toEqual({ list: [1] });
  });
});

describe('what an encoding cannot carry is refused with ZISTORE_INVALID_ARGUMENT', () => {
  it.each([undefined, null, 1, true, {}, ['a'], Buffer.from('a'), Symbol('a')])('utf8: %p', (value) => {
    expect(() => utf8.encode(value)).toThrow(invalid(/expected a string/));
  });

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])('utf8: a lone surrogate', (value) => {
    expect(() => utf8.encode(value)).toThrow(invalid(/lone surrogate/));
  });

  it.each([undefined, null, 'text', 1, [1], new ArrayBuffer(1), Uint16Array.of(1)])('buffer: %p', (value) => {
    expect(() => buffer.encode(value)).toThrow(invalid(/expected a Uint8Array/));
  });

  it('json: what JSON has no word for', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const throwing = {
      toJSON() {
        throw new Error('no');
      },
    };
    for (const value of [undefined, () => 1, Symbol('a'), { toJSON: () => undefined }]) {
      expect(() => json.encode(value)).toThrow(invalid(/JSON cannot express/));
    }
    for (const value of [1n, { a: 1n }, cycle, throwing]) {
      expect(() => json.encode(value)).toThrow(invalid(/cycle, a bigint/));
    }
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(() => json.encode(value)).toThrow(invalid(/JSON has no/));
    }
  });

  it('without repeating the value', () => {
    const secret = 'hunter2';
    const messages = [
      () => buffer.encode(secret),
      () => utf8.encode([secret]),
      () => utf8.encode(`${secret}\ud800`),
      () => codec('utf8', 3).encode(secret),
      () => json.decode(secret),
    ].map(messageOf);
    for (const message of messages) expect(message).not.toContain(secret);
  });
});

function messageOf(fail: () => unknown): string {
  try {
    fail();
  } catch (error) {
    const { message, cause } = error as Error;
    return `${message} ${cause}`;
  }
  throw new Error('it was accepted');
}

describe('a value that is too large is refused with ZISTORE_LIMIT_EXCEEDED', () => {
  const tooLarge = refused('ZISTORE_LIMIT_EXCEEDED', /maxValueBytes/);

  it('counting the UTF-8 bytes of text, exactly', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 60 }), (value, max) => {
        if (Buffer.byteLength(value) <= max) expect(codec('utf8', max).encode(value)).toBe(value);
        else expect(() => codec('utf8', max).encode(value)).toThrow(tooLarge);
      }),
    );
  });

  it('counting bytes, and the text that JSON becomes', () => {
    expect(() => buffer.encode(new Uint8Array(MAX))).not.toThrow();
    expect(() => buffer.encode(new Uint8Array(MAX + 1))).toThrow(tooLarge);
    expect(() => json.encode('x'.repeat(MAX - 2))).not.toThrow();
    expect(() => json.encode('x'.repeat(MAX - 1))).toThrow(tooLarge);
  });
});

describe('a value written under one encoding, read under another', () => {
  it('text and JSON as bytes: their UTF-8 form', () => {
    fc.assert(fc.property(text, (value) => expect(buffer.decode(utf8.encode(value))).toEqual(Buffer.from(value))));
    expect(buffer.decode(json.encode({ a: 'é' }))).toEqual(Buffer.from('{"a":"é"}'));
  });

  it('bytes as text: what they spell in UTF-8, byte order mark and all', () => {
    fc.assert(fc.property(text, (value) => expect(utf8.decode(buffer.encode(Buffer.from(value)))).toBe(value)));
    expect(utf8.decode(buffer.encode(Buffer.from('\ufeffa')))).toBe('\ufeffa');
  });

  it('text and bytes as JSON: parsed', () => {
    expect(json.decode(utf8.encode('{"a":[1]}'))).toEqual({ a: [1] });
    expect(json.decode(buffer.encode(Buffer.from('"é"')))).toBe('é');
  });

  it('JSON as text: its text', () => {
    expect(utf8.decode(json.encode({ a: 1 }))).toBe('{"a":1}');
  });

  it('with no reading there: refused, saying what to do, never mangled', () => {
    const raw = buffer.encode(Uint8Array.of(0xff, 0xfe));
    for (const read of [() => utf8.decode(raw), () => json.decode(raw)]) {
      expect(read).toThrow(invalid(/not UTF-8; read it with the encoding that wrote it/));
    }
    expect(() => json.decode(utf8.encode('no json'))).toThrow(invalid(/does not hold JSON/));
    expect(() => json.decode('')).toThrow(invalid(/does not hold JSON/));
  });
});
