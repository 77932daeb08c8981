/** The znodes of one cluster. */
import type { Address } from './types.ts';

export interface Paths {
  /** Every persistent znode but `config` and `served`, parents first. */
  readonly directories: readonly string[];
  readonly config: string;
  readonly served: string;
  readonly members: string;
  readonly election: string;
  member(address: Address): string;
  candidate(name: string): string;
}

export function pathsOf(cluster: string): Paths {
  const root = `/zistore/${cluster}`;
  const members = `${root}/members`;
  const election = `${root}/election`;
  return {
    directories: ['/zistore', root, members, election],
    config: `${root}/config`,
    served: `${root}/served`,
    members,
    election,
    member: (address) => `${members}/${address}`,
    candidate: (name) => `${election}/${name}`,
  };
}
