/** The verdict on timelines whose verdict is known. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isPass, Judge, judge, keepVerdict, longestGapMs } from '../../faults/verdict.ts';
import { parseHistory } from '../../sim/checker-history.ts';
import { cluster, ms, type Told, takenOver } from './told.ts';

const verdictOf = ({ timeline }: Told) => judge(timeline);

describe('the verdict on a run', () => {
  it('passes what is as it should be', () => {
    const told = cluster(2).put(1, 'k', '1-1', 10, 20).get(2, 'k', '1-1', 15, 18).get(2, 'k', '1-1', 30, 31);
    const verdict = verdictOf(told.del(2, 'k', 40, 50).get(1, 'k', null, 60, 61).notApplied(1, 'k', '1-2', 70, 80));
    expect(verdict).toMatchObject({ operations: 5, acknowledged: 5, violations: 0, undecided: 0, staleReads: 0 });
    expect(isPass(verdict)).toBe(true);
  });

  it('sees a stale read after an acknowledged write', () => {
    const told = cluster(2).put(1, 'k', '1-1', 10, 20).put(1, 'k', '1-2', 30, 40).get(2, 'k', '1-1', 41, 42);
    const verdict = verdictOf(told);
    expect(verdict).toMatchObject({ violations: 1, staleReads: 1 });
    expect(verdict.counterExamples[0]?.why).toContain('although the write of "1-2" by client 1');
    expect(isPass(verdict)).toBe(false);
  });

  it('does not call a read stale that was called before the write had been acknowledged', () => {
    const told = cluster(2).put(1, 'k', '1-1', 10, 20).put(1, 'k', '1-2', 30, 40).get(2, 'k', '1-1', 39, 45);
    expect(verdictOf(told)).toMatchObject({ violations: 0, staleReads: 0 });
  });

  it('sees nothing read where a value had been acknowledged and nothing had removed it', () => {
    const told = cluster(2).del(1, 'k', 1, 5).put(1, 'k', '1-1', 10, 20).get(2, 'k', null, 30, 31);
    expect(verdictOf(told)).toMatchObject({ violations: 1, staleReads: 1 });
  });

  it('sees a value lost though one who certainly had it lived on (Z05)', () => {
    const told = takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20).get(3, 'k', '1-1', 30, 31));
    expect(verdictOf(told.get(2, 'k', null, 300, 301))).toMatchObject({ violations: 1, lostKeys: 0 });
  });

  it('passes a value lost with the only one who had it (Z05)', () => {
    const told = takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20)).get(2, 'k', null, 300, 301);
    expect(verdictOf(told)).toMatchObject({ violations: 0, staleReads: 0, lostKeys: 1 });
  });

  it('sees a lost value that comes back', () => {
    const told = takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20)).get(2, 'k', null, 300, 301);
    expect(verdictOf(told.get(3, 'k', '1-1', 310, 311))).toMatchObject({ violations: 1 });
  });

  it('sees a value lost before its leader was gone', () => {
    const told = cluster(2, 3).put(1, 'k', '1-1', 10, 20).get(2, 'k', null, 30, 31).put(1, 'x', '1-2', 40, 50);
    expect(verdictOf(takenOver(told))).toMatchObject({ violations: 1 });
  });

  it('takes what a killed worker was writing for a write of unknown outcome (Z08)', () => {
    const told = () => cluster(2).put(1, 'k', '1-1', 10, 20).intent(1, 'k', '1-2', 30).killed(1, 35);
    expect(verdictOf(told().leads(2, 2, 40).get(2, 'k', '1-1', 50, 51))).toMatchObject({
      violations: 0,
      operations: 3,
    });
    expect(verdictOf(told().leads(2, 2, 40).get(2, 'k', '1-2', 50, 51))).toMatchObject({ violations: 0 });
    const back = told().leads(2, 2, 40).get(2, 'k', '1-2', 50, 51).get(2, 'k', '1-1', 60, 61);
    expect(verdictOf(back)).toMatchObject({ violations: 1 });
  });

  it('takes a write that has not ended for one of unknown outcome, too', () => {
    const told = cluster(2).intent(1, 'k', '1-1', 30).get(2, 'k', '1-1', 50, 51);
    expect(verdictOf(told)).toMatchObject({ violations: 0 });
  });

  it('sees a value read that nobody has written, or that did not happen', () => {
    const nobodys = verdictOf(cluster(2).put(1, 'k', '1-1', 1, 2).get(2, 'k', '7-7', 10, 11));
    expect(nobodys).toMatchObject({ violations: 1, staleReads: 0 });
    expect(nobodys.counterExamples[0]?.why).toContain('which nobody had written by then');
    const refused = cluster(2).notApplied(1, 'k', '1-1', 10, 20).get(2, 'k', '1-1', 30, 31);
    expect(verdictOf(refused)).toMatchObject({ violations: 1 });
  });

  it('does not pass what it could not decide', () => {
    const told = cluster(2);
    for (let i = 0; i < 6; i++) told.put(1, 'k', `1-${i}`, 10 + i, 100).get(2, 'k', `1-${i}`, 20 + i, 90);
    const verdict = judge(told.timeline, { budget: 1 });
    expect(verdict).toMatchObject({ violations: 0, undecided: 1 });
    expect(isPass(verdict)).toBe(false);
  });

  it('counts errors by their codes, and failed reads as operations', () => {
    const { timeline } = cluster(2);
    timeline.heard(2, { ev: 'done', h: [], held: [], codes: { ZISTORE_TIMEOUT: 3, skipped: 2 } }, ms(5));
    timeline.heard(2, { ev: 'done', h: [], held: [], codes: { ZISTORE_TIMEOUT: 1 } }, ms(6));
    const { errors, operations } = judge(timeline);
    expect({ errors, operations }).toEqual({ errors: { ZISTORE_TIMEOUT: 4, skipped: 2 }, operations: 4 });
  });
});

describe('codes that no caller may see', () => {
  const withCodes = (told: Told, codes: Record<string, number>, client = 1): Told => {
    told.timeline.heard(client, { ev: 'done', h: [], held: [], codes }, ms(10));
    return told;
  };

  it('are none of those that faults make', () => {
    const codes = { ZISTORE_SESSION_LOST: 1, ZISTORE_OUTCOME_UNKNOWN: 2, ZISTORE_TIMEOUT: 3, skipped: 4 };
    const verdict = verdictOf(withCodes(cluster(2), codes));
    expect(verdict).toMatchObject({ errors: codes, unexpected: {} });
    expect(isPass(verdict)).toBe(true);
  });

  it.each([
    'unexpected',
    'withoutOutcome',
    'ZISTORE_NOT_LEADER',
    'ZISTORE_LIMIT_EXCEEDED',
    'ZISTORE_COORDINATION_UNAVAILABLE',
    'ZISTORE_CLOSED',
  ])('are %s', (code) => {
    const verdict = verdictOf(withCodes(cluster(2), { [code]: 2 }));
    expect(verdict.unexpected).toEqual({ [code]: 2 });
    expect(isPass(verdict)).toBe(false);
  });

  it('but a node that is leaving is closed', () => {
    const told = cluster(2);
    told.timeline.left(2, ms(5));
    expect(verdictOf(withCodes(told, { ZISTORE_CLOSED: 1 }, 2)).unexpected).toEqual({});
    expect(verdictOf(withCodes(told, { ZISTORE_CLOSED: 1 }, 1)).unexpected).toEqual({ ZISTORE_CLOSED: 1 });
  });
});

describe('a run that is judged bit by bit', () => {
  it('is judged as a whole, and keeps nothing of what is over', () => {
    const told = cluster(2).put(1, 'h1-0', '1-1', 10, 20).put(1, 'h1-0', '1-2', 30, 40).get(2, 'h1-0', '1-1', 50, 51);
    const gradual = new Judge(told.put(1, 'h1-1', '1-3', 60, 70).timeline);
    gradual.settle(ms(200));
    expect(told.timeline.keys.size).toBe(0);
    told.put(1, 'h2-0', '1-4', 210, 220).put(1, 'h2-0', '1-5', 230, 240).get(2, 'h2-0', '1-4', 250, 251);
    const verdict = gradual.verdict();
    expect(verdict).toMatchObject({ operations: 7, violations: 2, staleReads: 2 });
    expect(verdict.counterExamples.map(({ key }) => key)).toEqual(['h1-0', 'h2-0']);
  });

  it('keeps what is not over: cold keys, and hot ones somebody has just used or is writing', () => {
    const told = cluster(2).put(1, 'c1', '1-1', 10, 20).put(1, 'h1-0', '1-2', 90, 100).put(1, 'h1-1', '1-3', 10, 20);
    told.intent(1, 'h1-1', '1-4', 30).unknown(1, 'h1-2', '1-5', 30, 100).notApplied(1, 'h1-3', '1-6', 30, 100);
    new Judge(told.timeline).settle(ms(100));
    expect([...told.timeline.keys.keys()].sort()).toEqual(['c1', 'h1-0', 'h1-1', 'h1-2', 'h1-3']);
    new Judge(told.timeline).settle(ms(101));
    expect([...told.timeline.keys.keys()].sort()).toEqual(['c1', 'h1-1']);
  });
});

describe('the longest time without a write', () => {
  const load = (from: number, to: number) => ({ from: ms(from), to: ms(to) });

  it('is between two acknowledged writes of whomever, while there was load', () => {
    const writesAcknowledged = [ms(900), ms(100), ms(250)];
    expect(longestGapMs({ writesAcknowledged, loads: [load(50, 500), load(400, 1000)] })).toBe(650);
    expect(longestGapMs({ writesAcknowledged, loads: [load(50, 300), load(850, 1000)] })).toBe(150);
  });

  it('leaves out what was before the load', () => {
    expect(longestGapMs({ writesAcknowledged: [ms(10), ms(100)], loads: [load(50, 120)] })).toBe(50);
  });

  it('counts from the beginning of the load and to its end', () => {
    expect(longestGapMs({ writesAcknowledged: [], loads: [load(50, 500)] })).toBe(450);
    expect(longestGapMs({ writesAcknowledged: [ms(400)], loads: [load(50, 500)] })).toBe(350);
  });

  it('is told by workers', () => {
    const told = cluster(2).put(1, 'k', '1-1', 10, 20).get(1, 'k', '1-1', 50, 60);
    told.timeline.loading(1, ms(5));
    told.timeline.quieted(1, ms(100));
    expect(verdictOf(told).maxUnavailableMs).toBe(80);
  });
});

describe('the evidence', () => {
  it('is the history, and each counter-example as a picture and as a table', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zistore-verdict-'));
    try {
      const told = takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20)).get(2, 'k', null, 300, 301);
      const verdict = verdictOf(told.get(3, 'k', '1-1', 310, 311));
      await keepVerdict(join(folder, 'kept'), verdict);
      expect((await readdir(join(folder, 'kept'))).sort()).toEqual([
        'history.jsonl',
        'violation-1.svg',
        'violation-1.txt',
      ]);
      const history = parseHistory(await readFile(join(folder, 'kept', 'history.jsonl'), 'utf8'));
      expect(history.map(({ op }) => op).sort()).toEqual(['get', 'get', 'loss', 'put']);
      expect(await readFile(join(folder, 'kept', 'violation-1.svg'), 'utf8')).toContain(
        'Key &quot;k&quot; is not linearizable',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
