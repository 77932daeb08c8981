/** Reads that are not cached, and writes that nobody holds: one round trip each, alone and many at a time. */

import type { Operation } from '../agent/jobs.ts';
import type { Agent } from '../agent-process.ts';
import type { Context } from '../context.ts';
import { type CaseResult, OURS } from '../model.ts';
import { type Entrant, paired } from '../paired.ts';
import type { Contender } from '../stores/store.ts';
import { type Case, resultOf } from './case.ts';

const KEYS = { from: 0, count: 20_000 };
const PEERS: readonly Contender[] = ['node-redis', 'ioredis', 'net echo', 'ws echo'];
/** Fewer than there are keys, which are read in turn: each has been evicted when its turn comes again. */
const CACHED = { maxEntries: 1000 };

async function clientOf(context: Context, contender: Contender, size: number): Promise<Agent> {
  const fill = { op: 'set', inFlight: 64, keys: KEYS, size } as const;
  if (contender === OURS) {
    const [leader, follower] = await context.nodes(2, { cache: CACHED });
    await leader!.ask('pass', fill);
    return follower!;
  }
  const agent = await context.peer(contender, size);
  if (!contender.endsWith('echo')) await agent.ask('pass', fill);
  return agent;
}

const words = (size: number): string => (size === 16 ? '16 B' : '1 KiB');
const nameOf = (op: Operation, inFlight: number, size: number): string =>
  `${op}-${inFlight}-${words(size).replace(' ', '')}`;

/** All of one size, so that processes are started once. */
async function roundTrips(context: Context, size: number, flights: readonly number[]): Promise<CaseResult[]> {
  const peers = context.effort.quick ? (['node-redis'] as const) : PEERS;
  const contenders = [OURS, ...context.available(peers)] as Contender[];
  const clients = new Map<Contender, Agent>();
  for (const contender of contenders) clients.set(contender, await clientOf(context, contender, size));
  const results: CaseResult[] = [];
  for (const op of ['get', 'set'] as const) {
    for (const inFlight of flights) {
      if (context.wants(nameOf(op, inFlight, size))) results.push(await one(context, clients, op, inFlight, size));
    }
  }
  return results;
}

async function one(
  context: Context,
  clients: ReadonlyMap<Contender, Agent>,
  op: Operation,
  inFlight: number,
  size: number,
): Promise<CaseResult> {
  const entrants = [...clients].map(([contender, agent]): Entrant => {
    // What an echo answers tells nothing of keys: its reads are sent like writes, and come back as such.
    const how = contender.endsWith('echo') ? 'set' : op;
    const shape = { op: how, inFlight, keys: KEYS, size, unchecked: contender.endsWith('echo') };
    return { contender, run: (ms) => agent.ask('load', { ...shape, ms }) };
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

export const roundTripCases: readonly Case[] = [
  roundTripCase('round-trips-16B', 16, true),
  roundTripCase('round-trips-1KiB', 1024),
];
