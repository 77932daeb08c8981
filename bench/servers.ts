/** The peers' servers: each in a process of its own, on a free port of loopback, its files in a temporary folder. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { GuardedProcess } from '../test/support/guarded-process.ts';
import { until } from '../test/support/wait.ts';

import { findInstallation, freePorts } from '../test/support/zookeeper-process.ts';
import { startZooKeeper, ZOOKEEPER_PACKAGE } from './zookeeper-peer.ts';

export type ServerName = 'redis' | 'etcd' | 'zookeeper';

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** In memory where the machine has such a folder: peers that write through to a disk are not held back by it. */
const FOLDERS = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const folderFor = (name: string): Promise<string> => mkdtemp(join(FOLDERS, `zistore-bench-${name}-`));

function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/** What to install where it is missing. */
export const PACKAGES: Readonly<Record<ServerName, string>> = {
  redis: 'redis-server is not installed (Debian: redis-server)',
  etcd: 'etcd is not installed (Debian: etcd-server)',
  zookeeper: ZOOKEEPER_PACKAGE,
};

export function isInstalled(name: ServerName): boolean {
  if (name === 'zookeeper') return findInstallation() !== null;
  return findProgram(name === 'redis' ? 'redis-server' : 'etcd') !== undefined;
}

/** Undefined where it is not installed. */
export function versionOf(name: ServerName): string | undefined {
  if (name === 'zookeeper' || !isInstalled(name)) return undefined;
  const [program, pattern] = name === 'redis' ? ['redis-server', /v=(\S+)/] : ['etcd', /Version: (\S+)/];
  const said = execFileSync(findProgram(program as string)!, ['--version'], { encoding: 'utf8' });
  return (pattern as RegExp).exec(said)?.[1];
}

export async function startServer(name: ServerName): Promise<Server> {
  if (name === 'zookeeper') return startZooKeeper(await folderFor(name));
  const folder = await folderFor(name);
  const [port, peerPort] = await freePorts(2);
  const [program, args] = name === 'redis' ? redis(port!, folder) : etcd(port!, peerPort!, folder);
  const server = await GuardedProcess.start(findProgram(program)!, args, { cwd: folder });
  const stop = async (): Promise<void> => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(`${name} answers`, () => answers(port!), { timeoutMs: 20_000, intervalMs: 50 });
    return { port: port!, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Nothing on disk: in memory, as ZiStore is. */
function redis(port: number, folder: string): [string, string[]] {
  return [
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
  ];
}

function etcd(port: number, peerPort: number, folder: string): [string, string[]] {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  const words = [
    ...['--name', 'bench', '--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `bench=${peer}`],
  ];
  return ['etcd', words];
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
