/** Taking over (docs/protocol.md, Takeover; Z05 Z30 Z31 Z33). */
import { describe, expect, it } from '@jest/globals';
import type { Copy, Epoch, Member } from '../../../src/core/types.ts';
import { epochOf } from '../../../src/core/types.ts';
import { fill, followerRig, GroupRig, ofLeader, TIMEOUT_MS } from './group-rig.ts';
import { copy, epoch, key, paths, Tree } from './support.ts';

interface Turn {
  rig: GroupRig;
  base: Epoch;
  peers: Member[];
  links: { in: number; out: number }[];
}

/** `me` followed a leader together with these members; the leader goes, and it is my turn. */
function myTurn(names: readonly string[], own: readonly string[] = []): Turn {
  const { rig, leader, channel } = followerRig();
  for (const [index, k] of own.entries()) fill(rig, channel, k, 'v', ofLeader(leader, index + 1));
  const peers = names.map((name) => rig.tree.join(name));
  rig.tree.leave('leader:1');
  rig.answerAll();
  expect(rig.status.role).toBe(names.length > 0 ? 'recovering' : 'leader');
  return { rig, base: epochOf(leader), peers, links: peers.map((peer) => rig.link(peer)) };
}

function offer(
  turn: Turn,
  channel: number,
  copies: Copy[],
  options: { labels?: Epoch[]; page?: number; last?: boolean } = {},
) {
  const { labels = [turn.base], page = 0, last = true } = options;
  turn.rig.say(channel, { type: 'offer', epoch: turn.rig.epoch, page, last, labels, copies });
}
const adopted = ({ rig }: Turn, channel: number) => rig.say(channel, { type: 'adopted', epoch: rig.epoch });
const pair = ({ links }: Turn) => [links[0]!, links[1]!] as const;
const role = ({ rig }: Turn) => rig.answerAll().status.role;
const commits = ({ rig }: Turn) => rig.asked.filter(({ operation }) => operation.op === 'multi');

