/** Temporary folders that name the process they belong to, so that those of processes that were killed can be removed. */
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Makes `NAME-PID-…` in the folder for temporary files. Those of the same name whose process is gone are removed. */
export function ownedFolder(name: string, among = tmpdir()): string {
  removeOrphans(new RegExp(`^${name}-(\\d+)-`), among);
  return mkdtempSync(join(among, `${name}-${process.pid}-`));
}

/** The name under which such a folder outlives its process, `NAME-kept-…`: see `keepFolder`. */
export const keptName = (path: string): string => path.replace(/-\d+-([^-]*)$/, '-kept-$1');

/** Renames it, when nobody uses it any more. */
export const keepFolder = (path: string): void => renameSync(path, keptName(path));

/** Files and folders whose owner, the first group of the pattern, is gone. */
export function removeOrphans(pattern: RegExp, among: string): void {
  for (const name of readdirSync(among)) {
    const pid = Number(pattern.exec(name)?.[1]);
    // Somebody else may be removing it as well, or not want it removed.
    if (pid > 0 && !isRunning(pid)) {
      try {
        rmSync(join(among, name), { recursive: true, force: true });
      } catch {}
    }
  }
}
