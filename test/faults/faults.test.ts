/** `npm run faults`, shortly: the promise (docs/protocol.md) through real faults, as whoever runs it meets it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { checkHistory } from '../sim/checker.ts';
import { parseHistory } from '../sim/checker-history.ts';
import { boundedCommand } from '../support/bounded-command.ts';
import { describeZooKeeper } from '../support/describe-zookeeper.ts';
import { describeWith } from '../support/requirements.ts';
import { scaled } from '../support/wait.ts';
import { whyNoNamespaces } from './namespaces.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SOAK = fileURLToPath(new URL('./soak.ts', import.meta.url));
const LIMIT_MS = scaled(180_000);
/** Then it is asked to end, and says what it has found so far. */
const RUN_LIMIT_MS = LIMIT_MS - scaled(30_000);

const faults = (...args: readonly string[]) =>
  boundedCommand(process.execPath, ['--import', 'tsx', MAIN, ...args], { limitMs: RUN_LIMIT_MS });

const folder = mkdtempSync(join(tmpdir(), 'zistore-faults-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Z02 Z04 Z05 Z13 S11–S13 S17 S21: none of these faults makes any read stale or keeps anybody from serving again. */
async function runShortly(seed: number, minutes: number, kinds: readonly string[], ...more: readonly string[]) {
  const history = join(folder, `history-${seed}.jsonl`);
  const fixed = ['--minutes', String(minutes), '--seed', String(seed), '--rate', '400', '--history', history];
  const ended = await faults(...fixed, '--only', kinds.join(','), ...more);
  // Whoever reads this wants to know where the evidence is.
  expect(ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error:') });
  expect(ended.stdout.trim().split('\n')).toHaveLength(1);
  const line = JSON.parse(ended.stdout);
  expect(line).toMatchObject({ seed, violations: 0, staleReads: 0, undecided: 0 });
  expect(Object.keys(line.faults).sort()).toEqual([...kinds].sort());
  expect(Object.values(line.faults).reduce((sum: number, count) => sum + Number(count), 0)).toBeGreaterThan(2);
  const recorded = parseHistory(readFileSync(history, 'utf8'));
  expect(checkHistory(recorded).verdict).toBe('linearizable');
  expect(recorded.length).toBeGreaterThan(1000);
}

describeWith('namespaces', whyNoNamespaces(), 'a fault run in network namespaces', () => {
  describeZooKeeper(
    'with an ensemble',
    () => {
      it(
        'keeps the promise, and every node serves at the end',
        () => runShortly(1, 0.5, ['kill', 'stop', 'cut-zookeeper', 'split', 'cut-one-way-in', 'zookeeper-leader-cut']),
        LIMIT_MS,
      );
    },
    'local',
  );
});

describeZooKeeper(
  'a fault run over freezing proxies',
  () => {
    it(
      'keeps the promise, and says which faults it cannot make',
      () => runShortly(2, 0.25, ['kill', 'cut-zookeeper', 'shut'], '--proxies'),
      LIMIT_MS,
    );
  },
  'local',
);

describeZooKeeper(
  'a fault run that is interrupted',
  () => {
    it.each([
      ['while it sets up', 0],
      ['while it runs', 12_000],
    ])(
      'is no pass, and ends soon: %s',
      async (_when, afterMs) => {
        let interruptedAt = 0;
        const args = ['--import', 'tsx', MAIN, '--minutes', '5', '--seed', '9', '--proxies'];
        const ended = await boundedCommand(process.execPath, args, {
          limitMs: RUN_LIMIT_MS,
          onStderr: (_text, interrupt) => {
            if (interruptedAt > 0) return;
            interruptedAt = performance.now() + afterMs;
            setTimeout(interrupt, afterMs);
          },
        });
        expect(ended).toMatchObject({ code: 1, late: false });
        expect(JSON.parse(ended.stdout).problems).toContain('it did not run to its end: ended by SIGINT');
        // Far from its five minutes: taking everything down is all that is left to do.
        expect(performance.now() - interruptedAt).toBeLessThan(scaled(30_000));
      },
      LIMIT_MS,
    );
  },
  'local',
);

describe('the command line of the fault run', () => {
  it.each([
    ['an unknown option', ['--minuts', '1']],
    ['a number that is none', ['--minutes', 'ten']],
    ['no time at all', ['--minutes', '0']],
    ['a kind that does not exist', ['--only', 'kill,earthquake']],
    ['a rule that does not exist', ['--mutation', 'nosuch']],
    ['an argument too many', ['ten']],
  ])('refuses %s with exit code 2', async (_what, args) => {
    const { code, stdout, stderr } = await faults(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/error: .*\n[\s\S]*Usage:/);
  });

  it('refuses a soak run that is too short to show growth', async () => {
    const limitMs = RUN_LIMIT_MS;
    const { code, stderr } = await boundedCommand(process.execPath, ['--import', 'tsx', SOAK, '--hours', '0.05'], {
      limitMs,
    });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Expected 0.1 or more') });
    const help = await boundedCommand(process.execPath, ['--import', 'tsx', SOAK, '--help'], { limitMs });
    expect(help.stdout.replace(/\s+/g, ' ')).toContain('0.1 at least');
  });

  it('has help that names every kind of fault', async () => {
    const { code, stdout } = await faults('--help');
    expect(code).toBe(0);
    for (const word of ['--minutes', '--seed', '--nodes', '--history', 'zookeeper-leader-cut', 'rolling-restart']) {
      expect(stdout).toContain(word);
    }
  });
});
