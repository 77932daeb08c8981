/** The options of ZiStore: the one documented type, and every default by name. `config.ts` validates them. */
import type { Logger } from './ports.ts';

/** How values are given and read: text, anything that JSON can say, or bytes. */
export type ValueEncoding = 'utf8' | 'json' | 'buffer';

/** Certificates of this node for mutual TLS between nodes, in PEM. All three, or no `tls` at all. */
export interface TlsOptions {
  /** This node's certificate (chain). It proves the node to those it calls and to those who call it. */
  readonly cert: string | Uint8Array;
  /** Its private key, not encrypted. */
  readonly key: string | Uint8Array;
  /** The authority that signed the certificates of all nodes. Peers whose certificate it did not sign are refused. */
  readonly ca: string | Uint8Array;
}

/** Digest authentication at ZooKeeper. */
export interface ZooKeeperAuth {
  readonly user: string;
  readonly password: string;
}

export interface ZiStoreOptions {
  /** Connect string of the ZooKeeper ensemble: `host:port,host:port[/chroot]`. */
  readonly zookeeper: string;
  /** Nodes of one cluster share keys; it is a path component under `/zistore` (letters, digits, `.`, `_`, `-`). Default `default`. */
  readonly cluster?: string;
  /** Where this node listens for its peers. Default 127.0.0.1, and port 0: any free one. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /** What peers are told to call, when it differs from `listen` (needed when listening on all interfaces). Port 0: that of `listen`. */
  readonly advertise?: { readonly host?: string; readonly port?: number };
  /** ZooKeeper session timeout: how long after a crash the others wait for a node. Milliseconds, default 4000. */
  readonly sessionTimeoutMs?: number;
  /**
   * `tickTime` of the ensemble, as in its zoo.cfg. Milliseconds, default 2000. Must not be less than the real one:
   * the lease, and with it the promise that no read is out of date, is computed from it.
   */
  readonly tickTimeMs?: number;
  /** false: this node never leads (a client). Default true. */
  readonly candidate?: boolean;
  /** Bounds of a follower's copies; beyond them those not used lately go. Default 100 000 entries, 64 MiB. */
  readonly cache?: { readonly maxEntries?: number; readonly maxBytes?: number };
  /** Bound of a leader's data; writes beyond it fail with ZISTORE_LIMIT_EXCEEDED. Default 1 GiB. */
  readonly store?: { readonly maxBytes?: number };
  /** Default `utf8`. */
  readonly valueEncoding?: ValueEncoding;
  /** Told what happens, never told values or secrets. Default: silent. */
  readonly logger?: Logger;
  /** Mutual TLS between nodes. All nodes of a cluster must agree whether they use it. Default: none. */
  readonly tls?: TlsOptions;
  /**
   * Shared by all nodes of the cluster; who does not know it is refused with ZISTORE_UNAUTHORIZED. At least 16
   * characters. A salted scrypt hash of it is kept in ZooKeeper, never the secret itself. Default: none.
   */
  readonly secret?: string;
  /** Default: none. */
  readonly zookeeperAuth?: ZooKeeperAuth;
  /** How long `open` tries to reach ZooKeeper and to join. Milliseconds, default 10 000. */
  readonly connectTimeoutMs?: number;
  /** How long `close` may drain and hand over. Milliseconds, default 10 000. */
  readonly closeTimeoutMs?: number;
  /** Longest key in UTF-8 bytes; the same at all nodes of a cluster. Default 1024. */
  readonly maxKeyBytes?: number;
  /** Largest value in (UTF-8) bytes; the same at all nodes of a cluster. Default 1 MiB. */
  readonly maxValueBytes?: number;
  /**
   * Operations in progress at this node, each with its value; and at a leader, those of all nodes that wait for one and
   * the same holder. More fail with ZISTORE_LIMIT_EXCEEDED (`retryable`). Default 10 000.
   */
  readonly maxPending?: number;
}

const MIB = 1024 * 1024;

/** Milliseconds, bytes and numbers as the names say. */
export const DEFAULTS = {
  cluster: 'default',
  listenHost: '127.0.0.1',
  listenPort: 0,
  sessionTimeoutMs: 4000,
  tickTimeMs: 2000,
  candidate: true,
  cacheMaxEntries: 100_000,
  cacheMaxBytes: 64 * MIB,
  storeMaxBytes: 1024 * MIB,
  valueEncoding: 'utf8',
  connectTimeoutMs: 10_000,
  closeTimeoutMs: 10_000,
  maxKeyBytes: 1024,
  maxValueBytes: MIB,
  maxPending: 10_000,
} as const;
