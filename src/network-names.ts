/** Host names, addresses and ports as options: what may be listened on, and what peers can be told to call. */
import { isIP, isIPv6 } from 'node:net';
import { checkInteger, checkText, describe, invalid } from './check.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const MAX_PORT = 65_535;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9]([a-z0-9_-]{0,62}))*\.?$/i;

export function checkPort(name: string, value: unknown): number {
  return checkInteger(name, value, 0, MAX_PORT);
}

/** A host name or an IP address; IPv6 with or without brackets, returned without them. */
export function checkHost(name: string, value: unknown): string {
  const text = checkText(name, value, 1, 255);
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (bare.includes('%')) throw invalid(name, 'an IPv6 zone is of no use to peers; give an address without one');
  if (isIP(bare) !== 0 && (bare === text || isIPv6(bare))) return bare;
  // Digits and dots alone can only be meant as an address: 10.0.0.256 is no host name.
  if (HOST_NAME.test(text) && !/^[\d.]+$/.test(text)) return text;
  throw invalid(name, `expected a host name or an IP address, got ${describe(text)}`);
}

/** Whether a host means "all interfaces": fine to listen on, useless to call. */
export function isWildcard(host: string): boolean {
  return /^0+(\.0+){0,3}$/.test(host) || /^[0:]+$/.test(host) || /^::(ffff:)?0+(\.0+){3}$/i.test(host);
}

/** Whether only processes of this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** As it stands before `:port` in an address. */
export function hostInAddress(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
