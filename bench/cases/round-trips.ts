/** Reads that are not cached, and writes that nobody holds: one round trip each, alone and many at a time. */

import type { LoadShape, Operation } from '../agent/jobs.ts';
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS } from '../model.ts';
import { type Entrant, filling, paired } from '../paired.ts';
import type { Contender } from '../stores/store.ts';
import { type Case, resultOf } from './case.ts';

const KEYS = { from: 0, count: 20_000 };
const PEERS: readonly Contender[] = ['node-redis', 'ioredis', 'net echo', 'ws echo'];
/** Fewer than there are keys, which are read in turn: each has been evicted when its turn comes again. */
const CACHED = { maxEntries: 1000 };

/** One at a time a program takes long until the compiler has seen enough of it. */
const WARM_UP_MS = 500;

interface Client {
  readonly agent: Agent;
  readonly leader?: Agent;
}

async function clientOf(context: Context, contender: Contender, size: number): Promise<Client> {
  const fill = { op: 'set', inFlight: 64, keys: KEYS, size } as const;
  if (contender === OURS) {
    const [leader, follower] = await context.nodes(2, { cache: CACHED });
    await leader!.ask('pass', fill);
    return { agent: follower!, leader: leader! };
  }
  const agent = await context.peer(contender, size);
  if (!contender.endsWith('echo')) await agent.ask('pass', fill);
  return { agent };
}

const words = (size: number): string => (size === 16 ? '16 B' : '1 KiB');
const nameOf = (op: Operation, inFlight: number, size: number): string =>
  `${op}-${inFlight}-${words(size).replace(' ', '')}`;

/** All of one size, so that processes are started once. */
async function roundTrips(context: Context, size: number, flights: readonly number[]): Promise<CaseResult[]> {
  const peers = context.effort.quick ? (['node-redis'] as const) : PEERS;
  const contenders = [OURS, ...context.available(peers)] as Contender[];
  const clients = new Map<Contender, Client>();
  for (const contender of contenders) clients.set(contender, await clientOf(context, contender, size));
  for (const [contender, { agent }] of clients) {
    context.progress.step(`${contender}, warming up`);
    const shape = { inFlight: 16, keys: KEYS, size, unchecked: contender.endsWith('echo') };
    for (const op of ['get', 'set'] as const)
      await agent.ask('load', { ...shape, op: shape.unchecked ? 'set' : op, ms: WARM_UP_MS });
  }
  for (const op of ['get', 'set'] as const) {
    for (const inFlight of flights) {
      if (context.wants(nameOf(op, inFlight, size)))
        context.results.push(await one(context, clients, op, inFlight, size));
    }
  }
  return context.results;
}

/**
 * A writer becomes the holder of what it writes, so that it would meet its own copies when it came round. Before each
 * pass the leader overwrites all keys, which is not measured: then nobody holds any.
 */
function freshWrites(contender: string, leader: Agent, writer: Agent, shape: Omit<LoadShape, 'ms'>): Entrant {
  const { keys, size } = shape;
  return {
    contender,
    run: (ms) =>
      filling(ms, async () => {
        await leader.ask('pass', { op: 'set', inFlight: 256, keys, size });
        const sample = await writer.ask('load', { ...shape, ms, once: true });
        return { sample, tookMs: Math.min(ms, (keys.count / sample.value) * 1000) };
      }),
  };
}

async function one(
  context: Context,
  clients: ReadonlyMap<Contender, Client>,
  op: Operation,
  inFlight: number,
  size: number,
): Promise<CaseResult> {
  const entrants = [...clients].map(([contender, client]): Entrant => {
    // What an echo answers tells nothing of keys: its reads are sent like writes, and come back as such.
    const isEcho = contender.endsWith('echo');
    const shape = { op: isEcho ? 'set' : op, inFlight, keys: KEYS, size, unchecked: isEcho } as const;
    if (op === 'set' && client.leader !== undefined) return freshWrites(contender, client.leader, client.agent, shape);
    return { contender, run: (ms) => client.agent.ask('load', { ...shape, ms }) };
  });
  const what = op === 'get' ? 'Uncached get' : 'Set without holders';
  const about = {
    name: nameOf(op, inFlight, size),
    title: `${what}, ${inFlight} in flight, ${words(size)}`,
    notes: ['One client process, one server process. The echoes send as many bytes forth and back as a value has.'],
  };
  return resultOf(context, about, await paired(context, entrants));
}

const FLIGHTS = [1, 16, 256];

function roundTripCase(name: string, size: number, quick?: true): Case {
  const covers = (['get', 'set'] as const).flatMap((op) => FLIGHTS.map((inFlight) => nameOf(op, inFlight, size)));
  const run = (context: Context): Promise<CaseResult[]> =>
    roundTrips(context, size, context.effort.quick ? [1, 256] : FLIGHTS);
  return { name, covers, run, ...(quick && { quick }) };
}

/** The natural use, too: one node keeps writing the same keys, and the leader asks it to give up its own copies. */
async function ownWrites(context: Context): Promise<CaseResult[]> {
  const entrants: Entrant[] = [];
  for (const contender of [OURS, ...context.available(['node-redis'])] as Contender[]) {
    const { agent } = await clientOf(context, contender, 16);
    const shape = { op: 'set', inFlight: 256, keys: KEYS, size: 16 } as const;
    entrants.push({ contender, run: (ms) => agent.ask('load', { ...shape, ms }) });
  }
  const about = {
    name: 'set-own-256-16B',
    title: 'Set of keys that the writer itself wrote last, 256 in flight, 16 B',
    notes: ['The writer is then a holder: at ZiStore such a write takes an invalidation.'],
  };
  return [resultOf(context, about, await paired(context, entrants))];
}

export const roundTripCases: readonly Case[] = [
  roundTripCase('round-trips-16B', 16, true),
  roundTripCase('round-trips-1KiB', 1024),
  { name: 'set-own-256-16B', run: ownWrites },
];
