/** Writes of keys that other nodes hold: each holder's copy is gone, and its word that it is, before a write is acknowledged. */
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS } from '../model.ts';
import { type Entrant, filling, paired } from '../paired.ts';
import type { Contender } from '../stores/store.ts';
import { type Case, resultOf } from './case.ts';

const KEYS = { from: 0, count: 1000 };
const SIZE = 16;
const IN_FLIGHT = 64;
const PASS = { inFlight: IN_FLIGHT, keys: KEYS, size: SIZE };

/** One pass over the keys; before it every holder reads all of them, which is not measured. */
function withHolders(writer: Agent, holders: readonly Agent[], contender: string): Entrant {
  let expected = 0;
  return {
    contender,
    run: async (ms) => {
      const sample = await filling(ms, async () => {
        await Promise.all(holders.map((holder) => holder.ask('pass', { op: 'get', ...PASS })));
        const pass = await writer.ask('pass', { op: 'set', ...PASS });
        expected += holders.length * KEYS.count;
        return { sample: pass, tookMs: (KEYS.count / pass.value) * 1000 };
      });
      const received = await invalidationsOf(holders);
      if (received < expected) throw new Error(`${received} invalidations for ${expected} copies`);
      return sample;
    },
  };
}

async function invalidationsOf(holders: readonly Agent[]): Promise<number> {
  let sum = 0;
  for (const holder of holders) {
    const { counters } = (await holder.ask('status', null)) as { counters: { invalidationsReceived: number } };
    sum += counters.invalidationsReceived;
  }
  return sum;
}

/** A leader, a writer, and the holders. */
async function clusterOf(context: Context, holders: number): Promise<Entrant> {
  const [leader, writer, ...others] = await context.nodes(2 + holders);
  await leader!.ask('pass', { op: 'set', ...PASS });
  return withHolders(writer!, others, holders === 3 ? OURS : `${holders} holders`);
}

async function againstPeers(context: Context): Promise<CaseResult[]> {
  const entrants = [await clusterOf(context, 3)];
  for (const contender of context.available(['etcd', 'ZooKeeper'] satisfies Contender[])) {
    const agent = await context.peer(contender);
    await agent.ask('pass', { op: 'set', ...PASS });
    entrants.push({ contender, run: (ms) => agent.ask('load', { op: 'set', ms, ...PASS }) });
  }
  const about = {
    name: 'set-3-holders',
    title: 'Set of keys that three other nodes hold, 64 in flight, 16 B',
    notes: [
      'Five ZiStore nodes: a leader, a writer, three holders; each write invalidates three copies, and the one that the writer has of its last write. etcd and ZooKeeper: one server, its files in memory where /dev/shm exists, no watchers.',
    ],
  };
  return [resultOf(context, about, await paired(context, entrants))];
}

async function byHolders(context: Context): Promise<CaseResult[]> {
  const entrants: Entrant[] = [];
  for (const holders of [0, 1, 3, 15]) {
    entrants.push({
      ...(await clusterOf(context, holders)),
      contender: holders === 1 ? '1 holder' : `${holders} holders`,
    });
  }
  const about = {
    name: 'set-by-holders',
    title: 'Set of keys that other nodes hold, 64 in flight, 16 B',
    notes: [
      'Every node is a process of its own on this machine, which has few cores: with 15 holders they wait for each other.',
    ],
  };
  return [resultOf(context, about, await paired(context, entrants))];
}

export const holderCases: readonly Case[] = [
  { name: 'set-3-holders', quick: true, run: againstPeers },
  { name: 'set-by-holders', run: byHolders },
];
