/** The public API of ZiStore. Nothing else is; nothing in src imports this file. */
export type { NodeReport } from './core/messages.ts';
export type { Counters, NodeStatus, Role } from './core/status.ts';
export { type WriteOutcome, ZiStoreBatchError, ZiStoreError, type ZiStoreErrorCode } from './errors.ts';
export type { ZiStoreKey } from './keys.ts';
export { type ConsoleLoggerOptions, createConsoleLogger, type LogLevel } from './logger.ts';
export type { CallOptions, NodeEvents } from './node.ts';
export type { TlsOptions, ValueEncoding, ZiStoreOptions, ZooKeeperAuth } from './options.ts';
export type { Logger } from './ports.ts';
export { type OpenOptions, ZiStore } from './store.ts';
