/** The session that the README shows can be typed as it stands there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseLine } from '../../../src/shell/parser.ts';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const typed = [...readme.matchAll(/^zistore> (.*)$/gm)].map(([, line = '']) => line);

describe('the README’s session', () => {
  it('is there', () => {
    expect(typed.length).toBeGreaterThan(5);
  });

  it.each(typed)('has %j, a line that the shell takes', (line) => {
    expect(parseLine(line)).toMatchObject({ ok: true });
  });
});
