/** Many independent operations at once: bounded in flight, one deadline for all, each key with its own result. */
import { ZiStoreBatchError, ZiStoreError } from './errors.ts';
import type { CallOptions } from './node.ts';
import type { Clock } from './ports.ts';

/** In flight at once for one call; enough to hide a round trip, few enough to leave room for others. */
const BATCH_CONCURRENCY = 64;

export interface BatchLimits {
  readonly clock: Clock;
  readonly maxPending: number;
}

/**
 * Runs `operate` for each item and maps each key to its result.
 * @throws ZiStoreBatchError if any of them failed; the others have been carried out all the same.
 */
export async function runBatch<K, I extends { readonly key: K }, R>(
  items: readonly I[],
  operate: (item: I, options: CallOptions) => Promise<R>,
  options: CallOptions,
  { clock, maxPending }: BatchLimits,
): Promise<Map<K, R>> {
  const optionsNow = deadline(options, clock);
  const settled: ({ readonly result: R } | { readonly error: ZiStoreError })[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) settled[index] = await settle(() => operate(item, optionsNow()));
  };
  const workers = Math.min(items.length, BATCH_CONCURRENCY, maxPending);
  await Promise.all(Array.from({ length: workers }, work));
  const results = new Map<K, R>();
  const errors = new Map<K, ZiStoreError>();
  for (const [index, one] of settled.entries()) {
    const { key } = items[index] as I;
    if ('error' in one) errors.set(key, one.error);
    else results.set(key, one.result);
  }
  if (errors.size > 0) throw new ZiStoreBatchError(errors, results);
  return results;
}

async function settle<R>(operate: () => Promise<R>): Promise<{ result: R } | { error: ZiStoreError }> {
  try {
    return { result: await operate() };
  } catch (error) {
    if (error instanceof ZiStoreError) return { error };
    throw error;
  }
}

/** The caller's timeout counts from the start of the batch, not anew for each key. */
function deadline(options: CallOptions, clock: Clock): () => CallOptions {
  const { timeoutMs } = options;
  if (timeoutMs === undefined) return () => options;
  const end = clock.now() + timeoutMs;
  // Never 0 or less: what starts too late is to time out, not to be refused as a wrong argument.
  return () => ({ ...options, timeoutMs: Math.max(end - clock.now(), 1) });
}
