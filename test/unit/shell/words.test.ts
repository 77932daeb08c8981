/** The contract of `put`: the rest of the line is the value, quotes as in a POSIX shell. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ZiStoreError } from '../../../src/errors.ts';
import { splitLine } from '../../../src/shell/words.ts';

const value = (rest: string): string | null => splitLine(`put 1 k ${rest}`, 3).rest;
const words = (line: string): readonly string[] => splitLine(line, Number.POSITIVE_INFINITY).words;

describe('the value of put', () => {
  it.each([
    ['plain', 'plain'],
    ['two words', 'two words'],
    ['blanks   are  kept', 'blanks   are  kept'],
    ['a & b', 'a & b'],
    ['a&b', 'a&b'],
    ['a&', 'a&'],
    ['$HOME $(ls) `ls`', '$HOME $(ls) `ls`'],
    ['* ? [a-z] ~', '* ? [a-z] ~'],
    ['#x', '#x'],
    ['a # b', 'a # b'],
    ['a; b | c > d < e && f || (g)', 'a; b | c > d < e && f || (g)'],
    ['{"json":1}', '{json:1}'],
    [`'{"json":1}'`, '{"json":1}'],
    [`"it's"`, "it's"],
    [`'it'\\''s'`, "it's"],
    ['\\"', '"'],
    ['\\\\', '\\'],
    ['\\&', '&'],
    ['a\\ \\ b', 'a  b'],
    ['"a\\nb"', 'a\\nb'],
    ['"\\$ \\` \\" \\\\"', '$ ` " \\'],
    [`'\\$'`, '\\$'],
    [`'  edge  '`, '  edge  '],
    ['""', ''],
    ["''", ''],
    [`a""b''c`, 'abc'],
    ["'a'  'b'", 'a  b'],
    ['naïve ☃ 😀', 'naïve ☃ 😀'],
  ])('%s is %j', (typed, expected) => {
    expect(value(typed)).toBe(expected);
  });

  it('is missing where nothing follows the key', () => {
    expect(value('')).toBeNull();
    expect(value('   ')).toBeNull();
  });

  it('is whatever text was quoted, for every text', () => {
    const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
    const line = fc.string({ unit: 'binary' }).filter((text) => !/[\n\r]/.test(text));
    fc.assert(fc.property(line, (text) => value(quote(text)) === text));
    const escaped = (text: string): string => text.replace(/./gsu, (char) => `\\${char}`);
    fc.assert(fc.property(line, (text) => (value(escaped(text)) ?? '') === text));
  });
});

describe('words', () => {
  it('are what /bin/sh makes of the same line, where no operator, variable or pattern is unquoted', () => {
    const piece = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', ' ', '\t') }),
      fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '$', '`', '*', '&', '#') }).map((text) => `'${text}'`),
      fc
        .string({ unit: fc.constantFrom('a', ' ', "'", '*', '&', '#', '\\\\', '\\"', '\\$', '\\`', '\\a') })
        .map((text) => `"${text}"`),
      fc.constantFrom('\\a', '\\ ', '\\&', '\\"', "\\'", '\\\\', '\\$', '\\*', '\\#'),
    );
    const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const lines = fc.sample(line, 200);
    const script = lines.map((each) => `show ${each}`).join('\n');
    const show = 'show() { for w in "$@"; do printf "%s\\1" "$w"; done; printf "\\2"; }\n';
    const bySh = execFileSync('/bin/sh', ['-c', show + script], { encoding: 'utf8' })
      .split('\u0002')
      .slice(0, -1);
    expect(lines.map((each) => [...words(each)])).toEqual(bySh.map((each) => each.split('\u0001').slice(0, -1)));
  });

  it.each(["get 1 'a", 'get 1 "a', 'get 1 "a\\"', 'get 1 a\\'])('refuses %j, which is not finished', (line) => {
    expect(() => words(line)).toThrow(ZiStoreError);
  });
});

describe('the background mark', () => {
  it.each([
    ['put 1 k v &', 'v', true],
    ['put 1 k v &  ', 'v', true],
    ['put 1 k v  \t&', 'v', true],
    ['put 1 k a & b', 'a & b', false],
    ['put 1 k a & b &', 'a & b', true],
    ['put 1 k & &', '&', true],
    ['put 1 k v&', 'v&', false],
    ['put 1 k v \\&', 'v &', false],
    ["put 1 k 'v &'", 'v &', false],
    ["put 1 k v '&'", 'v &', false],
    ["put 1 k 'v'&", 'v&', false],
    ["put 1 k 'v' &", 'v', true],
    ["put 1 k '' &", '', true],
  ])('%s', (line, rest, background) => {
    expect(splitLine(line, 3)).toEqual({ words: ['put', '1', 'k'], rest, background });
  });

  it('leaves no value where it is all that follows the key', () => {
    expect(splitLine('put 1 k &', 3)).toMatchObject({ rest: null, background: true });
  });
});
