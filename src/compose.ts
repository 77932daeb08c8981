/** The real parts of a node, but for those that a test or the shell brings itself. */
import { realClock } from './clock.ts';
import type { Settings } from './config.ts';
import { ZiStoreError } from './errors.ts';
import type { NodeParts, OpenNode } from './node.ts';
import type { OpenZooKeeper, Transport } from './ports.ts';
import { realRandom } from './random.ts';
import { openZooKeeperWith } from './zookeeper/client.ts';

/** Instead of the real parts. */
export interface StoreParts extends Partial<NodeParts> {
  readonly openNode?: OpenNode;
  /** Put around the transport, real or given: a gate, a recorder, a source of faults. */
  readonly wrapTransport?: (transport: Transport) => Transport;
}

export interface Composition {
  readonly parts: NodeParts;
  readonly openNode: OpenNode;
}

/** Nothing is started by this. */
export function compose(settings: Settings, given: StoreParts): Composition {
  const clock = given.clock ?? realClock;
  const random = given.random ?? realRandom;
  const logger = given.logger ?? settings.logger;
  const transport = required('transport', given.transport);
  const parts: NodeParts = {
    clock,
    random,
    logger,
    openZooKeeper: given.openZooKeeper ?? realZooKeeper(settings, { clock, random, logger }),
    transport: given.wrapTransport?.(transport) ?? transport,
  };
  return { parts, openNode: required('openNode', given.openNode) };
}

function realZooKeeper(settings: Settings, parts: Pick<NodeParts, 'clock' | 'random' | 'logger'>): OpenZooKeeper {
  const { zookeeper, zookeeperAuth, sessionTimeoutMs } = settings;
  return openZooKeeperWith({
    ...parts,
    connectString: zookeeper,
    sessionTimeoutMs,
    ...(zookeeperAuth && { auth: { scheme: 'digest', auth: `${zookeeperAuth.user}:${zookeeperAuth.password}` } }),
  });
}

function required<T>(name: string, part: T | undefined): T {
  if (part === undefined) throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `parts.${name} is missing`);
  return part;
}