describe('taking over', () => {
  it('Z30 Z31: fence, collect, adopt, served, leading: in this order, and the copies of all are the data', () => {
    const turn = myTurn(['a:1']);
    const { rig, base } = turn;
    const { out } = turn.links[0]!;
    expect(rig.sent('fence')).toEqual([{ type: 'fence', epoch: rig.epoch, channel: out }]);
    offer(turn, out, [copy('k', 'v', base, 1)]);
    expect(rig.sent('offered')).toMatchObject([{ page: 0, channel: out }]);
    expect(rig.sent('adopt')).toContainEqual({ type: 'adopt', epoch: rig.epoch, base, drop: [], channel: out });
    expect(commits(turn)).toEqual([]);
    adopted(turn, out);
    expect(commits(turn)).toHaveLength(1);
    expect(rig.sent('leading')).toEqual([]);
    expect(role(turn)).toBe('leader');
    expect(rig.sent('leading')).toContainEqual({ type: 'leading', epoch: rig.epoch, channel: out });
    expect(rig.result(rig.get('k'))).toEqual({ ok: true, value: 'v' });
    expect(rig.status).toMatchObject({ epoch: String(rig.epoch), counters: { takeovers: 1, conflicts: 0 } });
  });

  it('Z30: what it has cached itself counts, when it was cached under the leader that served last', () => {
    const turn = myTurn([], ['mine']);
    expect(role(turn)).toBe('leader');
    expect(turn.rig.cached('mine')).toBe('v');
  });

  it('takeover waits for every live member, however long: until it has offered, and until it has adopted', () => {
    const turn = myTurn(['a:1', 'b:1']);
    const [a, b] = pair(turn);
    offer(turn, a.out, []);
    turn.rig.pass(3 * TIMEOUT_MS);
    expect(turn.rig.sent('adopt')).toEqual([]);
    offer(turn, b.out, []);
    adopted(turn, a.out);
    turn.rig.pass(3 * TIMEOUT_MS);
    expect(turn.rig.status.role).toBe('recovering');
    adopted(turn, b.out);
    expect(role(turn)).toBe('leader');
  });

  it.each(['collecting', 'adopting'] as const)('Z05: stops waiting for a member only when it is gone (%s)', (phase) => {
    const turn = myTurn(['a:1', 'b:1']);
    const [a, b] = pair(turn);
    offer(turn, a.out, []);
    if (phase === 'adopting') offer(turn, b.out, [copy('k', 'v', turn.base, 1)]);
    adopted(turn, a.out);
    turn.rig.down(b.out);
    expect(role(turn)).toBe('recovering');
    turn.rig.tree.leave('b:1');
    if (phase === 'collecting') adopted({ ...turn, rig: turn.rig.answerAll() }, a.out);
    expect(role(turn)).toBe('leader');
    // What it had offered stays; but it holds nothing any more, so nobody waits for it.
    const call = turn.rig.set('k', 'v2');
    expect(turn.rig.result(call)).toEqual({ ok: true, existed: phase === 'adopting' });
  });

  it('a member that joined while copies are collected is waited for, a later one comes empty', () => {
    const turn = myTurn(['a:1']);
    const { rig } = turn;
    const during = rig.tree.join('during:1');
    rig.answerAll();
    const { out } = rig.link(during);
    offer(turn, turn.links[0]!.out, []);
    expect(rig.sent('adopt')).toEqual([]);
    offer(turn, out, []);
    rig.tree.join('after:1');
    rig.answerAll();
    adopted(turn, turn.links[0]!.out);
    adopted(turn, out);
    expect(role(turn)).toBe('leader');
  });

  it.each([
    ['another epoch', (base: Epoch) => [epoch(base - 1n), epoch(base + 1n)]],
    ['none', () => []],
  ])('label against served: copies that were cached under %s do not count', (_, labels) => {
    const turn = myTurn(['a:1']);
    const { out } = turn.links[0]!;
    offer(turn, out, [copy('k', 'stale', turn.base - 1n, 1)], { labels: labels(turn.base) });
    adopted(turn, out);
    expect(role(turn)).toBe('leader');
    expect(turn.rig.result(turn.rig.get('k'))).toEqual({ ok: true });
  });

  it('label against served: one of two labels is enough, for a leader may have died between adopt and served', () => {
    const turn = myTurn(['a:1']);
    const { out } = turn.links[0]!;
    const labels = [turn.base, epoch(turn.base + 1n)];
    offer(turn, out, [copy('k', 'v', turn.base, 1)], { labels });
    adopted(turn, out);
    expect(role(turn)).toBe('leader');
    expect(turn.rig.cached('k')).toBe('v');
  });

  it('Z30: the first leader of all starts empty: no served yet, so nothing counts', () => {
    const tree = new Tree();
    new GroupRig({ tree, at: 'first:1' }).start();
    tree.expire('session-of-first:1-1');
    tree.remove(paths.served);
    const peer = tree.join('a:1', { candidate: false });
    const rig = new GroupRig({ tree }).start();
    const { out } = rig.link(peer);
    const turn: Turn = { rig, base: epoch(0), peers: [peer], links: [] };
    offer(turn, out, [copy('k', 'stale', 7, 1)], { labels: [epoch(7)] });
    adopted(turn, out);
    expect(role(turn)).toBe('leader');
    expect(rig.result(rig.get('k'))).toEqual({ ok: true });
  });

  it('adopt before leading: who kept copies is in the directory, so that the first write invalidates it', () => {
    const turn = myTurn(['a:1']);
    const { out } = turn.links[0]!;
    offer(turn, out, [copy('k', 'v', turn.base, 1)]);
    adopted(turn, out);
    expect(role(turn)).toBe('leader');
    const call = turn.rig.set('k', 'v2');
    expect(turn.rig.result(call)).toBeUndefined();
    const { version, epoch: of } = turn.rig.sent('invalidate').at(-1)!;
    turn.rig.say(out, { type: 'invalidated', epoch: of, key: key('k'), version });
    expect(turn.rig.result(call)).toMatchObject({ ok: true });
  });

  it('unacknowledged messages re-sent: fence and adopt are said again on each new connection, and no longer than needed', () => {
    const turn = myTurn(['a:1']);
    const { rig } = turn;
    const peer = turn.peers[0]!;
    const second = rig.up(peer, 'out');
    expect(rig.sent('fence').map(({ channel }) => channel)).toEqual([turn.links[0]!.out, second]);
    offer(turn, second, []);
    const into = rig.up(peer, 'in');
    const third = rig.up(peer, 'out');
    expect(rig.sent('adopt').map(({ channel }) => channel)).toEqual(expect.arrayContaining([second, into, third]));
    expect(rig.sent('fence')).toHaveLength(2);
    adopted(turn, third);
    rig.take('adopt');
    rig.up(peer, 'out');
    expect(rig.take('adopt')).toEqual([]);
  });

  it('pages: a broken collection restarts, and no page is left out', () => {
    const turn = myTurn(['a:1']);
    const { rig, base } = turn;
    const first = turn.links[0]!.out;
    offer(turn, first, [copy('a', 'v', base, 1)], { last: false });
    const second = rig.up(turn.peers[0]!, 'out');
    offer(turn, second, [copy('c', 'v', base, 3)], { page: 2 });
    offer(turn, second, [copy('b', 'v', base, 2)], { page: 1 });
    expect(rig.sent('offered')).toHaveLength(1);
    expect(rig.sent('adopt')).toEqual([]);
    offer(turn, second, [copy('a', 'v', base, 1)], { last: false });
    offer(turn, second, [copy('b', 'v', base, 2)], { page: 1 });
    adopted(turn, second);
    expect(role(turn)).toBe('leader');
    expect(['a', 'b', 'c'].map((k) => rig.cached(k))).toEqual(['v', 'v', undefined]);
  });

  it('two values for one key cannot be; if a peer is broken the newer one is kept and the older one dropped', () => {
    const turn = myTurn(['a:1', 'b:1']);
    const [a, b] = pair(turn);
    offer(turn, a.out, [copy('k', 'old', turn.base, 1)]);
    offer(turn, b.out, [copy('k', 'new', turn.base, 2)]);
    const drops = turn.rig.sent('adopt').map(({ channel, drop }) => [channel, drop]);
    expect(drops).toEqual(
      expect.arrayContaining([
        [a.out, ['k']],
        [b.out, []],
      ]),
    );
    adopted(turn, a.out);
    adopted(turn, b.out);
    expect(role(turn)).toBe('leader');
    expect(turn.rig.cached('k')).toBe('new');
    expect(turn.rig.status.counters.conflicts).toBe(1);
  });

  it('an offer or acknowledgement of a lower epoch completes nothing', () => {
    const turn = myTurn(['a:1']);
    const { out } = turn.links[0]!;
    const low = epoch(turn.rig.epoch - 1n);
    turn.rig.say(out, { type: 'offer', epoch: low, page: 0, last: true, labels: [turn.base], copies: [] });
    expect(turn.rig.sent('adopt')).toEqual([]);
    offer(turn, out, []);
    turn.rig.say(out, { type: 'adopted', epoch: low });
    expect(role(turn)).toBe('recovering');
  });
});

describe('operations during takeover', () => {
  it('Z20 Z25: wait, and are carried out by the node itself once it leads', () => {
    const turn = myTurn(['a:1']);
    const { rig } = turn;
    const [read, write] = [rig.get('k'), rig.set('w', 'x')];
    offer(turn, turn.links[0]!.out, [copy('k', 'v', turn.base, 1)]);
    adopted(turn, turn.links[0]!.out);
    expect([read, write].map((call) => rig.result(call))).toEqual([undefined, undefined]);
    expect(role(turn)).toBe('leader');
    expect(rig.result(read)).toEqual({ ok: true, value: 'v' });
    expect(rig.result(write)).toEqual({ ok: true, existed: false });
  });

  it('hidden: its own copies are not answered from', () => {
    const turn = myTurn(['a:1'], ['mine']);
    expect(turn.rig.cached('mine')).toBeUndefined();
    expect(turn.rig.status.cache).toMatchObject({ entries: 1, visible: false });
  });
});
