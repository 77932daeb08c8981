/** What may be lost with those who held it (Z05 Z27 Z30 Z41 S16), and nothing else. */
import { describe, expect, it } from '@jest/globals';
import { lossesOf, uncleanTakeovers } from '../../faults/losses.ts';
import { cluster, ms, Told, takenOver } from './told.ts';

function survey({ timeline }: Told, key = 'k') {
  const open = timeline.openWrites().get(key) ?? [];
  return lossesOf(timeline.historyOf(key), open, uncleanTakeovers(timeline), timeline.reigns);
}

const losses = (told: Told) => survey(told).losses;

const takeovers = ({ timeline }: Told): [number, number][] =>
  uncleanTakeovers(timeline).map(({ from, to }) => [from, to]);

/** Found absent by client 2, which leads by then. */
const absent = (told: Told, at = 300): Told => told.get(2, 'k', null, at, at + 1);

describe('a takeover may lose data', () => {
  it('after the leader was killed, from when it was last known to live', () => {
    const told = cluster(2, 3).put(1, 'x', '1-1', 50, 51);
    expect(takeovers(takenOver(told))).toEqual([[ms(50), ms(200)]]);
  });

  it('after the leader lost its session, though its process lives on', () => {
    const told = cluster(2).put(1, 'x', '1-1', 50, 51).session(1, 'lost', 90).leads(2, 2, 200).follows(1, 2, 250);
    expect(takeovers(told)).toEqual([[ms(50), ms(200)]]);
  });

  it('not after a leader that handed over: it followed the next one in its own session', () => {
    const told = cluster(2).leads(2, 2, 200).follows(1, 2, 201).left(1, 202);
    expect(takeovers(told)).toEqual([]);
  });

  it('after a leader that left without a word, but was gone before anybody had taken over', () => {
    expect(takeovers(cluster(2).left(1, 100).leads(2, 2, 200))).toEqual([[ms(1), ms(200)]]);
  });

  describe('not after a leader that closed', () => {
    const lossy = [[ms(1), ms(200)]];

    it('whatever it followed', () => {
      expect(takeovers(cluster(2).closed(1, 90, 100).leads(2, 2, 200))).toEqual([]);
    });

    it('but where its session was lost meanwhile', () => {
      expect(takeovers(cluster(2).closed(1, 90, 100, { lost: true }).leads(2, 2, 200))).toEqual(lossy);
    });

    it('but where it took all the time that a hand-over may take, so that it went without', () => {
      expect(takeovers(cluster(2).closed(1, 50, 150, { limitMs: 100 }).leads(2, 2, 200))).toEqual(lossy);
    });

    it('but where nobody was there to take over', () => {
      expect(takeovers(cluster().closed(1, 90, 100).started(2, 110).leads(2, 2, 200))).toEqual(lossy);
      const rejoined = cluster(2).session(2, 'lost', 80).closed(1, 90, 100).session(2, 'rejoined', 110);
      expect(takeovers(rejoined.leads(2, 2, 200))).toEqual(lossy);
    });

    it('but where whom it handed over to may be gone already', () => {
      const begun = (): Told => cluster(2, 3).closed(1, 90, 100).role(3, 'recovering', 1, 95);
      expect(takeovers(begun().killed(3, 120).leads(2, 2, 200))).toEqual(lossy);
      expect(takeovers(begun().leads(2, 2, 200).follows(3, 2, 210))).toEqual([]);
    });
  });

  it('not where the same node leads again and nobody can have led in between (S16)', () => {
    const told = cluster(2).put(1, 'x', '1-1', 50, 51).session(1, 'lost', 90).session(1, 'rejoined', 150);
    expect(takeovers(told.role(1, 'recovering', 1, 160).leads(1, 3, 170))).toEqual([]);
  });

  it('where another node was taking over in between, and died before it could say more', () => {
    const told = cluster(2).put(1, 'x', '1-1', 50, 51).session(1, 'lost', 90);
    told.role(2, 'recovering', 1, 100).killed(2, 120).leads(1, 3, 170);
    expect(takeovers(told)).toEqual([[ms(50), ms(170)]]);
  });

  it('where another node was killed before it had said anything', () => {
    const told = cluster()
      .put(1, 'x', '1-1', 70, 71)
      .started(2, 60)
      .session(1, 'lost', 90)
      .killed(2, 120)
      .leads(1, 3, 170);
    expect(takeovers(told)).toEqual([[ms(70), ms(170)]]);
  });

  it('where the node itself had taken over once more and lost that session, too', () => {
    const told = cluster(2).put(1, 'x', '1-1', 50, 51).session(1, 'lost', 90);
    told.role(1, 'recovering', 1, 100).session(1, 'lost', 110).leads(1, 3, 170);
    expect(takeovers(told)).toEqual([[ms(50), ms(170)]]);
  });

  it('not where a leader only says again that it leads', () => {
    expect(takeovers(cluster(2).role(1, 'suspended', 1, 50).role(1, 'leader', 1, 60))).toEqual([]);
  });
});

