/** What all nodes of a cluster must agree on before one of them may join. */
import { createHash, scrypt } from 'node:crypto';
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
 * ZooKeeper does not learn the secret. Nodes that trust other authorities are refused there as well: as members that
 * nobody can talk to they would hold up every takeover.
 */
export async function agreementOf(settings: Settings): Promise<NodeOptions['agreement']> {
  return {
    wireVersion: WIRE_VERSION,
    maxKeyBytes: settings.maxKeyBytes,
    maxValueBytes: settings.maxValueBytes,
    transport: settings.tls === null ? 'plain' : 'tls',
    authorities: settings.tls === null ? null : fingerprint(settings.tls.ca),
    secretCheck: settings.secret === null ? null : await hashSecret(settings.secret, settings.node.cluster),
  };
}

/** Of the authorities' certificates as they are written, but for white space. */
function fingerprint(ca: string | Uint8Array): string {
  const text = typeof ca === 'string' ? ca : Buffer.from(ca).toString('latin1');
  return createHash('sha256').update(text.replace(/\s+/g, '')).digest('hex');
}

async function hashSecret(secret: string, cluster: string): Promise<string> {
  const hash = await scryptAsync(secret, `zistore cluster ${cluster}`, HASH_BYTES, SCRYPT_COST);
  return hash.toString('hex');
}
