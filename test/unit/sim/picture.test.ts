/** A counter-example has to be readable: as a table and as a picture, and from the command line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { check } from '../../sim/check.ts';
import { checkHistory } from '../../sim/checker.ts';
import type { Recorded } from '../../sim/checker-history.ts';
import { svgOf } from '../../sim/picture.ts';
import { tableOf } from '../../sim/picture-words.ts';

const MS = 1e6;
const stale: readonly Recorded[] = [
  { c: 1, op: 'put', k: 'k', v: 'red', ok: true, s: 5 * MS, t: 7 * MS },
  { c: 2, op: 'put', k: 'k', v: '<b>', ok: true, s: 8 * MS, t: 9.25 * MS },
  { c: 3, op: 'get', k: 'k', r: 'red', ok: true, s: 11 * MS, t: 12 * MS },
];
const example = checkHistory(stale).counterExamples[0]!;

describe('the table', () => {
  it('shows who did what from when to when, and marks what cannot be', () => {
    expect(tableOf(example).split('\n')).toEqual([
      'key "k": Client 3 read "red", although the write of "<b>" by client 2 had been acknowledged before that read began.',
      '',
      'client  operation    from (ms)  to (ms)',
      '1       put "red"            0        2',
      '2       put "<b>"            3     4.25',
      '3       get → "red"          6        7  ← cannot be',
      '',
    ]);
  });

  it('says where an outcome is unknown, and where a key was lost', () => {
    const history: Recorded[] = [
      { c: 1, op: 'put', k: 'k', v: 'a', ok: false, s: 0, t: -1 },
      { c: 1, op: 'put', k: 'k', v: 'c', ok: true, s: 3 * MS, t: 4 * MS },
      { c: 2, op: 'get', k: 'k', r: 'a', ok: true, s: 5 * MS, t: 6 * MS },
      { op: 'loss', k: 'k', s: 7 * MS, t: 8 * MS },
      { c: 2, op: 'get', k: 'k', r: null, ok: true, s: 9 * MS, t: 10 * MS },
      { c: 2, op: 'get', k: 'k', r: 'c', ok: true, s: 11 * MS, t: 12 * MS },
    ];
    const table = tableOf(checkHistory(history).counterExamples[0]!);
    expect(table).toMatch(/lost/);
    expect(tableOf({ key: 'k', operations: history, offender: history[5]!, why: 'so' })).toMatch(/put "a" +0 +unknown/);
  });
});

describe('the picture', () => {
  const svg = svgOf(example);

  it('is well-formed, with every operation in it and values escaped', () => {
    const tags = [...svg.replace(/<style>.*?<\/style>/s, '').matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)];
    const open: string[] = [];
    for (const [, closing, name, empty] of tags) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name!);
    }
    expect(open).toEqual([]);
    for (const words of ['put &quot;red&quot;', 'put &quot;&lt;b&gt;&quot;', 'get → &quot;red&quot;', 'client 3']) {
      expect(svg).toContain(words);
    }
  });

  it('has a lane for each client, in the order of time, and the offender marked', () => {
    expect(svg.match(/class="lane"/g)).toHaveLength(3);
    const places = [...svg.matchAll(/<rect class="(?:write|read|bad)" x="([\d.]+)"[^>]*height="26"/g)].map(([, x]) =>
      Number(x),
    );
    expect(places).toHaveLength(3);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(svg.match(/<rect class="bad"[^>]*height="26"/g)).toHaveLength(1);
  });

  it('draws operations of one client that overlap below each other', () => {
    const operations: Recorded[] = [
      { c: 1, op: 'put', k: 'k', v: 'a', ok: true, s: 0, t: 10 },
      { c: 1, op: 'put', k: 'k', v: 'b', ok: false, s: 1, t: -1 },
    ];
    const drawn = svgOf({ key: 'k', operations, offender: operations[0]!, why: 'so' });
    const heights = [...drawn.matchAll(/<rect class="(?:bad|unknown)"[^>]*y="([\d.]+)"[^>]*height="26"/g)].map(
      ([, y]) => y,
    );
    expect(new Set(heights).size).toBe(2);
  });
});

describe('npx tsx test/sim/check.ts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zistore-check-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (lines: string, ...args: string[]): { code: number; out: string; error: string } => {
    const file = join(folder, 'history');
    writeFileSync(file, lines);
    const said = { out: '', error: '' };
    const sink = (name: 'out' | 'error') => ({
      write: (text: string): void => {
        said[name] += text;
      },
    });
    return { code: check([file, ...args], sink('out'), sink('error')), ...said };
  };
  const text = stale.map((entry) => JSON.stringify(entry)).join('\n');

  it('prints a verdict as one JSON line, and the counter-example for people', () => {
    const svg = join(folder, 'out.svg');
    const { code, out, error } = run(text, '--svg', svg);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ verdict: 'violation', operations: 3, keys: 1 });
    expect(error).toBe(`${tableOf(example)}\n`);
    expect(readFileSync(svg, 'utf8')).toBe(svgOf(example));
  });

  it('exits 0 only for a history that is linearizable', () => {
    expect(run(text.split('\n').slice(0, 2).join('\n')).code).toBe(0);
    expect(run(text, '--budget', '1').code).toBe(1);
  });

  it.each([
    ['{"c":1', /line 1 is not JSON/],
    ['\n{"c":1,"op":"incr","k":"k","ok":true,"s":1,"t":2}', /line 2: unknown op "incr"/],
    ['{"c":1,"op":"put","k":"k","ok":true,"s":1,"t":2}', /line 1: v, the value written/],
    ['{"c":1,"op":"get","k":"k","ok":true,"s":1,"t":2}', /line 1: r, the value read/],
    ['{"c":1,"op":"put","k":"k","v":"a","ok":false,"s":1,"t":2}', /left out if it did not happen/],
    ['{"c":1,"op":"get","k":"k","r":"a","ok":true,"s":3,"t":2}', /t is before s/],
    ['{"c":1,"op":"get","k":7,"r":"a","ok":true,"s":3,"t":4}', /k, the key/],
    ['{"c":1,"op":"get","k":"k","r":"a","ok":true,"s":"3","t":4}', /s and t must be numbers/],
  ])('does not guess what a bad line means: %s', (lines, message) => {
    const { code, out, error } = run(lines);
    expect([code, out]).toEqual([2, '']);
    expect(error).toMatch(message);
  });

  it('says how it is used', () => {
    const said: string[] = [];
    const sink = { write: (words: string): unknown => said.push(words) };
    expect(check([], sink, sink)).toBe(2);
    expect(check([join(folder, 'history'), '--budget', 'x'], sink, sink)).toBe(2);
    expect(said.join()).toMatch(/usage:.*--budget: expected/s);
  });
});