describe('a key is lost', () => {
  it('where nobody else had a copy', () => {
    const told = takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20));
    expect(losses(absent(told))).toEqual([{ op: 'loss', k: 'k', s: ms(10), t: ms(200) }]);
  });

  it('not where a member that lived on had read it', () => {
    const told = cluster(2, 3).put(1, 'k', '1-1', 10, 20).get(3, 'k', '1-1', 30, 31);
    expect(losses(absent(takenOver(told)))).toEqual([]);
  });

  it('not where a member that lived on had written it', () => {
    expect(losses(absent(takenOver(cluster(2, 3).put(3, 'k', '3-1', 10, 20))))).toEqual([]);
  });

  it('not where the next leader itself had it', () => {
    expect(losses(absent(takenOver(cluster(2, 3).put(2, 'k', '2-1', 10, 20))))).toEqual([]);
  });

  it('not at a later takeover either, as long as nothing was written', () => {
    const told = takenOver(cluster(2, 3).get(3, 'k', '1-1', 30, 31));
    told.killed(2, 300).started(4, 310).leads(4, 4, 400).follows(3, 4, 401).get(4, 'k', null, 500, 501);
    expect(losses(told)).toEqual([]);
  });

  it('not where it was read again after the takeover: what counts is the copy from before', () => {
    const told = takenOver(cluster(2, 3).get(3, 'k', '1-1', 30, 31).get(3, 'k', '1-1', 40, 41));
    expect(losses(absent(told.get(3, 'k', '1-1', 230, 231)))).toEqual([]);
    expect([...told.timeline.historyOf('k').holds.values()].flat()).toHaveLength(2);
  });

  it('where the reader had no copy: a leader that cannot reach it lets it read but not keep', () => {
    const told = cluster(2, 3).put(1, 'k', '1-1', 10, 20).get(3, 'k', '1-1', 30, 31, { held: false });
    expect(losses(absent(takenOver(told)))).toHaveLength(1);
  });

  it('only by who finds it absent afterwards: otherwise it makes no difference', () => {
    const told = takenOver(cluster(2, 3).get(3, 'k', null, 5, 6).put(1, 'k', '1-1', 10, 20));
    expect(losses(told.get(2, 'k', '1-1', 300, 301))).toEqual([]);
  });
});

describe('a key that was never there', () => {
  it('is not lost', () => {
    expect(losses(absent(takenOver(cluster(2, 3).get(3, 'k', null, 30, 31))))).toEqual([]);
    expect(losses(absent(takenOver(cluster(2, 3).del(3, 'k', 30, 31))))).toEqual([]);
    expect(losses(absent(takenOver(cluster(2, 3)).put(2, 'k', '2-1', 220, 230)))).toEqual([]);
  });

  it('may have been for a moment, where a write has an unknown outcome', () => {
    expect(losses(absent(takenOver(cluster(2, 3).unknown(2, 'k', '2-1', 5, 9))))).toHaveLength(1);
    expect(losses(absent(takenOver(cluster(2, 3).intent(1, 'k', '1-1', 5))))).toHaveLength(1);
  });
});

describe('survival is demanded, and shown', () => {
  const kept = (): Told => takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20).get(3, 'k', '1-1', 30, 31));

  it('where a read tells what became of a copy whose holder lived on', () => {
    expect(survey(kept().get(2, 'k', '1-1', 300, 301)).survivals).toBe(1);
    expect(survey(absent(kept())).survivals).toBe(1);
  });

  it('not where nobody looked, or only before it was over', () => {
    expect(survey(kept()).survivals).toBe(0);
    expect(survey(kept().get(3, 'k', '1-1', 190, 210)).survivals).toBe(0);
  });

  it('not where it may have been written anew by then', () => {
    expect(survey(kept().put(2, 'k', '2-1', 220, 260).get(2, 'k', '2-1', 300, 301)).survivals).toBe(0);
    expect(survey(kept().unknown(2, 'k', '2-1', 220, 230).get(2, 'k', '1-1', 300, 301)).survivals).toBe(0);
    expect(survey(kept().intent(2, 'k', '2-1', 220).get(2, 'k', '1-1', 300, 301)).survivals).toBe(0);
  });

  it('not where nobody certainly had a copy, or nothing was ever written', () => {
    expect(survey(takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20)).get(2, 'k', '1-1', 300, 301)).survivals).toBe(0);
    expect(survey(absent(takenOver(cluster(2, 3)))).survivals).toBe(0);
  });
});

