/** The scenes on the core as it is: nothing may go wrong in any of them. */
import { describe, expect, it } from '@jest/globals';
import { watchLeases } from './checker-leases.ts';
import { playScene } from './directed.ts';
import { scenes } from './directed-scenes.ts';

const SEEDS = 25;

describe.each(Object.keys(scenes))('the scene %s', (name) => {
  it(`goes well in ${SEEDS} seeds`, async () => {
    const violations: string[] = [];
    const stop = watchLeases((violation) => violations.push(violation));
    for (let seed = 1; seed <= SEEDS; seed++) violations.push(...(await playScene(seed, name)).violations);
    stop();
    expect(violations).toEqual([]);
  });

  it('is the same again with the same seed', async () => {
    expect((await playScene(7, name)).history).toEqual((await playScene(7, name)).history);
  });
});
