/**
 * A real ZooKeeper for tests: `ZISTORE_TEST_ZOOKEEPER` (a connect string, without chroot; its tickTime, if not 500, in
 * `ZISTORE_TEST_TICK_TIME`), else an installation on this machine, else Docker. Where there is none,
 * `describeZooKeeper` (describe-zookeeper.ts) skips and says so.
 */
import { accessSync, constants } from 'node:fs';
import { startContainer } from './zookeeper-container.ts';
import { findInstallation, startLocal } from './zookeeper-process.ts';

/** Smallest session timeout that a server grants is two ticks: 500 ms make 1 s possible. */
export const TICK_TIME_MS = 500;

export interface ZooKeeperServer {
  readonly connectString: string;
  readonly tickTimeMs: number;
  /** Ends the server for good and removes its data. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL; the data stays for `start`. */
  kill(): Promise<void>;
  /** After `kill`: the same data on the same port. Resolves when it serves. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export type ZooKeeperSource = 'given' | 'local' | 'docker';

const SHARED = 'ZISTORE_TEST_SHARED_ZOOKEEPER';

/** Where tests get a ZooKeeper from on this machine; null where they cannot. */
export function zooKeeperSource(): ZooKeeperSource | null {
  if (process.env.ZISTORE_TEST_ZOOKEEPER) return 'given';
  return ownServerSource();
}

/** Servers that a test may kill have to be its own, so a given connect string does not do. */
export function ownServerSource(): 'local' | 'docker' | null {
  if (findInstallation() !== null) return 'local';
  return hasDocker() ? 'docker' : null;
}

function hasDocker(): boolean {
  if (process.env.DOCKER_HOST) return true;
  try {
    accessSync('/var/run/docker.sock', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What to tell whoever has none. */
export const WHAT_TO_DO =
  'install ZooKeeper (Debian: apt-get install zookeeper; or set ZOOKEEPER_HOME), start Docker, or set ZISTORE_TEST_ZOOKEEPER to a connect string';

/** A server of the caller's own, which may kill it. */
export async function startZooKeeper(options: { tickTimeMs?: number } = {}): Promise<ZooKeeperServer> {
  const tickTimeMs = options.tickTimeMs ?? TICK_TIME_MS;
  const source = ownServerSource();
  if (source === 'local') return startLocal({ tickTimeMs });
  if (source === 'docker') return startContainer({ tickTimeMs });
  throw new Error(`no ZooKeeper: ${WHAT_TO_DO}`);
}

/** The server all test files of this run share: use a cluster name or chroot of your own on it, and never kill it. */
export async function sharedZooKeeper(): Promise<Pick<ZooKeeperServer, 'connectString' | 'tickTimeMs' | 'stop'>> {
  const given = process.env.ZISTORE_TEST_ZOOKEEPER || process.env[SHARED];
  if (!given) return startZooKeeper();
  const tickTimeMs = Number(process.env.ZISTORE_TEST_TICK_TIME ?? TICK_TIME_MS);
  return { connectString: given, tickTimeMs, stop: async () => {} };
}

/** For jest's global set-up: starts what `sharedZooKeeper` hands out. Null where nothing has to be stopped. */
export async function startShared(): Promise<ZooKeeperServer | null> {
  if (zooKeeperSource() === null || process.env.ZISTORE_TEST_ZOOKEEPER) return null;
  const server = await startZooKeeper();
  process.env[SHARED] = server.connectString;
  return server;
}
