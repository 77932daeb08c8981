/** A ZooKeeper connect string, taken apart so that each server can be given a proxy. */
import { ZiStoreError } from '../errors.ts';

export interface ConnectString {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** With its slash; empty where there is none. */
  readonly chroot: string;
}

const DEFAULT_PORT = 2181;
const MAX_SERVERS = 32;
const SERVER = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9_.-]+))(?::(?<port>[0-9]{1,5}))?$/;

/** @throws ZISTORE_INVALID_ARGUMENT that says what is wrong. */
export function parseConnectString(text: string): ConnectString {
  const invalid = (why: string): ZiStoreError =>
    new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `zookeeper: ${why}; expected host:port,host:port[/chroot]`);
  const slash = text.indexOf('/');
  const chroot = slash < 0 ? '' : text.slice(slash).replace(/\/$/, '');
  if (/\/\/|\s|\0/.test(chroot)) throw invalid('the chroot is not a path');
  const servers = (slash < 0 ? text : text.slice(0, slash)).split(',').map((part) => {
    const match = SERVER.exec(part.trim())?.groups;
    const port = Number(match?.port ?? DEFAULT_PORT);
    const host = match?.ipv6 ?? match?.host;
    if (host === undefined || port < 1 || port > 65_535) throw invalid('a server is not HOST:PORT');
    return { host, port };
  });
  if (servers.length > MAX_SERVERS) throw invalid(`more than ${MAX_SERVERS} servers`);
  return { servers, chroot };
}
