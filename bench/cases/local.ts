/** Reads from memory: awaited, and `peek`. */
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS } from '../model.ts';
import { type Entrant, paired } from '../paired.ts';
import type { Contender } from '../stores/store.ts';
import { type Case, resultOf } from './case.ts';

const KEYS = { from: 0, count: 10_000 };
const SIZE = 16;
const FILL = { inFlight: 64, keys: KEYS, size: SIZE };

/** A follower, which has read everything from its leader. */
export async function warmFollower(context: Context): Promise<Agent> {
  const [leader, follower] = await context.nodes(2);
  await leader!.ask('pass', { op: 'set', ...FILL });
  await follower!.ask('pass', { op: 'get', ...FILL });
  return follower!;
}

async function warmPeer(context: Context, contender: Contender): Promise<Agent> {
  const agent = await context.peer(contender);
  await agent.ask('pass', { op: 'set', ...FILL });
  await agent.ask('pass', { op: 'get', ...FILL });
  return agent;
}

async function local(
  context: Context,
  how: 'get' | 'peek',
  peers: readonly Contender[],
  about: { name: string; title: string; notes: readonly string[] },
): Promise<CaseResult[]> {
  const entrants: Entrant[] = [];
  for (const contender of [OURS, ...context.available(peers)] as Contender[]) {
    const agent = contender === OURS ? await warmFollower(context) : await warmPeer(context, contender);
    entrants.push({ contender, run: (ms) => agent.ask('local', { how, ms, keys: KEYS, size: SIZE }) });
  }
  return [resultOf(context, about, await paired(context, entrants))];
}

export const localCases: readonly Case[] = [
  {
    name: 'cached-get',
    quick: true,
    run: (context) =>
      local(context, 'get', ['node-redis cache', 'lru-cache', 'Map'], {
        name: 'cached-get',
        title: 'Cached get, awaited one by one',
        notes: [
          '10,000 keys of 16 B with values of 16 B, all in the memory of the process that reads.',
          '“Map” is an async method that reads the clock and a Map; “lru-cache” an async method around one.',
        ],
      }),
  },
  {
    name: 'peek',
    quick: true,
    run: (context) =>
      local(context, 'peek', ['lru-cache', 'Map'], {
        name: 'peek',
        title: 'Synchronous read from memory',
        notes: ['“Map” is performance.now() and Map.get; “lru-cache” its get alone.'],
      }),
  },
];
