/**
 * The mutations as such; that each is noticed is for `npm run sim -- --mutations` to prove. They change the core's
 * classes for good: no other test may share this file's process state, and none does.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { mutationNamed, mutations } from './mutations.ts';
import { playSeed } from './mutations-run.ts';

describe('the mutations', () => {
  it('have names of their own, say which rule they take out, and stand in docs/testing.md', () => {
    expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length);
    for (const { rule } of mutations) expect(rule.length).toBeGreaterThan(20);
    const guide = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');
    expect(mutations.filter(({ name }) => !guide.includes(`\`${name}\``))).toEqual([]);
    expect(() => mutationNamed('none such')).toThrow(/there are acknowledgements-not-awaited, /);
  });

  it('are noticed, where nothing was without them', async () => {
    expect((await playSeed(1)).violations).toEqual([]);
    mutationNamed('acknowledgements-not-awaited').apply();
    expect((await playSeed(1)).violations).not.toEqual([]);
  });

  it('still find what they change in the core', () => {
    for (const mutation of mutations) mutation.apply();
  });
});
