/** The real shell with scripted clients, as a program of its own, so that its signals and its end can be tested. */
import { runShell } from '../../src/shell/run.ts';
import { fakeLaunch } from './fake-launch.ts';

const [clients = '1', cluster = 'test', mode = '--json'] = process.argv.slice(2);
const exitCode = await runShell({
  cluster,
  clients: Number(clients),
  sessionTimeoutMs: 2000,
  tickTimeMs: 200,
  json: mode === '--json',
  version: '0.0.0',
  launch: fakeLaunch(),
}).catch((error: Error & { code: string }) => {
  process.stderr.write(`error: ${error.message} (${error.code})\n`);
  return 1;
});
process.exit(exitCode);
