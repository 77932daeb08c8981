/** The worker as one file that needs nothing but Node, so that it can be run anywhere, also in a container. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { removeOrphans } from '../support/owned-folder.ts';

const ROOT = rootAbove(fileURLToPath(import.meta.url));
const FOLDER = join(ROOT, 'node_modules', '.cache', 'zistore-faults');

let bundled: Promise<string> | undefined;

/** Resolves to its path. Made once in a process; each process makes its own. */
export function bundleWorker(): Promise<string> {
  bundled ??= makeBundle();
  return bundled;
}

/** A file for a bundle of this process. Those of processes that were killed are removed. */
export function bundlePath(name: string): string {
  mkdirSync(FOLDER, { recursive: true });
  removeOrphans(/^[a-z]+-(\d+)-/, FOLDER);
  return join(FOLDER, `${name}-${process.pid}-${Date.now()}.mjs`);
}

async function makeBundle(): Promise<string> {
  const path = bundlePath('worker');
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
    plugins: [withZooKeeperLibrary],
    // Packages in CommonJS ask for built-in modules in their own way.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
  renameSync(unfinished, path);
  process.once('exit', () => rmSync(path, { force: true }));
  return path;
}

const OWN_REQUIRE = 'const require = createRequire(import.meta.url);';

/** The adapter asks for its library, which is CommonJS, at run time; without this the bundle would need it installed. */
const withZooKeeperLibrary: Plugin = {
  name: 'zookeeper-library',
  setup(builder) {
    builder.onLoad({ filter: /src\/zookeeper\/library\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8');
      if (!contents.includes(OWN_REQUIRE)) throw new Error(`${path} has changed: how does it ask for its library now?`);
      return { contents: contents.replace(OWN_REQUIRE, ''), loader: 'ts' };
    });
  },
};

/** The project's folder, from here or from a bundle that this file has become part of. */
function rootAbove(path: string): string {
  const folder = dirname(path);
  if (folder === path) throw new Error('test/faults/worker.ts is nowhere above this file');
  return existsSync(join(folder, 'test', 'faults', 'worker.ts')) ? folder : rootAbove(folder);
}
