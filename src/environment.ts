/** What the programs take from the environment: secrets have no place on a command line, which every user can list. */
import { readFileSync, statSync } from 'node:fs';
import { invalid } from './check.ts';
import type { TlsOptions, ZiStoreOptions, ZooKeeperAuth } from './options.ts';

const TLS_VARIABLES = { cert: 'ZISTORE_TLS_CERT', key: 'ZISTORE_TLS_KEY', ca: 'ZISTORE_TLS_CA' } as const;
const AUTH_VARIABLE = 'ZISTORE_ZOOKEEPER_AUTH';
/** A bundle of authorities has some hundred KiB. */
const MAX_PEM_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The options that come from the environment. Unset or empty variables count as absent.
 *
 * - ZISTORE_SECRET: `secret`
 * - ZISTORE_TLS_CERT, ZISTORE_TLS_KEY, ZISTORE_TLS_CA: `tls`, paths of PEM files; all three or none
 * - ZISTORE_ZOOKEEPER_AUTH: `zookeeperAuth`, as user:password
 *
 * @throws ZISTORE_INVALID_ARGUMENT that names the variable. No message repeats a secret.
 */
export function environmentOptions(
  environment: NodeJS.ProcessEnv = process.env,
): Pick<ZiStoreOptions, 'secret' | 'tls' | 'zookeeperAuth'> {
  const secret = read(environment, 'ZISTORE_SECRET');
  const tls = readTls(environment);
  const zookeeperAuth = readZooKeeperAuth(environment);
  return {
    ...(secret === undefined ? {} : { secret }),
    ...(tls === undefined ? {} : { tls }),
    ...(zookeeperAuth === undefined ? {} : { zookeeperAuth }),
  };
}

function read(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  return environment[name] || undefined;
}

function readTls(environment: NodeJS.ProcessEnv): TlsOptions | undefined {
  const names = Object.values(TLS_VARIABLES);
  const missing = names.filter((name) => read(environment, name) === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) {
    throw invalid(missing.join(', '), `missing; TLS between nodes needs all of ${names.join(', ')}, or none of them`);
  }
  return {
    cert: readPemFile(environment, TLS_VARIABLES.cert),
    key: readPemFile(environment, TLS_VARIABLES.key),
    ca: readPemFile(environment, TLS_VARIABLES.ca),
  };
}

function readPemFile(environment: NodeJS.ProcessEnv, name: string): Buffer {
  const file = environment[name] as string;
  let content: Buffer;
  try {
    if (statSync(file).size > MAX_PEM_FILE_BYTES) throw new Error(`it has more than ${MAX_PEM_FILE_BYTES} bytes`);
    content = readFileSync(file);
  } catch (error) {
    throw invalid(name, `the file cannot be read: ${(error as Error).message}`, error);
  }
  if (content.includes('-----BEGIN ')) return content;
  throw invalid(name, `${file} is not a PEM file`);
}

function readZooKeeperAuth(environment: NodeJS.ProcessEnv): ZooKeeperAuth | undefined {
  const text = read(environment, AUTH_VARIABLE);
  if (text === undefined) return undefined;
  // A user has no colon in ZooKeeper's digest scheme; a password may have one.
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) throw invalid(AUTH_VARIABLE, 'expected user:password');
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