describe('a copy does not count', () => {
  const read = (): Told => cluster(2, 3).put(1, 'k', '1-1', 10, 20).get(3, 'k', '1-1', 30, 31);

  it('where a write has been acknowledged since', () => {
    expect(losses(absent(takenOver(read().put(1, 'k', '1-2', 40, 50))))).toHaveLength(1);
  });

  it('where a write had not ended by then', () => {
    expect(losses(absent(takenOver(read().put(1, 'k', '1-2', 25, 50))))).toHaveLength(1);
  });

  it('where a write began before the takeover was finished, and the old leader may have lived', () => {
    const told = read().put(2, 'k', '2-1', 199, 260).leads(2, 2, 200).follows(3, 2, 210);
    expect(losses(absent(told))).toHaveLength(1);
    expect(losses(absent(told.session(1, 'lost', 250)))).toHaveLength(1);
  });

  it('but for a write that began when the old leader was over: it waits for the new one', () => {
    const begun = (): Told =>
      read().put(2, 'k', '2-1', 150, 260).unknown(2, 'k', '2-2', 151, 270).intent(2, 'k', '2-3', 152);
    expect(losses(absent(takenOver(begun())))).toEqual([]);
    const lost = begun().session(1, 'lost', 100).leads(2, 2, 200).follows(3, 2, 210);
    expect(losses(absent(lost))).toEqual([]);
  });

  it('but for a write that began after it', () => {
    const told = takenOver(read()).put(2, 'k', '2-1', 220, 260);
    expect(losses(absent(told))).toEqual([]);
    const unheard = read().leads(2, 2, 200).follows(3, 2, 210).put(2, 'k', '2-1', 220, 260);
    expect(losses(absent(unheard))).toEqual([]);
  });

  it('where a write has failed, of unknown outcome or not: its invalidations may come at any time', () => {
    expect(losses(absent(takenOver(read().unknown(2, 'k', '2-1', 5, 9))))).toHaveLength(1);
    expect(losses(absent(takenOver(read().notApplied(2, 'k', '2-1', 5, 9))))).toHaveLength(1);
    expect(losses(absent(takenOver(read().intent(2, 'k', '2-1', 5))))).toHaveLength(1);
  });

  it('but for one that its own node refused at once: nobody else has heard of it', () => {
    expect(losses(absent(takenOver(read().notApplied(2, 'k', '2-1', 5, 9, { unsent: true }))))).toEqual([]);
  });

  it('also for one that failed under a leader that only said again that it leads', () => {
    const told = cluster(2, 3).unknown(2, 'k', '2-1', 5, 9).role(1, 'suspended', 1, 12).leads(1, 1, 15);
    expect(losses(absent(takenOver(told.get(3, 'k', '1-1', 30, 31))))).toHaveLength(1);
  });

  it('but for one that had failed before an earlier change of the leader', () => {
    const told = takenOver(read().unknown(2, 'k', '2-1', 35, 90)).get(3, 'k', '1-1', 230, 231);
    told.killed(2, 300).started(4, 310).leads(4, 4, 400).follows(3, 4, 401).get(4, 'k', null, 500, 501);
    expect(losses(told)).toMatchObject([{ t: ms(200) }]);
  });

  it('where copies were evicted', () => {
    expect(losses(absent(takenOver(read().session(3, 'evicted', 60))))).toHaveLength(1);
    expect(losses(absent(takenOver(cluster(2, 3).session(3, 'evicted', 5).get(3, 'k', '1-1', 30, 31))))).toEqual([]);
  });

  it('where its holder has lost its session', () => {
    const told = read().session(3, 'lost', 60).session(3, 'rejoined', 70);
    expect(losses(absent(takenOver(told)))).toHaveLength(1);
  });

  it('where its holder was not heard of after the takeover', () => {
    const told = read().killed(1, 100).leads(2, 2, 200);
    expect(losses(absent(told))).toHaveLength(1);
    expect(losses(told.get(3, 'other', null, 205, 206))).toEqual([]);
  });

  it('where it was read only after the takeover', () => {
    expect(
      losses(absent(takenOver(cluster(2, 3).put(1, 'k', '1-1', 10, 20)).get(3, 'k', '1-1', 220, 221))),
    ).toHaveLength(1);
  });

  it('where its holder has skewed clocks and may have been read before a write had ended', () => {
    const skewed = (end: number): Told => {
      const told = new Told().started(1, 0).leads(1, 1, 1).started(2, 2).role(2, 'follower', 1, 3);
      told.started(3, 2, 'uptime').role(3, 'follower', 1, 3).put(1, 'k', '1-1', 10, end).get(3, 'k', '1-1', 20, 31);
      return absent(takenOver(told));
    };
    expect(losses(skewed(25))).toHaveLength(1);
    expect(losses(skewed(15))).toEqual([]);
  });
});
