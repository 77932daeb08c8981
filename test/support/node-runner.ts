/** The process of a ProcessNode: one node, asked over the channel to its parent. */
import { openStore, type ZiStore } from '../../src/store.ts';
import type { NodeAnswer, NodeRequest, Sighting } from './process-node.ts';

let store: ZiStore | undefined;

const GAP_NS = 100_000_000n;

/** Reads on a timer: timers are what runs first in a process that was stopped, before it hears of anything. */
class Reader {
  readonly sightings: Sighting[] = [];
  readonly #timer: NodeJS.Timeout;
  #lastAt = 0n;

  constructor(of: ZiStore, key: string) {
    this.#timer = setInterval(async () => {
      const at = process.hrtime.bigint();
      const gap = at - this.#lastAt > GAP_NS;
      this.#lastAt = at;
      const saw = await of.get(key).catch((error: { code?: string }) => error.code);
      if (gap || this.sightings.at(-1)?.saw !== saw) this.sightings.push({ at: String(at), saw: String(saw) });
    }, 1);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

let reader: Reader | undefined;

async function carryOut(request: NodeRequest): Promise<unknown> {
  if (request.op === 'open') {
    store = await openStore(request.options);
    return null;
  }
  if (store === undefined) throw new Error('the node is not open yet');
  if (request.op === 'get') return store.get(request.key);
  if (request.op === 'set') return store.set(request.key, request.value);
  if (request.op === 'status') return store.status();
  if (request.op === 'keepReading') {
    reader = new Reader(store, request.key);
    return null;
  }
  reader?.stop();
  return request.op === 'sightings' ? reader?.sightings : store.close();
}

async function answer({ id, ...request }: NodeRequest & { id: number }): Promise<NodeAnswer> {
  try {
    return { id, result: await carryOut(request as NodeRequest) };
  } catch (error) {
    const { message, code, outcome } = error as Error & { code?: string; outcome?: string };
    return { id, error: { message, ...(code ? { code } : {}), ...(outcome ? { outcome } : {}) } };
  }
}

process.on('message', async (message) => {
  process.send!(await answer(message as NodeRequest & { id: number }));
});
process.on('disconnect', () => process.exit());
process.send!('started');
