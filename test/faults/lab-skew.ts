/** Clocks that run at another rate: libfaketime in front of a command (Debian: apt-get install faketime). */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/lib/faketime'];

let found: string | null | undefined;

/** The library; null where it is not installed. */
export function faketimeLibrary(): string | null {
  found ??= candidates().find((file) => existsSync(file)) ?? null;
  return found;
}

function candidates(): string[] {
  const folders = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) => [
    folder,
    ...readdirSync(folder).map((name) => join(folder, name)),
  ]);
  return folders.flatMap((folder) => [
    join(folder, 'faketime', 'libfaketimeMT.so.1'),
    join(folder, 'libfaketimeMT.so.1'),
  ]);
}

/** The words before a command whose clocks, the monotonic one and with it all timers, shall run at `rate`. */
export function skewed(rate: number): string[] {
  const library = faketimeLibrary();
  if (library === null) throw new Error('libfaketime is not installed (Debian: apt-get install faketime)');
  return ['env', `LD_PRELOAD=${library}`, `FAKETIME=+0 x${rate}`, 'FAKETIME_DONT_FAKE_MONOTONIC=0'];
}
