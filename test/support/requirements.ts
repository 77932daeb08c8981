/**
 * What tests need of the machine. Without it they are skipped aloud; they fail where ZISTORE_REQUIRE (names, separated by
 * commas) says that the machine is meant to have it.
 */
import { describe, it } from '@jest/globals';

/** `terminal`: util-linux `script`, which lends one. `namespaces`: network namespaces, with iproute2 and nft or iptables. */
export type Requirement = 'zookeeper' | 'docker' | 'terminal' | 'namespaces';

const demanded = (requirement: Requirement): boolean =>
  (process.env.ZISTORE_REQUIRE ?? '').split(',').includes(requirement);

/** `describe` for tests that need `requirement`; `missing` says why they cannot be run here, null that they can. */
export function describeWith(requirement: Requirement, missing: string | null, name: string, body: () => void): void {
  if (missing === null) describe(name, body);
  else if (!demanded(requirement)) describe.skip(`${name} [SKIPPED: ${missing}]`, body);
  else {
    describe(name, () => {
      it(`needs ${requirement}, which ZISTORE_REQUIRE demands`, () => {
        throw new Error(missing);
      });
    });
  }
}
