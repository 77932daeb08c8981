/** `npm start`: installs and builds only where that was not done or is out of date, then becomes the shell. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));
/** A stand-in that writes down how it was called, and fails where it is told to. */
const NPM = '#!/bin/sh\necho "npm $1" >> calls\ncase " $NPM_FAILS " in *" $1 "*) exit 1;; esac\n';
const MAIN = `import { appendFileSync } from 'node:fs';
appendFileSync('calls', 'zistore ' + process.argv.slice(2).join(' ') + '\\n');
process.exit(7);
`;

let folder: string;

function write(name: string, text: string, secondsAgo: number): void {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  age(name, secondsAgo);
}

function age(name: string, secondsAgo: number): void {
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(join(folder, name), time, time);
}

/** Runs the script; resolves to its exit code and what it called, in order. */
function start(npmFails = ''): { code: number | null; calls: string[] } {
  const { status } = spawnSync(process.execPath, [join(folder, 'scripts/start.mjs')], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', NPM_FAILS: npmFails, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
  });
  return { code: status, calls: readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') };
}

const SHELL = 'zistore shell --clients 3';

(process.platform === 'win32' ? describe.skip : describe)('npm start', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zistore-start-'));
    cpSync(SCRIPT, join(folder, 'scripts/start.mjs'));
    write('bin/npm', NPM, 0);
    chmodSync(join(folder, 'bin/npm'), 0o755);
    write('package-lock.json', '{}', 500);
    write('node_modules/.package-lock.json', '{}', 400);
    for (const name of ['tsconfig.json', 'tsconfig.build.json']) write(name, '{}', 300);
    write('src/cli/main.ts', '', 300);
    for (const name of ['src/cli', 'src']) age(name, 300);
    write('dist/cli/main.js', MAIN, 200);
    write('package.json', '{"type":"module"}', 300);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('starts at once when everything is there, and ends with the exit code of the shell', () => {
    expect(start()).toEqual({ code: 7, calls: [SHELL] });
  });

  it('installs when nothing is installed, or the lock file is newer', () => {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    expect(start().calls).toEqual(['npm ci', SHELL]);
    rmSync(join(folder, 'calls'));
    write('node_modules/.package-lock.json', '{}', 400);
    age('package-lock.json', 10);
    expect(start().calls).toEqual(['npm ci', SHELL]);
  });

  it('installs in the other way when npm refuses the lock file', () => {
    age('package-lock.json', 10);
    expect(start('ci').calls).toEqual(['npm ci', 'npm install', SHELL]);
  });

  it('builds when a source file is newer', () => {
    age('src/cli/main.ts', 10);
    expect(start().calls).toEqual(['npm run', SHELL]);
  });

  it('stops when it cannot install or build', () => {
    age('src/cli/main.ts', 10);
    expect(start('run')).toEqual({ code: 1, calls: ['npm run'] });
    age('package-lock.json', 10);
    rmSync(join(folder, 'calls'));
    expect(start('ci install')).toEqual({ code: 1, calls: ['npm ci', 'npm install'] });
  });
});
