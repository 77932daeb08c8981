/** The process of a ProcessNode: one node, asked over the channel to its parent. */
import { openStore, type ZiStore } from '../../src/store.ts';
import type { NodeAnswer, NodeRequest } from './process-node.ts';

let store: ZiStore | undefined;

async function carryOut(request: NodeRequest): Promise<unknown> {
  if (request.op === 'open') {
    store = await openStore(request.options);
    return null;
  }
  if (store === undefined) throw new Error('the node is not open yet');
  if (request.op === 'get') return store.get(request.key!);
  if (request.op === 'set') return store.set(request.key, request.value);
  if (request.op === 'status') return store.status();
  return store.close();
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
