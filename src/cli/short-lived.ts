/** A node that lives for one operation: it never leads, and its whole life has one time limit. */
import type { Command } from 'commander';
import { environmentOptions } from '../environment.ts';
import { ZiStoreError } from '../errors.ts';
import { DEFAULTS, type ZiStoreOptions } from '../options.ts';
import { openStore, type ZiStore } from '../store.ts';
import { storeOptions } from './context.ts';
import { clusterOption, sessionTimeoutOption, tickTimeOption, timeoutOption, zookeeperOption } from './options.ts';
import { withSignals } from './signals.ts';

export interface ShortLivedFlags {
  zookeeper: string;
  cluster: string;
  /** Milliseconds. */
  sessionTimeout: number;
  /** Milliseconds. */
  tickTime: number;
  /** Seconds. */
  timeout: number;
}

/** What is left of the time, and the signal that ends it. */
export interface CallLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Leaving is quick for a node without data; what is slower is left to the session timeout. Milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

/** The options that are read into ShortLivedFlags. */
export function addShortLivedOptions(command: Command): Command {
  return command
    .addOption(zookeeperOption().makeOptionMandatory())
    .addOption(clusterOption().default(DEFAULTS.cluster))
    .addOption(sessionTimeoutOption().default(DEFAULTS.sessionTimeoutMs))
    .addOption(tickTimeOption().default(DEFAULTS.tickTimeMs))
    .addOption(timeoutOption());
}

function collectOptions(flags: ShortLivedFlags): ZiStoreOptions {
  const connectTimeoutMs = Math.max(1, Math.min(Math.round(flags.timeout * 1000), DEFAULTS.connectTimeoutMs));
  return {
    ...environmentOptions(),
    zookeeper: flags.zookeeper,
    cluster: flags.cluster,
    sessionTimeoutMs: flags.sessionTimeout,
    tickTimeMs: flags.tickTime,
    candidate: false,
    connectTimeoutMs,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  };
}

/**
 * Opens a store, gives it to `work` with what is left of the time, and closes it. Wrong options are wrong usage of
 * `command`.
 */
export async function withShortLivedStore<T>(
  command: Command,
  flags: ShortLivedFlags,
  work: (store: ZiStore<string>, call: CallLimits) => Promise<T>,
): Promise<T> {
  const options = storeOptions(command, () => collectOptions(flags));
  const deadline = performance.now() + flags.timeout * 1000;
  return await withSignals(async (signal) => {
    await using store = await openStore<string>(options, {}, { signal });
    const timeoutMs = Math.floor(deadline - performance.now());
    if (timeoutMs < 1) throw new ZiStoreError('ZISTORE_TIMEOUT', `not done within ${flags.timeout} s`);
    return await work(store, { timeoutMs, signal });
  });
}
