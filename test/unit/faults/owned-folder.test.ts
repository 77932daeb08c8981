/** Temporary folders of runs that were killed do not stay. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keepFolder, keptName, ownedFolder, removeOrphans } from '../../support/owned-folder.ts';

let among: string;
beforeEach(() => {
  among = mkdtempSync(join(tmpdir(), 'zistore-owned-'));
});
afterEach(() => rmSync(among, { recursive: true, force: true }));

/** Of a process that has ended. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid;

describe('a folder that names its process', () => {
  it('goes when the next one of its name is made, if its process is gone', () => {
    const orphan = `name-${deadPid()}-abc`;
    const others = [`name-${process.pid}-abc`, 'name-kept-abc', `other-${deadPid()}-abc`];
    for (const name of [orphan, ...others]) mkdirSync(join(among, name));
    writeFileSync(join(among, orphan, 'file'), '');
    const made = ownedFolder('name', among);
    expect(existsSync(made)).toBe(true);
    expect(readdirSync(among)).not.toContain(orphan);
    expect(readdirSync(among)).toEqual(expect.arrayContaining(others));
  });

  it('can be kept', () => {
    const made = ownedFolder('name', among);
    keepFolder(made);
    expect(keptName(made)).toMatch(/name-kept-[^-]+$/);
    expect([made, keptName(made)].map((path) => existsSync(path))).toEqual([false, true]);
  });
});

it('files go as well', () => {
  const orphan = `mutant-${deadPid()}-1.mjs`;
  for (const name of [orphan, `mutant-${process.pid}-1.mjs`]) writeFileSync(join(among, name), '');
  removeOrphans(/^[a-z]+-(\d+)-/, among);
  expect(readdirSync(among)).toEqual([`mutant-${process.pid}-1.mjs`]);
});
