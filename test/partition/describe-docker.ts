/** Tests that need containers: without Docker they are skipped aloud, or fail where ZISTORE_REQUIRE names `docker`. */
import { describe, it } from '@jest/globals';
import { whyNoDocker } from './engine.ts';
import { whyNoFiltering } from './filter.ts';

const isRequired = (): boolean => (process.env.ZISTORE_REQUIRE ?? '').split(',').includes('docker');

const failing = (reason: string) => (): never => {
  throw new Error(reason);
};

/** A module waits for it before it defines its tests: jest wants to know at once which of them are skipped. */
export async function describeDocker(name: string, body: () => void): Promise<void> {
  const reason = await whyNoDocker();
  if (reason === null) describe(name, body);
  else if (isRequired()) describe(name, () => it('needs Docker, which ZISTORE_REQUIRE demands', failing(reason)));
  else describe.skip(`${name} [SKIPPED: ${reason}]`, body);
}

/** `it` for cuts that `docker network disconnect` cannot make: between two containers alone, or in one direction. */
export function itFilters(name: string, body: () => Promise<void>): void {
  const reason = whyNoFiltering();
  if (reason === null) it(name, body);
  else if (isRequired()) it(name, failing(reason));
  else describe.skip(`cuts between two containers [SKIPPED: ${reason}]`, () => it(name, body));
}
