/** The shell on a terminal, which util-linux `script` lends: banner, colours, completion, the question at exit. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeWith } from '../support/requirements.ts';
import { until } from '../support/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LENDER = 'script';
const hasScript = process.platform === 'linux' && spawnSync(LENDER, ['--version']).status === 0;

let folder: string;
let terminal: ChildProcessByStdio<Writable, Readable, null>;
let screen = '';
let exited: Promise<unknown>;

function start(env: NodeJS.ProcessEnv = {}): void {
  const command = 'stty rows 40 cols 100; node --import tsx test/shell/fake-shell.ts 3 test plain';
  screen = '';
  terminal = spawn(LENDER, ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, TERM: 'xterm', NODE_OPTIONS: '', ZISTORE_HISTORY: join(folder, 'history'), ...env },
  });
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  exited = once(terminal, 'exit');
}

/** Types, and resolves to what appears from then on once it contains `expected`. */
async function type(keys: string, expected: string | RegExp): Promise<string> {
  const from = screen.length;
  terminal.stdin.write(keys);
  return await shown(expected, from);
}

async function shown(expected: string | RegExp, from = 0): Promise<string> {
  return await until(`${expected} is shown`, () => {
    const raw = screen.slice(from);
    const text = stripVTControlCharacters(raw);
    return (typeof expected === 'string' ? text.includes(expected) : expected.test(text)) ? raw : undefined;
  });
}

const PROMPT = /zistore> /;
const ESCAPE = '\u001b[';

describeWith('terminal', hasScript ? null : 'no util-linux `script` here', 'on a terminal the shell', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zistore-terminal-'));
  });
  afterEach(async () => {
    terminal.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  });

  it('says what to try, colours what it shows, completes, and asks before it drops data', async () => {
    start();
    const banner = await shown(PROMPT);
    expect(banner).toContain('embedded coordinator');
    expect(banner).toContain('put 1 greeting hello');
    expect(banner).toContain(`${ESCAPE}32mleader`);
    await type('pu\t', 'put ');
    expect(await type('1 k hello\r', /\nok/)).toContain(`${ESCAPE}32mok`);
    await type('get 1 k\r', /hello\r?\n/);
    const error = `error: there is no command 'nonsense'; try help (ZISTORE_INVALID_ARGUMENT)`;
    expect(await type('nonsense\r', error)).toContain(`${ESCAPE}31merror`);
    await type('exit\r', /drop it\? \(yes\/no\)/);
    await type('no\r', /not left[\s\S]*zistore/);
    await type('list\r', /│[\s\S]*zistore/);
    await type('\u0004', /drop it\? \(yes\/no\)/);
    terminal.stdin.write('yes\r');
    await exited;
    expect(terminal.exitCode).toBe(0);
    expect(readFileSync(join(folder, 'history'), 'utf8')).toBe('put 1 k hello\nget 1 k\nnonsense\nexit\nlist\n');
  });

  it('gives up the command in the foreground at Ctrl-C, and stays', async () => {
    start();
    await shown(PROMPT);
    await type('get 1 hang\r', 'hang');
    // What is typed now is for later: the command is still there.
    await type('\u0003', 'error: interrupted (ZISTORE_ABORTED)');
    await type('half a line\u0003', /\^C[\s\S]*zistore/);
    await type('exit --force\r', 'exit');
    await exited;
    expect(terminal.exitCode).toBe(0);
  });

  it('has no colours where NO_COLOR asks for none, and leaves without a question when nothing is lost', async () => {
    start({ NO_COLOR: '1' });
    const banner = await shown(PROMPT);
    for (const color of [31, 32, 33, 36]) expect(banner).not.toContain(`${ESCAPE}${color}m`);
    terminal.stdin.write('exit\r');
    await exited;
    expect(terminal.exitCode).toBe(0);
  });
});
