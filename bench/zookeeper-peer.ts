/**
 * ZooKeeper as a contender: with the JVM as it comes and its log flushed as it comes, unlike the servers of tests,
 * which are made to start fast.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GuardedProcess } from '../test/support/guarded-process.ts';
import { until } from '../test/support/wait.ts';
import { findInstallation, fourLetterWord, freePorts } from '../test/support/zookeeper-process.ts';
import type { Server } from './servers.ts';

export const ZOOKEEPER_PACKAGE = 'ZooKeeper is not installed (Debian: zookeeper; or set ZOOKEEPER_HOME)';

export async function startZooKeeper(folder: string): Promise<Server> {
  const { java, classpath } = findInstallation()!;
  const [port] = await freePorts(1);
  const settings = [
    `dataDir=${folder}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'tickTime=500',
    'maxClientCnxns=0',
    'maxSessionTimeout=600000',
    'admin.enableServer=false',
    '4lw.commands.whitelist=*',
  ];
  const file = join(folder, 'zoo.cfg');
  await writeFile(file, `${settings.join('\n')}\n`);
  const words = ['-Xmx512m', '-cp', classpath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', file];
  const server = await GuardedProcess.start(java, words, { cwd: folder });
  const stop = async (): Promise<void> => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const serves = async (): Promise<boolean> => (await fourLetterWord(port!, 'srvr')).includes('Mode:');
    await until('ZooKeeper serves', serves, { timeoutMs: 30_000, intervalMs: 50 });
    return { port: port!, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
