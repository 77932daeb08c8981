/**
 * `npm run bench`: builds ZiStore as it is published, bundles the benchmark's own files (packages and ZiStore's dist
 * stay outside of the bundle: they are measured as users have them), and runs it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = join(root, 'node_modules', '.cache', 'zistore-bench');
const folder = join(folders, String(process.pid));

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** A run that was interrupted leaves its bundle behind. */
function removeLeftovers() {
  mkdirSync(folders, { recursive: true });
  for (const name of readdirSync(folders)) {
    if (!isRunning(Number(name))) rmSync(join(folders, name), { recursive: true, force: true });
  }
}

execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
removeLeftovers();
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: { main: join(root, 'bench', 'main.ts'), agent: join(root, 'bench', 'agent', 'agent-main.ts') },
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
const { main } = await import(pathToFileURL(join(folder, 'main.mjs')).href);
try {
  process.exitCode = await main(process.argv.slice(2), { root, agent: join(folder, 'agent.mjs') });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
