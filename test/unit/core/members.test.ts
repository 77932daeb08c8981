/** The list of members, and what may be concluded from it (Z27 Z34 Z35; docs/protocol.md: gone). */
import { describe, expect, it } from '@jest/globals';
import { Members } from '../../../src/core/members.ts';
import { member, paths, Tree } from './support.ts';
import { directories, zkOf } from './zk-rig.ts';

function membersOf() {
  const rig = zkOf(directories(new Tree()));
  let reads = 0;
  const members = new Members(rig.zk, paths, () => {
    reads += 1;
  });
  return { ...rig, members, reads: () => reads };
}

describe('the list of members', () => {
  it('Z34 Z27: gone is absent from, or replaced in, a list read at or after its creation; nothing else', () => {
    const { tree, members, answerAll, answer, reads } = membersOf();
    const [a, b] = [tree.join('a:1'), tree.join('b:1')];
    expect(members.isGone(a)).toBe(false);
    members.read();
    answerAll();
    expect([members.isGone(a), members.isGone(b), members.isGone(member('c:1', tree.zxid))]).toEqual([
      false,
      false,
      true,
    ]);
    expect(members.isGone(member('later:1', tree.zxid + 1n))).toBe(false);
    tree.leave('a:1');
    const again = tree.join('a:1');
    expect(members.isGone(a)).toBe(false);
    members.read();
    answer();
    expect(members.isGone(a)).toBe(false);
    answerAll();
    expect([members.isGone(a), members.isGone(again), reads()]).toEqual([true, false, 2]);
  });

  it('gone needs the zxid of the list of names, not of a later look at one of them', () => {
    const { tree, members, answer, answerAll } = membersOf();
    tree.join('a:1');
    members.read();
    answer();
    const b = tree.join('b:1');
    answerAll();
    expect(members.list.map((each) => each.address)).toEqual(['a:1']);
    expect(members.isGone(b)).toBe(false);
  });

  it('replaced between the list and the look: the list shows the incarnation that is there', () => {
    const { tree, members, answer, answerAll } = membersOf();
    const a = tree.join('a:1');
    members.read();
    answer();
    tree.leave('a:1');
    const next = tree.join('a:1');
    answerAll();
    expect(members.list).toEqual([next]);
    expect([members.isGone(a), members.isGone(next)]).toEqual([true, false]);
  });

  it('Z35: is read again at every change while watched, and not otherwise', () => {
    const { tree, members, answerAll, asked } = membersOf();
    members.watch();
    answerAll();
    tree.join('a:1');
    answerAll();
    tree.join('b:1');
    answerAll();
    expect(members.list).toHaveLength(2);
    members.unwatch();
    const before = asked();
    tree.leave('a:1');
    answerAll();
    expect(asked()).toBe(before);
  });

  it('a list that broke off in the middle is not used: it is read again, whole', () => {
    const { tree, members, answer, answerAll, zk, reads } = membersOf();
    const [a, b] = [tree.join('a:1'), tree.join('b:1')];
    members.read();
    answer();
    answer();
    answer({ ok: false, code: 'CONNECTION_LOSS', message: '' });
    expect([reads(), members.list]).toEqual([0, []]);
    zk.connected(1);
    answerAll();
    expect(members.list).toEqual([a, b]);
  });
});
