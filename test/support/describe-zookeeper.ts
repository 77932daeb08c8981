/** Tests that need a real ZooKeeper: without one they are skipped aloud, or fail where ZISTORE_REQUIRE=zookeeper. */
import { describeWith } from './requirements.ts';
import { ownServerSource, WHAT_TO_DO, zooKeeperSource } from './zookeeper.ts';
import { findInstallation } from './zookeeper-process.ts';

/** `own`: needs servers it may kill. `local`: needs several that it configures itself, so an installation. */
export type Needs = 'any' | 'own' | 'local';

function missing(needs: Needs): string | null {
  if (needs === 'local') {
    return findInstallation()
      ? null
      : 'no ZooKeeper is installed here (apt-get install zookeeper, or set ZOOKEEPER_HOME)';
  }
  const source = needs === 'own' ? ownServerSource() : zooKeeperSource();
  return source === null ? `no ZooKeeper found: ${WHAT_TO_DO}` : null;
}

/** `describe` for tests that need a real ZooKeeper. */
export function describeZooKeeper(name: string, body: () => void, needs: Needs = 'any'): void {
  describeWith('zookeeper', missing(needs), name, body);
}
