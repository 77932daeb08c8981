/**
 * `npm start`: everything between a fresh clone and a prompt. Installs and builds where that was not done or is out of
 * date, then starts the shell with the embedded coordinator and three clients. Needs nothing but Node and npm.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const MAIN = at('dist', 'cli', 'main.js');

/** Time of a file's last change; 0 where there is none. */
function changed(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

/** The newest change of anything in a folder. */
function newest(folder) {
  const times = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs);
  return Math.max(0, ...times);
}

/** npm writes this file at the end of every installation. */
function mustInstall() {
  return changed(at('node_modules', '.package-lock.json')) < changed(at('package-lock.json'));
}

function mustBuild() {
  const built = changed(MAIN);
  return built < Math.max(newest(at('src')), changed(at('tsconfig.json')), changed(at('tsconfig.build.json')));
}

let child;
// The terminal sends Ctrl-C to the child as well, which decides; a signal sent to this process alone is passed on.
process.on('SIGINT', () => {});
for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => child?.kill(name));

/** Runs a command with this terminal; resolves to its exit code. */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.once('error', (error) => {
      console.error(`error: ${command} cannot be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Runs npm; what it prints goes to standard error, for standard output is the shell's. Resolves to whether it succeeded. */
async function npm(args, output = 2) {
  const windows = process.platform === 'win32';
  return (await run(windows ? 'npm.cmd' : 'npm', args, { stdio: ['ignore', output, output], shell: windows })) === 0;
}

function fail(what) {
  console.error(`error: ${what} failed`);
  process.exit(1);
}

async function install() {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  if (await npm(['ci', ...quiet], 'ignore')) return;
  // npm 11 refuses a lock file that does not name the packages of every other platform; installing does not mind.
  if (!(await npm(['install', ...quiet]))) fail('npm install');
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`error: ZiStore needs Node 20.19 or newer; this is ${process.versions.node}`);
  process.exit(1);
}
if (mustInstall()) {
  console.error('Installing what ZiStore needs …');
  await install();
}
if (mustBuild()) {
  console.error('Building …');
  if (!(await npm(['run', '--silent', 'build']))) fail('npm run build');
}
const shell = await run(process.execPath, [MAIN, 'shell', '--clients', '3', ...process.argv.slice(2)], {
  cwd: process.cwd(),
});
process.exit(shell);
