/** The wire format: exact for what nodes say to each other (Z07 Z36 Z37 Z39), closed to everything else. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import type { Message } from '../../../src/core/messages.ts';
import { type Key, toEpoch } from '../../../src/core/types.ts';
import { decode, encode, encodeMessage, MalformedFrameError } from '../../../src/rpc/codec.ts';
import { BY_NUMBER, BY_TYPE } from '../../../src/rpc/layouts.ts';
import { FrameReader, type Raw } from '../../../src/rpc/reader.ts';
import { anyKey, anyMessage, anyValue } from './arbitrary.ts';

const packr = new Packr({ useRecords: false });
const epoch = toEpoch(7n);
const frameOf = (...fields: unknown[]): Uint8Array => packr.pack(fields);

/** Either valid messages or the one typed error, never anything else. */
function decodesOrRefuses(frame: Uint8Array): Message[] | undefined {
  try {
    return decode(frame);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedFrameError);
    return undefined;
  }
}

describe('what was sent arrives', () => {
  it('for every kind of message, alone and many to a frame', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 8 }), (messages) => {
        expect(decode(encode(messages))).toEqual(messages);
      }),
    );
  });

  it('with one form for each key, whichever it is (Z07)', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(decode(encode([{ type: 'get', epoch, id: 1, key }]))).toEqual([{ type: 'get', epoch, id: 1, key }]);
      }),
      { examples: [['' as Key], ['\ud83d\ude00' as Key], ['\ud800\udc00x' as Key], ['\ud800\u00ff' as Key]] },
    );
  });

  it.each([10, 63, 64, 100, 70_000])('with a byte order mark in front of %i chars of text', (length) => {
    const value = `\ufeff${'é'.repeat(length)}`;
    const message: Message = {
      type: 'write',
      epoch,
      id: 1,
      settled: 0,
      key: value as Key,
      action: { kind: 'set', value },
    };
    expect(decode(encode([message]))).toEqual([message]);
  });

  it('text as text and bytes as bytes (Z07), not tied to the frame', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const message: Message = {
          type: 'write',
          epoch,
          id: 1,
          settled: 0,
          key: 'k' as Key,
          action: { kind: 'set', value },
        };
        const frame = encode([message]);
        const [decoded] = decode(frame);
        frame.fill(0);
        expect(decoded).toEqual(message);
      }),
    );
  });

  it('epochs at the ends of 64 bits exactly', () => {
    for (const at of [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect(decode(encode([{ type: 'fence', epoch: toEpoch(at) }]))).toEqual([{ type: 'fence', epoch: at }]);
    }
  });

  it('a detail that is too long is cut, not refused', () => {
    const detail = `${'x'.repeat(511)}\u{1f600}`;
    const [message] = decode(encode([{ type: 'refused', epoch, id: 1, reason: 'limit', detail }]));
    expect(message).toMatchObject({ detail: `${'x'.repeat(511)}\ufffd` });
  });
});

describe('what is written by hand is byte for byte what msgpackr writes', () => {
  function packed(message: Message): Buffer {
    const { number, fields } = BY_TYPE.get(message.type) ?? { number: 0, fields: [] };
    const record = message as unknown as Record<string, unknown>;
    return frameOf(number, ...fields.map(([name, field]) => field.write(record[name]))) as Buffer;
  }
  const expectEqual = (message: Message): void => {
    const bytes = packed(message);
    // Not by a matcher: it would take seconds to compare the large ones.
    if (!bytes.equals(encodeMessage(message))) throw new Error(`other bytes: ${bytes.toString('hex', 0, 100)}`);
    if (!bytes.equals(encode(decode(bytes)))) throw new Error(`read as something else: ${message.type}`);
  };

  it('for every kind of message', () => {
    fc.assert(fc.property(anyMessage, expectEqual), { numRuns: 1000 });
  });

  const lengths = [
    ...Array(18).keys(),
    31,
    32,
    48,
    49,
    64,
    65,
    85,
    86,
    127,
    128,
    192,
    193,
    255,
    256,
    300,
    65_535,
    65_536,
  ];
  it.each(lengths)('for texts and bytes around %i', (length) => {
    for (const char of ['x', 'é', '€', '\u{1f600}']) {
      for (const text of [char.repeat(length), `${'x'.repeat(length)}${char}`, `${char}${'x'.repeat(length)}`]) {
        const action = { kind: 'set', value: text } as const;
        expectEqual({ type: 'get', epoch, id: 1, key: text as Key });
        expectEqual({ type: 'write', epoch, id: 1, settled: 1, key: text as Key, action });
      }
    }
    const found = { value: new Uint8Array(length).fill(7), version: { epoch, counter: 1 } };
    expectEqual({ type: 'value', epoch, id: 1, found, holder: true });
    const key = `\ud800${'\xff'.repeat(length + 1)}` as Key;
    expectEqual({ type: 'invalidate', epoch, key, version: { epoch, counter: 1 } });
    expectEqual({ type: 'settled', epoch, ids: Array.from({ length }, (_none, index) => index) });
  });

  it('for numbers and epochs around every length, also when they change from one message to the next', () => {
    const borders = [0, 7, 8, 16, 31, 32, 48, 53].map((bits) => 2 ** bits);
    const counts = borders.flatMap((border) => [border - 1, border, border + 1]).filter(Number.isSafeInteger);
    const epochs = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n].map(toEpoch);
    for (const id of counts) {
      for (const own of epochs) {
        for (const other of epochs) {
          const version = { epoch: other, counter: id };
          expectEqual({ type: 'written', epoch: own, id, version, existed: false, holder: true });
        }
      }
    }
  });
});

