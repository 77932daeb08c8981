/** ZooKeeper's connect string: `host[:port],host[:port],…[/chroot]`. */
import { isIPv6 } from 'node:net';
import { ZiStoreError } from '../errors.ts';
import { pathProblem } from './paths.ts';

/** ZooKeeper's client port where a server is given without one. */
export const DEFAULT_PORT = 2181;

export interface Server {
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  /** At least one, in the order given. */
  readonly servers: readonly Server[];
  /** Path below which everything of ours lies; empty: the root. Starts with a slash, ends without one. */
  readonly chroot: string;
}

const NAME = /^[\p{L}\p{N}]([\p{L}\p{N}._-]*[\p{L}\p{N}.])?$/u;

/**
 * Reads `zk1:2181,zk2,[::1]:2183/chroot`. A server without a port has 2181; an IPv6 address stands in brackets.
 * @throws ZiStoreError ZISTORE_INVALID_ARGUMENT, naming the part that is wrong
 */
export function parseConnectString(text: string): ConnectString {
  if (typeof text !== 'string' || text.trim() === '') throw invalid('it is empty');
  const slash = text.indexOf('/');
  const chroot = slash === -1 ? '' : text.slice(slash).trim();
  const hosts = slash === -1 ? text : text.slice(0, slash);
  const problem = chroot === '' ? undefined : pathProblem(chroot);
  if (problem !== undefined) throw invalid(`the part after the servers is no znode path: ${problem}`);
  return {
    servers: hosts.split(',').map((server) => parseServer(server.trim())),
    chroot: chroot === '/' ? '' : chroot,
  };
}

function parseServer(text: string): Server {
  if (text === '') throw invalid('a server is missing between commas or before "/"');
  const bracketed = /^\[(.*)\](?::(.*))?$/.exec(text);
  const [host, port] = bracketed ? [bracketed[1], bracketed[2]] : split(text);
  const valid = host !== undefined && (bracketed ? isIPv6(host) : NAME.test(host));
  if (!valid) throw invalid(`"${text}" has no valid host name or address`);
  return { host, port: port === undefined ? DEFAULT_PORT : parsePort(port, text) };
}

function split(text: string): [string | undefined, string | undefined] {
  const parts = text.split(':');
  if (parts.length > 2) throw invalid(`"${text}" has more than one colon; write an IPv6 address in brackets`);
  return [parts[0], parts[1]];
}

function parsePort(text: string, server: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) throw invalid(`the port of "${server}" is not 1 to 65535`);
  return port;
}

function invalid(why: string): ZiStoreError {
  return new ZiStoreError(
    'ZISTORE_INVALID_ARGUMENT',
    `Invalid ZooKeeper connect string: ${why}. Expected host:port,host:port/chroot.`,
  );
}
