/** A node alone, against an embedded store. */
import type { Context } from '../context.ts';
import { type CaseResult, OURS } from '../model.ts';
import { type Entrant, paired } from '../paired.ts';
import type { Contender } from '../stores/store.ts';
import { type Case, resultOf } from './case.ts';

const KEYS = { from: 0, count: 20_000 };
const SIZE = 16;

async function lone(context: Context, name: string, inFlight: number): Promise<CaseResult[]> {
  const entrants: Entrant[] = [];
  for (const contender of [OURS, 'classic-level', 'Map'] satisfies Contender[]) {
    const agent = contender === OURS ? (await context.nodes(1))[0]! : await context.peer(contender);
    entrants.push({ contender, run: (ms) => agent.ask('load', { op: 'set', inFlight, ms, keys: KEYS, size: SIZE }) });
  }
  const about = {
    name,
    title: `Set on a lone node, 16 B, ${inFlight === 1 ? 'awaited one by one' : `${inFlight} in flight`}`,
    notes: [
      'No peer but an embedded store can be asked from the same process. classic-level writes to its log without flushing it, as it does unless told otherwise; ZiStore and the Map keep it in memory only.',
    ],
  };
  return [resultOf(context, about, await paired(context, entrants))];
}

export const loneCases: readonly Case[] = [
  { name: 'lone-set', quick: true, run: (context) => lone(context, 'lone-set', 1) },
  { name: 'lone-set-64', run: (context) => lone(context, 'lone-set-64', 64) },
];
