/** Validates the options once, all defaults filled in. What is wrong is refused, never corrected. */
import { createSecureContext } from 'node:tls';
import { checkBoolean, checkInteger, checkObject, checkOneOf, checkText, describe, invalid, MAX_MS } from './check.ts';
import { checkLeaseTiming } from './lease-timing.ts';
import { guardLogger, silentLogger } from './logger.ts';
import { checkHost, checkPort, type HostAndPort, hostInAddress, isWildcard } from './network-names.ts';
import type { NodeOptions } from './node.ts';
import { DEFAULTS, type TlsOptions, type ValueEncoding, type ZiStoreOptions, type ZooKeeperAuth } from './options.ts';
import type { Logger } from './ports.ts';
import { type ConnectString, parseConnectString } from './zookeeper/connect-string.ts';

/** Options that can be relied on. */
export interface Settings {
  readonly zookeeper: ConnectString;
  readonly zookeeperAuth: ZooKeeperAuth | null;
  readonly sessionTimeoutMs: number;
  readonly listen: HostAndPort;
  readonly tls: TlsOptions | null;
  readonly secret: string | null;
  readonly valueEncoding: ValueEncoding;
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
  /** Never throws. */
  readonly logger: Logger;
  /** All of the driver's options but the agreement, which takes a slow hash: see `agreement.ts`. */
  readonly node: Omit<NodeOptions, 'agreement'>;
}

const OPTION_NAMES: readonly (keyof ZiStoreOptions)[] = [
  'zookeeper',
  'cluster',
  'listen',
  'advertise',
  'sessionTimeoutMs',
  'tickTimeMs',
  'candidate',
  'cache',
  'store',
  'valueEncoding',
  'logger',
  'tls',
  'secret',
  'zookeeperAuth',
  'connectTimeoutMs',
  'closeTimeoutMs',
  'maxKeyBytes',
  'maxValueBytes',
  'maxPending',
];
const VALUE_ENCODINGS: readonly ValueEncoding[] = ['utf8', 'json', 'buffer'];
const MIN_SECRET_LENGTH = 16;
const MAX_TEXT_LENGTH = 1024;
/** Milliseconds. Whoever wants a crashed node to be waited for longer than a day is mistaken about the unit. */
const MAX_SESSION_TIMEOUT_MS = 24 * 60 * 60 * 1000;
const MAX_CONNECT_STRING_LENGTH = 64 * 1024;
const MAX_KEY_BYTES = 64 * 1024;
const MAX_VALUE_BYTES = 256 * 1024 * 1024;
const MAX_PENDING = 1_000_000;

/** @throws ZiStoreError ZISTORE_INVALID_ARGUMENT that says which option is wrong and why. */
export function readOptions(given: unknown): Settings {
  const options = checkObject('options', given, OPTION_NAMES);
  const listen = readListen(options.listen);
  const sessionTimeoutMs = whole(
    'sessionTimeoutMs',
    options.sessionTimeoutMs,
    DEFAULTS.sessionTimeoutMs,
    MAX_SESSION_TIMEOUT_MS,
  );
  const tickTimeMs = milliseconds('tickTimeMs', options.tickTimeMs, DEFAULTS.tickTimeMs);
  checkLeaseTiming(sessionTimeoutMs, tickTimeMs);
  return {
    zookeeper: readConnectString(options.zookeeper),
    zookeeperAuth: readZooKeeperAuth(options.zookeeperAuth),
    sessionTimeoutMs,
    listen,
    tls: readTls(options.tls),
    secret:
      options.secret === undefined ? null : checkText('secret', options.secret, MIN_SECRET_LENGTH, MAX_TEXT_LENGTH),
    valueEncoding: checkOneOf('valueEncoding', or(options.valueEncoding, DEFAULTS.valueEncoding), VALUE_ENCODINGS),
    maxKeyBytes: whole('maxKeyBytes', options.maxKeyBytes, DEFAULTS.maxKeyBytes, MAX_KEY_BYTES),
    maxValueBytes: whole('maxValueBytes', options.maxValueBytes, DEFAULTS.maxValueBytes, MAX_VALUE_BYTES),
    logger: readLogger(options.logger),
    node: {
      cluster: readCluster(options.cluster),
      advertise: readAdvertise(options.advertise, listen),
      candidate: checkBoolean('candidate', or(options.candidate, DEFAULTS.candidate)),
      tickTimeMs,
      connectTimeoutMs: milliseconds('connectTimeoutMs', options.connectTimeoutMs, DEFAULTS.connectTimeoutMs),
      closeTimeoutMs: milliseconds('closeTimeoutMs', options.closeTimeoutMs, DEFAULTS.closeTimeoutMs),
      cache: readCache(options.cache),
      store: readStore(options.store),
      maxPending: whole('maxPending', options.maxPending, DEFAULTS.maxPending, MAX_PENDING),
    },
  };
}

