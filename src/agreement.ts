/** What all nodes of a cluster must agree on before one of them may join. */
import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Settings } from './config.ts';
import { WIRE_VERSION } from './core/messages.ts';
import type { NodeOptions } from './node.ts';

const HASH_BYTES = 32;
/** About 16 MiB and some tens of milliseconds per guess. */
const SCRYPT_COST = { N: 2 ** 14, r: 8, p: 1 } as const;

const scryptAsync = promisify<string, string, number, typeof SCRYPT_COST, Buffer>(scrypt);

/**
 * Computed once, before joining; takes some tens of milliseconds when there is a secret. The secret goes in only as a
 * slow hash, salted with the cluster's name: a node with another secret is refused at the door, and whoever reads
 * ZooKeeper does not learn the secret.
 */
export async function agreementOf(settings: Settings): Promise<NodeOptions['agreement']> {
  return {
    wireVersion: WIRE_VERSION,
    maxKeyBytes: settings.maxKeyBytes,
    maxValueBytes: settings.maxValueBytes,
    transport: settings.tls === null ? 'plain' : 'tls',
    secretCheck: settings.secret === null ? null : await hashSecret(settings.secret, settings.node.cluster),
  };
}

async function hashSecret(secret: string, cluster: string): Promise<string> {
  const hash = await scryptAsync(secret, `zistore cluster ${cluster}`, HASH_BYTES, SCRYPT_COST);
  return hash.toString('hex');
}
