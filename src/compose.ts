/** The real parts of a node, but for those that a test or the shell brings itself. */
import type { LookupFunction } from 'node:net';
import { realClock } from './clock.ts';
import type { Settings } from './config.ts';
import { createLookup } from './lookup.ts';
import { isLoopback } from './network-names.ts';
import { type NodeParts, type OpenNode, openNode } from './node.ts';
import type { Logger, OpenZooKeeper, Transport } from './ports.ts';
import { realRandom } from './random.ts';
import { createWsTransport } from './rpc/transport.ts';
import { openZooKeeperWith } from './zookeeper/client.ts';

const MIB = 1024 * 1024;
const MIN_FRAME_BYTES = 8 * MIB;
const MIN_WAITING_MESSAGES = 262_144;
/** Of answers with values that were overwritten before a slow reader took them. */
const STALE_ANSWER_BYTES = 64 * MIB;
/** What a frame may carry beside one largest copy: the rest of a page of copies, versions, lengths. */
const FRAME_OVERHEAD_BYTES = 2 * MIB;

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
  warnIfExposed(settings, logger);
  const lookup = createLookup(clock);
  const transport = given.transport ?? realTransport(settings, { clock, random, logger, lookup });
  const parts: NodeParts = {
    clock,
    random,
    logger,
    openZooKeeper: given.openZooKeeper ?? realZooKeeper(settings, { clock, random, logger, lookup }),
    transport: given.wrapTransport?.(transport) ?? transport,
  };
  return { parts, openNode: given.openNode ?? openNode };
}

type Basics = Pick<NodeParts, 'clock' | 'random' | 'logger'> & { readonly lookup: LookupFunction };

function realZooKeeper(settings: Settings, basics: Basics): OpenZooKeeper {
  const { zookeeper, zookeeperAuth, sessionTimeoutMs } = settings;
  return openZooKeeperWith({
    ...basics,
    connectString: zookeeper,
    sessionTimeoutMs,
    ...(zookeeperAuth && { auth: { scheme: 'digest', auth: `${zookeeperAuth.user}:${zookeeperAuth.password}` } }),
  });
}

function realTransport(settings: Settings, basics: Basics): Transport {
  const { listen, tls, secret, node, maxKeyBytes, maxValueBytes } = settings;
  const maxFrameBytes = Math.max(MIN_FRAME_BYTES, maxKeyBytes + maxValueBytes + FRAME_OVERHEAD_BYTES);
  return createWsTransport({
    ...basics,
    listen,
    cluster: node.cluster,
    ...(secret !== null && { secret }),
    ...(tls !== null && { tls }),
    maxFrameBytes,
    // Beside the operations in progress: what is said of those that have ended, and invalidations.
    maxWaitingMessages: Math.max(MIN_WAITING_MESSAGES, 4 * node.maxPending),
    maxWaitingBytes: node.store.maxBytes + STALE_ANSWER_BYTES,
  });
}

/** Said once at the start: whoever reaches the port of such a node can read and write everything. */
function warnIfExposed({ listen, tls, secret }: Settings, logger: Logger): void {
  if (isLoopback(listen.host) || tls !== null || secret !== null) return;
  logger.warn('peers are not authenticated: this node listens beyond its machine without tls or a secret', {
    ...listen,
  });
}