/** Only undefined stands for the default: null is a mistake that has come from somewhere. */
function or(value: unknown, byDefault: unknown): unknown {
  return value === undefined ? byDefault : value;
}

function whole(name: string, value: unknown, byDefault: number, max = Number.MAX_SAFE_INTEGER): number {
  return value === undefined ? byDefault : checkInteger(name, value, 1, max);
}

function milliseconds(name: string, value: unknown, byDefault: number): number {
  return whole(name, value, byDefault, MAX_MS);
}

function readConnectString(value: unknown): ConnectString {
  if (value === undefined) throw invalid('zookeeper', 'missing; give the connect string of the ensemble, host:port,…');
  const text = checkText('zookeeper', value, 1, MAX_CONNECT_STRING_LENGTH);
  try {
    return parseConnectString(text);
  } catch (error) {
    throw invalid('zookeeper', (error as Error).message, error);
  }
}

function readCluster(value: unknown = DEFAULTS.cluster): string {
  const name = checkText('cluster', value, 1, 64);
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw invalid(
    'cluster',
    `expected letters, digits, '.', '_' and '-', the first a letter or digit, got ${describe(name)}`,
  );
}

function readListen(value: unknown = {}): HostAndPort {
  const { host, port } = checkObject('listen', value, ['host', 'port']);
  return {
    host: checkHost('listen.host', or(host, DEFAULTS.listenHost)),
    port: checkPort('listen.port', or(port, DEFAULTS.listenPort)),
  };
}

function readAdvertise(value: unknown = {}, listen: HostAndPort): HostAndPort {
  const given = checkObject('advertise', value, ['host', 'port']);
  const host = checkHost('advertise.host', or(given.host, listen.host));
  if (isWildcard(host)) {
    const why = given.host === undefined ? `listen.host ${host} means all interfaces` : `${host} means all interfaces`;
    throw invalid(
      'advertise.host',
      `${why}, which no peer can call; give the name or address under which peers reach this node`,
    );
  }
  return { host: hostInAddress(host), port: checkPort('advertise.port', or(given.port, listen.port)) };
}

function readCache(value: unknown = {}): NodeOptions['cache'] {
  const { maxEntries, maxBytes } = checkObject('cache', value, ['maxEntries', 'maxBytes']);
  return {
    maxEntries: whole('cache.maxEntries', maxEntries, DEFAULTS.cacheMaxEntries),
    maxBytes: whole('cache.maxBytes', maxBytes, DEFAULTS.cacheMaxBytes),
  };
}

function readStore(value: unknown = {}): NodeOptions['store'] {
  const { maxBytes } = checkObject('store', value, ['maxBytes']);
  return { maxBytes: whole('store.maxBytes', maxBytes, DEFAULTS.storeMaxBytes) };
}

function readLogger(value: unknown = silentLogger): Logger {
  const methods = ['debug', 'info', 'warn', 'error'] as const;
  const missing = methods.filter((method) => typeof (value as Partial<Logger> | null)?.[method] !== 'function');
  if (missing.length > 0)
    throw invalid(
      'logger',
      `expected an object with the methods ${methods.join(', ')}; it lacks ${missing.join(', ')}`,
    );
  return guardLogger(value as Logger);
}

function readZooKeeperAuth(value: unknown): ZooKeeperAuth | null {
  if (value === undefined) return null;
  const { user, password } = checkObject('zookeeperAuth', value, ['user', 'password']);
  const name = checkText('zookeeperAuth.user', user, 1, MAX_TEXT_LENGTH);
  // ZooKeeper's digest scheme separates the two by a colon.
  if (name.includes(':')) throw invalid('zookeeperAuth.user', 'must not contain a colon');
  return { user: name, password: checkText('zookeeperAuth.password', password, 1, MAX_TEXT_LENGTH) };
}

function readTls(value: unknown): TlsOptions | null {
  if (value === undefined) return null;
  const parts = checkObject('tls', value, ['cert', 'key', 'ca']);
  const [cert, key, ca] = [readPem('tls.cert', parts.cert), readPem('tls.key', parts.key), readPem('tls.ca', parts.ca)];
  try {
    createSecureContext({ cert, key, ca });
  } catch (error) {
    throw invalid('tls', 'cert, key and ca are not PEM that fits together; see cause', error);
  }
  return { cert, key, ca };
}

function readPem(name: string, value: unknown): string | Buffer {
  if (value === undefined) {
    throw invalid(name, 'missing; tls needs cert, key and ca, since nodes prove themselves to each other');
  }
  // Bytes are copied: what was checked must be what is used.
  const pem = typeof value === 'string' ? value : value instanceof Uint8Array ? Buffer.from(value) : '';
  if (pem.includes('-----BEGIN ')) return pem;
  throw invalid(name, 'expected PEM text or its bytes (the contents of the file, not its path)');
}
