/**
 * `npm run sim`: bundles the simulation, which saves a third of the time that it would take file by file, and runs it.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(root, 'node_modules', '.cache', 'zistore-sim', `main-${process.pid}.mjs`);

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
