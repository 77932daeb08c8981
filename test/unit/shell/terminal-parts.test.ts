/** What a person sees and types: completion, history, tables, lines. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pc from 'picocolors';
import { complete } from '../../../src/shell/completion.ts';
import { historyFile, loadHistory, MAX_HISTORY_LINES, saveHistory } from '../../../src/shell/history.ts';
import { readLines } from '../../../src/shell/lines.ts';
import { colorsFor, prettyTable, renderResult } from '../../../src/shell/render.ts';
import type { ClientRow } from '../../../src/shell/results.ts';

describe('completion', () => {
  it.each([
    ['', ['get ', 'put ', 'list ', 'exit ']],
    ['z', ['zk-down ', 'zk-up ']],
    ['get ', ['1 ', '2 ', '12 ']],
    ['get 1', ['1 ', '12 ']],
    ['  kill ', ['1 ', '2 ', '12 ']],
    ['wait 1 l', ['leader ', 'lost ']],
    ['help zk-u', ['zk-up ']],
    ['exit -', ['--force ']],
  ])('of %j offers %j', (line, expected) => {
    expect(complete(line, [1, 2, 12])[0]).toEqual(expect.arrayContaining(expected));
  });

  it.each(['get 1 k', 'put 1 k v', 'list ', 'nonsense ', 'new-client '])('of %j offers nothing', (line) => {
    expect(complete(line, [1, 2])[0]).toEqual([]);
  });
});

describe('the history file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zistore-history-'));
    file = join(folder, 'history');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('brings the lines back, newest first', () => {
    saveHistory(file, ['newest', 'older']);
    expect(readFileSync(file, 'utf8')).toBe('older\nnewest\n');
    expect(loadHistory(file)).toEqual(['newest', 'older']);
  });

  it('is for its owner alone, for values are typed into it', () => {
    saveHistory(file, ['put 1 k v']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is bounded in lines and in the length of a line, also when it was not written by us', () => {
    const many = Array.from({ length: MAX_HISTORY_LINES + 50 }, (_, i) => `line ${i}`);
    saveHistory(file, ['x'.repeat(5000), ...many]);
    expect(loadHistory(file)).toEqual(many.slice(0, MAX_HISTORY_LINES));
    writeFileSync(file, 'y\n'.repeat(10_000));
    expect(loadHistory(file)).toHaveLength(MAX_HISTORY_LINES);
  });

  it('may be missing, unreadable or unwritable', () => {
    expect(loadHistory(join(folder, 'none'))).toEqual([]);
    expect(loadHistory(folder)).toEqual([]);
    expect(() => saveHistory(join(folder, 'no', 'such'), ['x'])).not.toThrow();
  });

  it('is named by the environment, where empty means none', () => {
    expect(historyFile({ ZISTORE_HISTORY: '/x' })).toBe('/x');
    expect(historyFile({ ZISTORE_HISTORY: '' })).toBeUndefined();
    expect(historyFile({})).toMatch(/\.zistore_history$/);
    expect(loadHistory(undefined)).toEqual([]);
  });
});

describe('lines of a stream', () => {
  const read = async (chunks: (string | Buffer)[], max = 100): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), max)) lines.push(line);
    return lines;
  };

  it('come whole however the bytes are cut, with or without a last line end', async () => {
    const bytes = Buffer.from('één\r\ntwo\n\n😀 last');
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(['één', 'two', '', '😀 last']);
    }
    expect(await read(['a\n'])).toEqual(['a']);
    expect(await read([])).toEqual([]);
  });

  it('are refused when too long, before their end has come', async () => {
    await expect(read(['x'.repeat(101)])).rejects.toMatchObject({ code: 'ZISTORE_LIMIT_EXCEEDED' });
  });
});

describe('the table of clients', () => {
  const row: ClientRow = {
    id: 1,
    address: '127.0.0.1:40001',
    role: 'follower',
    epoch: '797356123456789012',
    zookeeper: 'up',
    rmi: 'down',
    live: true,
    entries: 3,
    pid: 12_345,
    paused: true,
    stale: true,
  };
  const bare = pc.createColors(false);

  it.each([200, 100, 80, 60])('fits a terminal of %d columns or does without a frame', (width) => {
    const table = prettyTable([row, { ...row, id: 2 }], bare, width);
    const widest = Math.max(...table.split('\n').map((line) => line.length));
    expect(widest <= width || !table.includes('│')).toBe(true);
    for (const text of ['127.0.0.1:40001', 'follower', 'up', 'down', 'yes', '3']) expect(table).toContain(text);
  });

  it('in a pipe is plain, aligned and whole', () => {
    const text = renderResult({ command: 'list', ok: true, clients: [row] }, bare, null);
    expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['id', 'address', 'role', 'epoch', 'zookeeper', 'rmi', 'live', 'entries', 'pid'],
      ['1', '127.0.0.1:40001', 'follower (paused)', '797356123456789012', 'up', 'down', 'yes', '3', '12345'],
    ]);
  });

  it('has colours only on a terminal', () => {
    expect(colorsFor({}).red('x')).toBe('x');
    expect(colorsFor({ isTTY: false }).red('x')).toBe('x');
  });

  it.each([
    [{ command: 'get', ok: true, value: null }, '(none)'],
    [{ command: 'get', ok: true, value: '' }, ''],
    [{ command: 'put', ok: true, client: 1 }, 'ok'],
    [{ command: 'delete', ok: true, existed: true }, 'ok'],
    [{ command: 'delete', ok: true, existed: false }, '(none)'],
    [{ command: 'x', ok: false, error: { code: 'ZISTORE_CLOSED', message: 'why' } }, 'error: why (ZISTORE_CLOSED)'],
  ] as const)('answers of %j: %s', (result, text) => {
    expect(renderResult(result, bare, null)).toBe(text);
  });

  it.each([
    ['\u001b[2J', '\\x1b[2J'],
    ['one\ntwo\r\tthree', 'one\\ntwo\\r\\tthree'],
    ['\u0000 \u007f \u009b', '\\x00 \\x7f \\x9b'],
    ['a\u202eb\u2028', 'a\\u202eb\\u2028'],
    ['é 😀 👩\u200d🚀 c:\\dir', 'é 😀 👩\u200d🚀 c:\\dir'],
  ])('the value %j is shown to a terminal, not obeyed; a pipe gets it as it is', (value, shown) => {
    const result = { command: 'get', ok: true, value };
    expect(renderResult(result, bare, 80)).toBe(shown);
    expect(renderResult(result, bare, null)).toBe(value);
    const failed = { command: 'get', ok: false, error: { code: 'ZISTORE_INVALID_ARGUMENT', message: value } } as const;
    expect(renderResult(failed, bare, 80)).toBe(`error: ${shown} (ZISTORE_INVALID_ARGUMENT)`);
  });
});
