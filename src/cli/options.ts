/** Reading option values: each either usable or refused with a reason. */
import { InvalidArgumentError, Option } from 'commander';
import { ZiStoreError } from '../errors.ts';
import { parseConnectString } from '../zookeeper/connect-string.ts';

/** Longest time in seconds that an option may ask for. */
const MAX_SECONDS = 24 * 3600;
const MAX_MS = MAX_SECONDS * 1000;
export const MAX_CLIENTS_AT_START = 16;
export const DEFAULT_TIMEOUT_SECONDS = 30;

/** Of every command that opens a store. */
export const ENVIRONMENT_NOTE =
  'From the environment: ZISTORE_SECRET, ZISTORE_TLS_CERT, ZISTORE_TLS_KEY, ZISTORE_TLS_CA (PEM files),\n' +
  'ZISTORE_ZOOKEEPER_AUTH (user:password).';

export function parseText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** Blanks make a key like any other text. */
export function parseKey(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

function parseWhole(text: string, least: number, most: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
}

export const parseClients = (text: string): number => parseWhole(text, 1, MAX_CLIENTS_AT_START);

export const parseMilliseconds = (text: string): number => parseWhole(text, 1, MAX_MS);

export function parseSeconds(text: string): number {
  const value = /^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds above 0 and up to ${MAX_SECONDS}.`);
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** HOST:PORT, IPv6 in brackets. Whether the host makes sense is for the store to say. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535)
    throw new InvalidArgumentError('It must be HOST:PORT, such as 127.0.0.1:7400.');
  return { host, port };
}

function parseZooKeeper(text: string): string {
  try {
    parseConnectString(parseText(text));
    return text;
  } catch (error) {
    if (!(error instanceof ZiStoreError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
}

export const zookeeperOption = (): Option =>
  new Option('--zookeeper <hosts>', 'connect string of the ensemble, host:port,host:port[/chroot]').argParser(
    parseZooKeeper,
  );

export const clusterOption = (): Option =>
  new Option('--cluster <name>', 'which cluster of that ensemble').argParser(parseText);

export const sessionTimeoutOption = (): Option =>
  new Option('--session-timeout <ms>', 'ZooKeeper session timeout in milliseconds').argParser(parseMilliseconds);

export const tickTimeOption = (): Option =>
  new Option('--tick-time <ms>', 'tickTime of the ensemble in milliseconds, as in its zoo.cfg').argParser(
    parseMilliseconds,
  );

export const timeoutOption = (): Option =>
  new Option('--timeout <seconds>', 'how long the whole operation may take')
    .argParser(parseSeconds)
    .default(DEFAULT_TIMEOUT_SECONDS);
