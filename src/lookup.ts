/**
 * Addresses of host names, for connections. A network that is cut has often no name service either: the system's
 * resolver then takes ten seconds to say so, two at a time, and whoever asks once the network is back waits behind them
 * (Z02). So what a name meant last is kept, and serves where no answer comes.
 */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Clock } from './ports.ts';

/** After so long without an answer, what the name meant last is taken. Milliseconds. */
export const LOOKUP_PATIENCE_MS = 200;

/** Names that are remembered. */
const MOST_NAMES = 1000;

/** The resolver cannot be reached, or is out of order: this says nothing of the name. */
const NO_WORD = new Set(['EAI_AGAIN', 'EAI_SYSTEM', 'EAI_MEMORY']);

type Addresses = string | LookupAddress[];
type Callback = Parameters<LookupFunction>[2];
type Answer = (error: NodeJS.ErrnoException | null, addresses: Addresses, family?: number) => void;

/** What asks for addresses; the real one by default. */
export type Resolver = (hostname: string, options: LookupOptions, callback: Answer) => void;

interface Known {
  readonly addresses: Addresses;
  readonly family: number | undefined;
}

/** One for all connections of a node. At most one question of a name is open at a time; the others wait for its answer. */
export function createLookup(clock: Clock, resolve: Resolver = systemLookup as Resolver): LookupFunction {
  const known = new LRUCache<string, Known>({ max: MOST_NAMES });
  const open = new Map<string, Set<Answer>>();

  const ask = (name: string, hostname: string, options: LookupOptions, waiting: Set<Answer>): void => {
    open.set(name, waiting);
    resolve(hostname, options, (error, addresses, family) => {
      open.delete(name);
      const last = known.get(name);
      if (error === null) known.set(name, { addresses, family });
      else if (!NO_WORD.has(error.code ?? '')) known.delete(name);
      const isSilent = error !== null && NO_WORD.has(error.code ?? '') && last !== undefined;
      for (const answer of waiting) {
        if (isSilent) answer(null, last.addresses, last.family);
        else answer(error, addresses, family);
      }
    });
  };

  return (hostname, options, callback: Callback) => {
    const name = `${hostname} ${options.family ?? 0} ${options.hints ?? 0} ${options.all === true}`;
    let cancel = (): void => {};
    const waiting = open.get(name) ?? new Set<Answer>();
    const answer: Answer = (error, addresses, family) => {
      cancel();
      callback(error, addresses, family);
    };
    waiting.add(answer);
    const last = known.get(name);
    if (last !== undefined) {
      cancel = clock.setTimer(LOOKUP_PATIENCE_MS, () => {
        waiting.delete(answer);
        callback(null, last.addresses, last.family);
      });
    }
    if (!open.has(name)) ask(name, hostname, options, waiting);
  };
}
