/** What a run was made on. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { Machine } from './model.ts';
import { versionOf } from './servers.ts';

const PACKAGES = ['redis', 'ioredis', 'etcd3', 'node-zookeeper-client', 'classic-level', 'lru-cache', 'ws'];

/** `zooKeeper`: what its server said of itself in answer to `srvr`. */
export function describeMachine(root: string, zooKeeper: string): Machine {
  const versions: Record<string, string> = { zistore: versionIn(root) };
  for (const name of PACKAGES) versions[name] = versionIn(join(root, 'node_modules', name));
  for (const name of ['redis', 'etcd'] as const) versions[`${name} server`] = versionOf(name) ?? 'not installed';
  versions['ZooKeeper server'] = /version: ([\d.]+)/i.exec(zooKeeper)?.[1] ?? 'unknown';
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    date: new Date().toISOString(),
    loadBefore: loadavg()[0]!,
    versions,
  };
}

const versionIn = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
