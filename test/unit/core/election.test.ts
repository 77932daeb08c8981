/** Who leads, as concluded from what ZooKeeper says (Z13 Z33 Z35; pitfalls 15 and 17 of the recipes). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Election, formatServed, type Head, parseServed, type Served, sequenceOf } from '../../../src/core/election.ts';
import { address, epoch, member, paths, Tree } from './support.ts';
import { directories, zkOf } from './zk-rig.ts';

function electionOf() {
  const rig = zkOf(directories(new Tree()));
  const reads: { served: Served | undefined; head: Head | undefined }[] = [];
  let gone = 0;
  const election = new Election(rig.zk, paths, {
    read: (served, head) => reads.push({ served, head }),
    sessionGone: () => {
      gone += 1;
    },
  });
  return { ...rig, election, reads, gone: () => gone };
}

const candidate = (tree: Tree, name: string, of = 'a:1') => tree.write(paths.candidate(name), of);

describe('the order of the election', () => {
  it('Z33: goes by the digits at the end of a name, whatever guid stands before them', () => {
    const guid = fc.stringMatching(/^[0-9a-f]{8}$/);
    const sequences = fc.uniqueArray(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 8 });
    const padded = (n: number) => (n < 0 ? String(n) : String(n).padStart(10, '0'));
    fc.assert(
      fc.property(sequences, guid, (numbers, prefix) => {
        const { tree, election, reads, answerAll } = electionOf();
        // Descending guids: in lexical order of whole names the last to come would be first.
        for (const [index, n] of numbers.entries()) candidate(tree, `${9 - index}${prefix}-n-${padded(n)}`);
        election.refresh();
        answerAll();
        expect(sequenceOf(reads[0]!.head!.znode)).toBe(Math.min(...numbers));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['0f-n-0000000007', 7],
    ['ffffffff-n-0000000000', 0],
    ['a-n-1-n-0000000003', 3],
    ['guid-n--2147483648', -2147483648],
    ['guid-n-', Number.NaN],
    ['stranger', Number.NaN],
    ['', Number.NaN],
  ])('sequence of %s is %d', (name, sequence) => {
    expect(sequenceOf(name)).toBe(sequence);
  });

  it('znodes of another kind among the candidates are not looked at', () => {
    const { tree, election, reads, answerAll } = electionOf();
    candidate(tree, 'lock');
    election.refresh();
    answerAll();
    expect(reads).toEqual([{ served: undefined, head: undefined }]);
  });
});

describe('served', () => {
  it('is read as it was written', () => {
    const served = { epoch: epoch(2n ** 60n), address: address('h:1') };
    expect(parseServed(formatServed(served))).toEqual(served);
  });

  it.each(['', 'garbage', 'null', '7', '[]', '{}', '{"epoch":"x","address":"a:1"}', '{"epoch":1.5,"address":"a:1"}'])(
    'garbage is as if nobody had served: %s',
    (data) => {
      expect(parseServed(data)).toBeUndefined();
    },
  );

  it('never throws, whatever stands there', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (data) => void parseServed(data)));
  });
});

describe('watching the election', () => {
  it('Z13 Z35: is read again when the head goes, and when served changes; creation zxids tell who it is', () => {
    const { tree, election, reads, answerAll } = electionOf();
    candidate(tree, 'x-n-0000000001', 'a:1');
    const first = tree.zxid;
    candidate(tree, 'x-n-0000000002', 'b:1');
    const second = tree.zxid;
    election.refresh();
    answerAll();
    tree.serve(member('a:1', first));
    answerAll();
    tree.remove(paths.candidate('x-n-0000000001'));
    answerAll();
    const [a, b] = [
      { address: 'a:1', epoch: first },
      { address: 'b:1', epoch: second },
    ];
    expect(reads).toMatchObject([
      { served: undefined, head: a },
      { served: a, head: a },
      { served: a, head: b },
    ]);
  });

  it('Z35: nobody is woken when a candidate in the middle comes or goes', () => {
    const { tree, election, reads, answerAll, asked } = electionOf();
    candidate(tree, 'x-n-0000000001');
    candidate(tree, 'x-n-0000000002');
    election.refresh();
    answerAll();
    const before = asked();
    tree.remove(paths.candidate('x-n-0000000002'));
    candidate(tree, 'x-n-0000000003');
    answerAll();
    expect([asked(), reads.length]).toEqual([before, 1]);
  });

  it('pitfall 17: the head gone between the list and the look at it: the list is read again', () => {
    const { tree, election, reads, answer, answerAll } = electionOf();
    candidate(tree, 'x-n-0000000001', 'a:1');
    candidate(tree, 'x-n-0000000002', 'b:1');
    election.refresh();
    for (let i = 0; i < 3; i++) answer();
    tree.remove(paths.candidate('x-n-0000000001'));
    answerAll();
    expect(reads.map(({ head }) => head?.address)).toEqual(['b:1']);
  });

  it('asked twice while reading reads once more afterwards, so that no change is missed', () => {
    const { tree, election, reads, answerAll } = electionOf();
    election.refresh();
    election.refresh();
    election.refresh();
    answerAll();
    expect(reads).toHaveLength(2);
    expect(tree.fired).toEqual([]);
  });

  it('a broken connection is tried again on the next one; an ended session is not; no election is the session’s end', () => {
    for (const code of ['CONNECTION_LOSS', 'NOT_SENT'] as const) {
      const { election, reads, answer, answerAll, zk } = electionOf();
      election.refresh();
      answer({ ok: false, code, message: '' });
      zk.connected(1);
      answerAll();
      expect(reads).toHaveLength(1);
    }
    const { election, reads, answer, zk, next, gone, tree } = electionOf();
    election.refresh();
    answer({ ok: false, code: 'SESSION_ENDED', message: '' });
    zk.connected(1);
    expect([reads, next(), gone()]).toEqual([[], undefined, 0]);
    tree.remove(paths.election);
    election.refresh();
    for (let i = 0; i < 3; i++) answer();
    expect(gone()).toBe(1);
  });

  it('stopped, it says nothing any more', () => {
    const { election, reads, answer, answerAll } = electionOf();
    election.refresh();
    answer();
    election.stop();
    answerAll();
    expect(reads).toEqual([]);
  });
});
