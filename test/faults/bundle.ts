/** The worker as one file that needs nothing but Node, so that it can be run anywhere, also in a container. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = rootAbove(fileURLToPath(import.meta.url));
const FOLDER = join(ROOT, 'node_modules', '.cache', 'zistore-faults');

let bundled: Promise<string> | undefined;

/** Resolves to its path. Made once in a process; each process makes its own. */
export function bundleWorker(): Promise<string> {
  bundled ??= makeBundle();
  return bundled;
}

async function makeBundle(): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  removeLeftovers();
  const path = join(FOLDER, `worker-${process.pid}-${Date.now()}.mjs`);
  const unfinished = `${path}.part`;
  await build({
    entryPoints: [join(ROOT, 'test', 'faults', 'worker.ts')],
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    // Packages in CommonJS ask for built-in modules in their own way.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
  renameSync(unfinished, path);
  process.once('exit', () => rmSync(path, { force: true }));
  return path;
}

/** Of runs that were killed. */
function removeLeftovers(): void {
  for (const name of readdirSync(FOLDER)) {
    const pid = Number(/^worker-(\d+)-/.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) rmSync(join(FOLDER, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The project's folder, from here or from a bundle that this file has become part of. */
function rootAbove(path: string): string {
  const folder = dirname(path);
  if (folder === path) throw new Error('test/faults/worker.ts is nowhere above this file');
  return existsSync(join(folder, 'test', 'faults', 'worker.ts')) ? folder : rootAbove(folder);
}
