/** What `npm run sim` can be asked for. */
import { parseArgs } from 'node:util';
import { profileNamed } from './profiles.ts';

export const USAGE = `usage: npm run sim -- [--seeds N] [--from S] [--profile NAME] [--history FILE] [--json]
       npm run sim -- --replay SEED [--profile NAME | --mutation NAME] [--history FILE] [--svg FILE] [--json]
       npm run sim -- --mutations [--mutation NAME,…] [--seeds N] [--json]`;

/** Up to which a mutation that nobody notices is looked for. */
const MUTATION_SEEDS = 20_000;
const SEEDS = 500;

export interface Options {
  readonly seeds: number;
  readonly from: number;
  /** Default: each seed's own, out of the mixture. */
  readonly profile: string | undefined;
  readonly replay: number | undefined;
  /** File to write. */
  readonly history: string | undefined;
  /** File to write: the first counter-example of a replay. */
  readonly svg: string | undefined;
  /** Nothing but the JSON. */
  readonly json: boolean;
  readonly mutations: boolean;
  readonly mutation: string | undefined;
}

/** Throws an Error that says what is wrong with the arguments. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      profile: { type: 'string' },
      replay: { type: 'string' },
      history: { type: 'string' },
      svg: { type: 'string' },
      json: { type: 'boolean', default: false },
      mutations: { type: 'boolean', default: false },
      mutation: { type: 'string' },
    },
  });
  const { profile, replay, history, svg, json, mutations, mutation } = values;
  if (profile !== undefined) profileNamed(profile);
  if (mutation !== undefined && !mutations && replay === undefined) {
    throw new Error('--mutation: goes with --mutations or --replay');
  }
  return {
    seeds: whole('--seeds', values.seeds ?? String(mutations ? MUTATION_SEEDS : SEEDS)),
    from: whole('--from', values.from),
    profile,
    replay: replay === undefined ? undefined : whole('--replay', replay),
    history,
    svg,
    json,
    mutations,
    mutation,
  };
}

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new Error(`${name}: expected a whole number above 0, got ${text}`);
}
