/**
 * The rules of docs/protocol.md, each with a way to take it out: the proof that the simulation would notice.
 *
 * A mutation changes classes of the core in the process that it is applied in, for good, so it gets a process of its
 * own. The core knows nothing of it. Where two rules guard the same door, a mutation takes out both, and says so.
 */
import { mutationsOfCopies } from './mutations-copies.ts';
import { mutationsOfLeases } from './mutations-leases.ts';
import { moreMutations } from './mutations-more.ts';
import { mutationsOfTakeover } from './mutations-takeover.ts';
import { mutationsOfWrites } from './mutations-writes.ts';

export interface Mutation {
  readonly name: string;
  /** What docs/protocol.md says, and this makes untrue. */
  readonly rule: string;
  apply(): void;
}

export const mutations: readonly Mutation[] = [
  ...mutationsOfWrites,
  ...mutationsOfLeases,
  ...mutationsOfTakeover,
  ...mutationsOfCopies,
  ...moreMutations,
];

export function mutationNamed(name: string): Mutation {
  const mutation = mutations.find((candidate) => candidate.name === name);
  if (mutation === undefined) {
    throw new Error(
      `no mutation ${JSON.stringify(name)}; there are ${mutations.map((known) => known.name).join(', ')}`,
    );
  }
  return mutation;
}
