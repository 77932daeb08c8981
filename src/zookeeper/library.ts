/**
 * node-zookeeper-client as it is inside: exactly the members that this adapter uses or replaces. They are private to
 * that library, so its version is pinned and the members are checked before the first session is opened.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { ZiStoreError } from '../errors.ts';
import type { Server } from './connect-string.ts';

const VERSION = '1.1.3';

/** Connection states, as in the library's `ConnectionManager.STATES`. */
export const STATE = { CONNECTING: 1, CONNECTED: 2, CLOSED: -2, SESSION_EXPIRED: -3, AUTHENTICATION_FAILED: -4 };

export interface LibraryError {
  readonly code: number;
}

export interface LibraryStat {
  readonly czxid: Buffer;
  readonly mzxid: Buffer;
  readonly pzxid: Buffer;
  readonly version: number;
  readonly ephemeralOwner: Buffer;
}

export interface MultiResult {
  readonly type: number;
  readonly path?: string;
  readonly err?: number;
}

interface JuteRecord {
  [field: string]: unknown;
}

type JuteClass = new (...fields: unknown[]) => JuteRecord;

export interface JuteRequest {
  readonly header: { readonly xid: number; readonly type: number } | null;
  toBuffer(): Buffer;
}

export interface Jute {
  readonly OP_CODES: Readonly<Record<string, number>>;
  readonly XID_PING: number;
  readonly protocol: Readonly<Record<'RequestHeader' | 'ConnectRequest' | 'SetWatches', JuteClass>>;
  readonly Request: new (header: JuteRecord | null, payload: unknown) => JuteRequest;
  readonly TransactionRequest: new (steps: unknown[]) => unknown;
}

export interface WatcherEvent {
  readonly type: number;
  readonly path: string;
}

export interface WatcherManager {
  readonly dataWatchers: Record<string, unknown>;
  readonly childWatchers: Record<string, unknown>;
  readonly existenceWatchers: Record<string, unknown>;
  getDataWatcherPaths(): string[];
  getChildWatcherPaths(): string[];
  getExistenceWatcherPaths(): string[];
  emit(event: WatcherEvent): void;
}

export interface ConnectionManager {
  state: number;
  servers: readonly Server[];
  socket?: Socket;
  sessionId: Buffer;
  sessionPassword: Buffer;
  sessionTimeout: number;
  zxid: Buffer;
  xid: number;
  pendingBuffer: Buffer | null;
  pendingQueue: unknown[];
  credentials: unknown[];
  connectTimeoutHandler: NodeJS.Timeout | null;
  readonly packetQueue: { queue: { readonly request: JuteRequest }[] };
  readonly watcherManager: WatcherManager;
  connect(): void;
  queue(
    request: JuteRequest,
    callback?: (error: LibraryError | null, response?: { payload: { results: MultiResult[] } | null }) => void,
  ): void;
  setState(state: number): void;
  findNextServer(callback: (server: Server) => void): void;
  onSocketConnected(): void;
  onSocketData(bytes: Buffer): void;
  onSocketClosed(hadError: boolean): void;
  onSocketTimeout(): void;
}

type Callback<A extends unknown[]> = (error: LibraryError | null | undefined, ...results: A) => void;
type Watcher = (() => void) | undefined;

export interface Transaction {
  readonly ops: { version?: number }[];
  create(path: string, data: Buffer, acl: unknown[], mode: number): unknown;
  remove(path: string): unknown;
  setData(path: string, data: Buffer): unknown;
  check(path: string): unknown;
}

export interface LibraryClient {
  readonly connectionManager: ConnectionManager;
  connect(): void;
  addAuthInfo(scheme: string, auth: Buffer): void;
  create(path: string, data: Buffer, acl: unknown[], mode: number, callback: Callback<[string]>): void;
  remove(path: string, version: number, callback: Callback<[]>): void;
  setData(path: string, data: Buffer, version: number, callback: Callback<[LibraryStat]>): void;
  getData(path: string, watcher: Watcher, callback: Callback<[Buffer | undefined, LibraryStat]>): void;
  exists(path: string, watcher: Watcher, callback: Callback<[LibraryStat | null]>): void;
  getChildren(path: string, watcher: Watcher, callback: Callback<[string[] | undefined, LibraryStat]>): void;
  transaction(): Transaction;
}

export interface Library {
  readonly ACL: { readonly OPEN_ACL_UNSAFE: unknown[]; readonly CREATOR_ALL_ACL: unknown[] };
  readonly CreateMode: Readonly<Record<'PERSISTENT' | 'EPHEMERAL' | 'EPHEMERAL_SEQUENTIAL', number>>;
  createClient(connectString: string, options: { sessionTimeout: number; retries: number }): LibraryClient;
}

export interface LoadedLibrary {
  readonly library: Library;
  readonly jute: Jute;
}

/**
 * Loads the library and checks that it is the one this adapter was written against.
 * @throws ZiStoreError ZISTORE_INCOMPATIBLE
 */
export function loadLibrary(): LoadedLibrary {
  const require = createRequire(import.meta.url);
  const { version } = require('node-zookeeper-client/package.json') as { version: string };
  const library = require('node-zookeeper-client') as Library;
  const jute = require('node-zookeeper-client/lib/jute') as Jute;
  checkLibrary(version, library.createClient('localhost', { sessionTimeout: 1000, retries: 0 }), jute);
  return { library, jute };
}

const METHODS = [
  ...['connect', 'queue', 'setState', 'findNextServer'],
  ...['onSocketConnected', 'onSocketData', 'onSocketClosed', 'onSocketTimeout'],
] as const;
const FIELDS = [
  ...['state', 'servers', 'sessionId', 'sessionPassword', 'sessionTimeout', 'zxid', 'xid', 'pendingBuffer'],
  ...['pendingQueue', 'credentials', 'connectTimeoutHandler', 'packetQueue', 'watcherManager'],
] as const;
const WATCHER_METHODS = ['emit', 'getDataWatcherPaths', 'getChildWatcherPaths', 'getExistenceWatcherPaths'] as const;

/** @throws ZiStoreError ZISTORE_INCOMPATIBLE, naming what is missing */
export function checkLibrary(version: string, client: LibraryClient, jute: Jute): void {
  const problems: string[] = version === VERSION ? [] : [`version ${version}`];
  const manager = client.connectionManager as unknown as Record<string, unknown> | undefined;
  const watchers = (manager?.watcherManager ?? {}) as Record<string, unknown>;
  for (const name of METHODS) if (typeof manager?.[name] !== 'function') problems.push(`no ${name}()`);
  for (const name of FIELDS) if (manager === undefined || !(name in manager)) problems.push(`no ${name}`);
  for (const name of WATCHER_METHODS) if (typeof watchers[name] !== 'function') problems.push(`no watchers' ${name}()`);
  if (typeof jute.Request !== 'function' || typeof jute.TransactionRequest !== 'function') problems.push('no jute');
  if (problems.length === 0) return;
  throw new ZiStoreError(
    'ZISTORE_INCOMPATIBLE',
    `ZiStore needs node-zookeeper-client exactly ${VERSION}; found: ${problems.join(', ')}. Install that version.`,
  );
}
