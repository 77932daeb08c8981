/**
 * `npm run sim`: bundles the simulation, which saves a third of the time that it would take file by file, and runs it.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'node_modules', '.cache', 'zistore-sim');
const bundle = join(folder, `main-${process.pid}.mjs`);

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Each run has a bundle of its own, for several may run at once; one that was interrupted leaves its own behind. */
function removeLeftovers() {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const pid = Number(/^main-(\d+)\.mjs$/.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) rmSync(join(folder, name), { force: true });
  }
}

removeLeftovers();

await build({
  entryPoints: [join(root, 'test', 'sim', 'main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
  // Packages in CommonJS ask for built-in modules in their own way.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
const { main } = await import(pathToFileURL(bundle).href);
try {
  process.exitCode = await main(process.argv.slice(2), bundle);
} finally {
  rmSync(bundle, { force: true });
}
