/** A node that lives for one operation: it never leads, and its whole life has one time limit. */

import { environmentOptions } from '../environment.ts';
import { ZiStoreError } from '../errors.ts';
import type { CallOptions } from '../node.ts';
import { DEFAULTS, type ZiStoreOptions } from '../options.ts';
import { openStore, type ZiStore } from '../store.ts';
import { withSignals } from './signals.ts';

export interface ShortLivedFlags {
  zookeeper: string;
  cluster: string;
  /** Seconds. */
  timeout: number;
}

/** Leaving is quick for a node without data; what is slower is left to the session timeout. Milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

export function shortLivedOptions({ zookeeper, cluster, timeout }: ShortLivedFlags): ZiStoreOptions {
  const connectTimeoutMs = Math.max(1, Math.min(Math.round(timeout * 1000), DEFAULTS.connectTimeoutMs));
  return {
    ...environmentOptions(),
    zookeeper,
    cluster,
    candidate: false,
    connectTimeoutMs,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
  };
}

/** Opens a store, gives it to `work` with what is left of the time, and closes it. */
export async function withShortLivedStore<T>(
  flags: ShortLivedFlags,
  work: (store: ZiStore<string>, call: Required<CallOptions>) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + flags.timeout * 1000;
  return await withSignals(async (signal) => {
    await using store = await openStore<string>(shortLivedOptions(flags), {}, { signal });
    const timeoutMs = Math.floor(deadline - performance.now());
    if (timeoutMs < 1) throw new ZiStoreError('ZISTORE_TIMEOUT', `not done within ${flags.timeout} s`);
    return await work(store, { timeoutMs, signal });
  });
}
