/** The simulation as it is run by everybody: as `npm run sim` runs it, and the seeds that once failed. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { formatHistory, parseHistory } from './checker-history.ts';
import { KEPT_SEEDS } from './kept-seeds.ts';
import { PROFILES, profileOf } from './profiles.ts';
import { runSeed, type SeedResult } from './seed.ts';
import { Totals } from './totals.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/sim.mjs', import.meta.url));
const SEEDS = 500;
const RUN_MS = 180_000 * Number(process.env.ZISTORE_TEST_TIME_SCALE ?? 1);

interface Run {
  readonly code: number;
  readonly answer: Record<string, unknown>;
  readonly error: string;
}

function sim(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], { timeout: RUN_MS }, (failure, stdout, error) => {
      const code = failure === null ? 0 : typeof failure.code === 'number' ? failure.code : -1;
      const last = stdout.trim().split('\n').at(-1) ?? '';
      resolve({ code, answer: last === '' ? {} : JSON.parse(last), error });
    });
  });
}

const nothingWrong = (result: SeedResult): void =>
  expect({ seed: result.seed, violations: result.violations }).toEqual({ seed: result.seed, violations: [] });

describe('the simulation', () => {
  it(
    `${SEEDS} seeds: every history is linearizable, and what must always hold does (Z19 Z22 Z27 Z30 Z41)`,
    async () => {
      const { code, answer, error } = await sim('--seeds', String(SEEDS), '--json');
      expect({ code, error, violations: answer.violations }).toEqual({ code: 0, error: '', violations: 0 });
      expect(answer).toEqual({
        seeds: SEEDS,
        operations: expect.any(Number),
        cacheHits: expect.any(Number),
        leaderChanges: expect.any(Number),
        faults: expect.any(Object),
        violations: 0,
        seconds: expect.any(Number),
      });
    },
    RUN_MS,
  );

  it.each(KEPT_SEEDS)('seed $seed ($profile), which once found: $found', async ({ seed, profile }) => {
    nothingWrong(await runSeed({ seed, profile }));
  });

  it.each(PROFILES.map(({ name }) => name))(
    '%s: the same seed makes the same history, byte for byte',
    async (profile) => {
      const [first, second] = [await runSeed({ seed: 11, profile }), await runSeed({ seed: 11, profile })];
      nothingWrong(first);
      expect(first.history.length).toBeGreaterThan(50);
      expect(formatHistory(second.history)).toBe(formatHistory(first.history));
    },
  );

  it('writes histories that any checker can read, those of the seeds one after the other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zistore-sim-'));
    try {
      const file = join(folder, 'history.jsonl');
      const { code } = await sim('--seeds', '30', '--history', file, '--json');
      const history = parseHistory(readFileSync(file, 'utf8'));
      const alone = await runSeed({ seed: 30 });
      expect(code).toBe(0);
      expect(formatHistory(history.filter(({ k }) => k.startsWith('30/')))).toBe(formatHistory(alone.history));
      expect(new Set(history.map(({ k }) => k.split('/')[0])).size).toBe(30);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a replay runs one seed again, under its own profile or a given one', async () => {
    const { code, answer } = await sim('--replay', '5', '--profile', 'calm', '--json');
    const again = await runSeed({ seed: 5, profile: 'calm' });
    expect({ code, operations: answer.operations }).toEqual({ code: 0, operations: again.operations });
    expect(profileOf(5).name).not.toBe('calm');
  });

  it('says what is wrong with its arguments, and how they are used', async () => {
    for (const args of [['--profile', 'sunny'], ['--seeds', '0'], ['--mutation', 'none'], ['--what']]) {
      const { code, error } = await sim(...args);
      expect({ code, usage: error.includes('usage: npm run sim --') }).toEqual({ code: 2, usage: true });
    }
  });
});

describe('what seeds come to', () => {
  const result: SeedResult = {
    seed: 1,
    profile: 'calm',
    operations: 100,
    cacheHits: 13,
    leaderChanges: 1,
    faults: { crash: 2 },
    violations: [],
    history: [],
  };
  const totalsOf = (...results: Partial<SeedResult>[]): Totals => {
    const totals = new Totals();
    for (const each of results) totals.add({ ...result, ...each });
    return totals;
  };

  it('adds up', () => {
    const totals = totalsOf({}, { faults: { crash: 1, leave: 4 }, violations: ['one', 'two'] });
    expect(totals.toJSON()).toEqual({
      seeds: 2,
      operations: 200,
      cacheHits: 26,
      leaderChanges: 2,
      faults: { crash: 3, leave: 4 },
      violations: 2,
    });
  });

  it('means nothing with less than 100 operations, 13 cache hits or one change of the leader a seed on average', () => {
    expect(totalsOf({}, {}).tooLittle()).toEqual([]);
    expect(totalsOf({}, { operations: 99 }).tooLittle()).toEqual([expect.stringContaining('operations')]);
    expect(totalsOf({ cacheHits: 12 }, {}).tooLittle()).toEqual([expect.stringContaining('cacheHits')]);
    expect(totalsOf({}, { leaderChanges: 0 }).tooLittle()).toEqual([expect.stringContaining('leaderChanges')]);
  });
});