describe('what is malformed is refused with one typed error', () => {
  it('cut off at any byte', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const frame = encodeMessage(message);
        for (let end = 0; end < frame.length; end++) {
          expect(() => decode(frame.subarray(0, end))).toThrow(MalformedFrameError);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('with bytes behind the last message', () => {
    expect(() => decode(Buffer.concat([encode([{ type: 'fence', epoch }]), Buffer.from([0xc0])]))).toThrow(
      MalformedFrameError,
    );
  });

  it('mutated at random: still valid by luck, or refused', () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(anyMessage, fc.array(change, { minLength: 1, maxLength: 4 }), (message, changes) => {
        const frame = Uint8Array.from(encodeMessage(message));
        for (const [at, byte] of changes) frame[at % frame.length] = byte;
        const decoded = decodesOrRefuses(frame);
        if (decoded !== undefined) expect(decode(encode(decoded))).toEqual(decoded);
      }),
      { numRuns: 1000 },
    );
  });

  /** What the reader of the whole format makes of one message, without the shortcuts. */
  function readAtLength(frame: Uint8Array): unknown {
    try {
      const reader = new FrameReader(frame);
      const [number, ...raws] = reader.read() as [number, ...Raw[]];
      const layout = BY_NUMBER.get(number);
      if (layout === undefined || !reader.done || raws.length !== layout.fields.length) return undefined;
      const fields = layout.fields.map(([name, field], index) => [name, field.read(raws[index])]);
      return { type: layout.type, ...Object.fromEntries(fields) };
    } catch {
      return undefined;
    }
  }

  it('changed in one place: read as by the reader of the whole format, or refused as by it', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.nat({ max: 255 }), (message, at, byte) => {
        const frame = Uint8Array.from(encodeMessage(message));
        frame[at % Math.min(frame.length, 40)] = byte;
        const expected = readAtLength(frame);
        const decoded = decodesOrRefuses(frame);
        if (expected === undefined) expect(decoded?.length).not.toBe(1);
        else expect(decoded).toEqual([expected]);
      }),
      { numRuns: 5000 },
    );
  });

  it('garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (frame) => void decodesOrRefuses(frame)),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a list that claims four billion elements', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['lists of millions inside each other', Array.from({ length: 60 }, () => [0xdd, 1, 0, 0, 0]).flat()],
    ['text that claims four gigabytes', [0x91, 0xdb, 0xff, 0xff, 0xff, 0xff]],
    ['bytes that claim four gigabytes', [0x91, 0xc6, 0xff, 0xff, 0xff, 0xff]],
    ['ten thousand lists inside each other', Array.from({ length: 10_000 }, () => 0x91)],
  ])('%s', (_what, bytes) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(MalformedFrameError);
  });

  const offer = (labels: unknown, copies: unknown) => frameOf(9, 7n, 0, true, labels, copies);
  it.each([
    ['no list', packr.pack(1)],
    ['an empty list', frameOf()],
    ['an unknown kind', frameOf(99, 7n)],
    ['a kind by name', frameOf('fence', 7n)],
    ['a field too few', frameOf(8)],
    ['a field too many', frameOf(8, 7n, 7n)],
    ['an epoch that is not a bigint', frameOf(8, 7)],
    ['a negative epoch', frameOf(8, -1n)],
    ['a negative id', Uint8Array.from([0x94, 1, ...packr.pack(7n), 0xff, 0xa1, 0x6b])],
    ['an id with a fraction', frameOf(1, 7n, 1.5, 'k')],
    ['an id beyond exact numbers', frameOf(1, 7n, 2 ** 53, 'k')],
    ['an id that is not a number', frameOf(1, 7n, Number.NaN, 'k')],
    ['a key that is a number', frameOf(1, 7n, 1, 5)],
    ['a key of text sent as bytes', frameOf(1, 7n, 1, Buffer.from('k'))],
    ['an empty key sent as bytes', frameOf(1, 7n, 1, Buffer.alloc(0))],
    [
      'text that is not UTF-8',
      Buffer.concat([Buffer.from([0x94, 1]), packr.pack(7n), Buffer.from([1, 0xa2, 0xc3, 0x28])]),
    ],
    [
      'text with half a surrogate pair',
      Buffer.concat([Buffer.from([0x94, 1]), packr.pack(7n), Buffer.from([1, 0xa3, 0xed, 0xa0, 0x80])]),
    ],
    ['a flag that is a number', frameOf(3, 7n, 1, null, 1)],
    ['an unknown action', frameOf(2, 7n, 1, 0, 'k', [2])],
    ['a set without a value', frameOf(2, 7n, 1, 0, 'k', [0])],
    ['a delete with a value', frameOf(2, 7n, 1, 0, 'k', [1, 'v'])],
    ['a value that is a number', frameOf(2, 7n, 1, 0, 'k', [0, 5])],
    ['an unknown reason', frameOf(5, 7n, 1, 9, null)],
    ['an endless detail', frameOf(5, 7n, 1, 3, 'x'.repeat(513))],
    ['a version of one number', frameOf(6, 7n, 'k', [7n])],
    ['a copy with a field too many', offer([7n], [['k', 'v', 7n, 1, 1]])],
    ['too many labels', offer(new Array(1025).fill(7n), [])],
    ['a map', packr.pack({ type: 'fence' })],
    ['an extension', frameOf(8, undefined)],
    ['a date', new Packr({ useRecords: false }).pack([8, new Date(0)])],
    ['an address that is too long', frameOf(15, 7n, 1, ['x'.repeat(271), 'leader', true, 1])],
  ])('%s', (_what, frame) => {
    expect(() => decode(frame)).toThrow(MalformedFrameError);
  });

  it('an empty frame is neither made nor taken', () => {
    expect(() => encode([])).toThrow(RangeError);
    expect(() => decode(new Uint8Array(0))).toThrow(MalformedFrameError);
  });
});
