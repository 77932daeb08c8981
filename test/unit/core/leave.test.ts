/** The clean leave (docs/protocol.md, Clean leave; contract: close). */
import { describe, expect, it } from '@jest/globals';
import { epochOf } from '../../../src/core/types.ts';
import { fill, followerRig, type GroupRig, leaderRig, ofLeader, TIMEOUT_MS } from './group-rig.ts';
import { effectsOf, key, paths } from './support.ts';

const isClosed = (rig: GroupRig) => effectsOf(rig.effects, 'closed').length === 1;
const close = (rig: GroupRig) => rig.step({ type: 'close' });
const candidatesOf = (rig: GroupRig) =>
  [...rig.tree.nodes].filter(([path, node]) => path.startsWith(`${paths.election}/`) && node.owner === rig.sessionId);

/** A leader of k = v1, held by a:1 as well, and a:1 as the candidate behind it. */
function leaderWithHolder() {
  const { rig, peers, links } = leaderRig(['a:1']);
  rig.set('k', 'v1');
  rig.say(links[0]!.in, { type: 'get', epoch: rig.epoch, id: 1, key: key('k') });
  return { rig, peer: peers[0]!, link: links[0]! };
}

describe('a leader that leaves', () => {
  it('hands over: deletes only its election znode, offers its whole store, and ends once served names a later epoch', () => {
    const { rig, peer } = leaderWithHolder();
    const led = rig.epoch;
    close(rig);
    rig.answerAll();
    expect(candidatesOf(rig)).toEqual([]);
    expect(rig.tree.nodes.has(paths.member(rig.self.address))).toBe(true);
    const into = rig.up(peer, 'in');
    rig.say(into, { type: 'fence', epoch: epochOf(peer) });
    expect(rig.sent('offer').at(-1)).toMatchObject({ epoch: epochOf(peer), labels: [led], copies: [{ key: 'k' }] });
    rig.say(into, { type: 'adopt', epoch: epochOf(peer), base: led, drop: [] });
    expect(rig.sent('adopted')).toMatchObject([{ epoch: epochOf(peer) }]);
    expect(isClosed(rig)).toBe(false);
    rig.tree.serve(peer);
    rig.answerAll();
    expect(isClosed(rig)).toBe(true);
    expect(effectsOf(rig.effects, 'closeSession')).toHaveLength(1);
    expect(rig.status.role).toBe('closed');
  });

  it('Z08: a write whose answer was lost and that is sent again is told what it came to, not that it was refused', () => {
    const { rig, peer, link } = leaderWithHolder();
    const action = { kind: 'set', value: 'other' } as const;
    const write = (channel: number, id: number) =>
      rig.say(channel, { type: 'write', epoch: rig.epoch, id, settled: 0, key: key('free'), action });
    write(link.in, 7);
    const [first] = rig.sent('written');
    close(rig);
    rig.answerAll();
    rig.down(link.in);
    const next = rig.up(peer, 'in');
    write(next, 7);
    write(next, 8);
    expect(rig.sent('written')).toEqual([first, { ...first, channel: next }]);
    expect(rig.sent('refused').map(({ id }) => id)).toEqual([8]);
    // The same when the next epoch is known already.
    rig.say(next, { type: 'fence', epoch: epochOf(peer) });
    write(next, 7);
    expect(rig.sent('written')).toHaveLength(3);
  });

  it('beats on meanwhile, with its member znode alone', () => {
    const { rig } = leaderWithHolder();
    close(rig);
    rig.answerAll();
    rig.pass(TIMEOUT_MS);
    expect(isClosed(rig)).toBe(false);
    expect(rig.status.counters.sessionsLost).toBe(0);
  });

  it('drains: what its own callers asked for is finished first; what others ask for is for the next leader (Z25)', () => {
    const { rig, link } = leaderWithHolder();
    const own = [rig.set('k', 'v2'), rig.set('k', 'v3')];
    const action = { kind: 'set', value: 'v4' } as const;
    const write = (id: number) =>
      rig.say(link.in, { type: 'write', epoch: rig.epoch, id, settled: 0, key: key('k'), action });
    write(2);
    close(rig);
    write(3);
    rig.say(link.in, { type: 'get', epoch: rig.epoch, id: 4, key: key('k') });
    rig.say(link.in, { type: 'get', epoch: rig.epoch, id: 5, key: key('free') });
    expect(rig.sent('refused').map(({ id, reason }) => [id, reason])).toEqual(
      [2, 3, 4, 5].map((id) => [id, 'notLeader']),
    );
    expect(rig.result(rig.set('x', 'v'))).toMatchObject({ code: 'ZISTORE_CLOSED', outcome: 'notApplied' });
    rig.answerAll();
    expect(candidatesOf(rig)).toHaveLength(1);
    const { version, epoch } = rig.sent('invalidate').at(-1)!;
    rig.say(link.out, { type: 'invalidated', epoch, key: key('k'), version });
    expect(own.map((call) => rig.result(call))).toEqual(own.map(() => ({ ok: true, existed: true })));
    rig.answerAll();
    expect(candidatesOf(rig)).toEqual([]);
  });

  it('a write that a holder never acknowledges is not applied, and hands over without it', () => {
    const { rig, peer } = leaderWithHolder();
    const begun = rig.set('k', 'v2');
    close(rig);
    rig.pass(6000);
    expect(rig.result(begun)).toMatchObject({ ok: false, outcome: 'notApplied' });
    expect(candidatesOf(rig)).toEqual([]);
    rig.say(rig.up(peer, 'in'), { type: 'fence', epoch: epochOf(peer) });
    expect(rig.sent('offer').at(-1)!.copies).toMatchObject([{ key: 'k', value: 'v1' }]);
  });

  it('ends after its bound when nobody takes over', () => {
    const { rig } = leaderWithHolder();
    close(rig);
    rig.pass(9000);
    expect(isClosed(rig)).toBe(false);
    rig.pass(2000);
    expect(isClosed(rig)).toBe(true);
  });

  it('ends at once when no candidate is left', () => {
    const { rig } = leaderRig();
    rig.set('k', 'v');
    close(rig);
    rig.answerAll();
    expect(isClosed(rig)).toBe(true);
  });

  it('ends when its session does', () => {
    const { rig } = leaderWithHolder();
    close(rig);
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    expect(isClosed(rig)).toBe(true);
  });
});

describe('a follower that leaves', () => {
  it('refuses new operations, lets those under way end, then goes', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.get('k');
    close(rig);
    expect(isClosed(rig)).toBe(false);
    expect(rig.cached('k')).toBeUndefined();
    const { id, epoch } = rig.sent('get')[0]!;
    const found = { value: 'v', version: ofLeader(leader, 1) };
    rig.say(channel, { type: 'value', epoch, id, found, holder: true });
    expect(rig.result(call)).toEqual({ ok: true, value: 'v' });
    expect(isClosed(rig)).toBe(true);
  });

  it('does not wait for ever: what is open after its bound is failed, a sent write with outcome unknown (Z08)', () => {
    const { rig } = followerRig();
    const [read, write] = [rig.get('k'), rig.set('k', 'v')];
    close(rig);
    rig.pass(11_000);
    expect(isClosed(rig)).toBe(true);
    expect(rig.result(read)).toMatchObject({ code: 'ZISTORE_CLOSED' });
    expect(rig.result(write)).toMatchObject({ code: 'ZISTORE_CLOSED', outcome: 'unknown' });
  });

  it('stays while nobody leads, for its copies may be all that is left; it goes once the next leader has collected them', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'k', 'v', ofLeader(leader, 1));
    const next = rig.tree.join('next:1');
    const into = rig.up(next, 'in');
    rig.say(into, { type: 'fence', epoch: epochOf(next) });
    close(rig);
    rig.answerAll();
    expect(isClosed(rig)).toBe(false);
    rig.say(into, { type: 'adopt', epoch: epochOf(next), base: epochOf(leader), drop: [] });
    expect(isClosed(rig)).toBe(false);
    rig.say(into, { type: 'leading', epoch: epochOf(next) });
    expect(isClosed(rig)).toBe(true);
  });

  it('close twice, or after the end, is close once; operations after it say so', () => {
    const { rig } = followerRig();
    close(rig);
    close(rig);
    expect(isClosed(rig)).toBe(true);
    expect(rig.result(rig.get('k'))).toMatchObject({ code: 'ZISTORE_CLOSED' });
    expect(rig.result(rig.set('k', 'v'))).toMatchObject({ code: 'ZISTORE_CLOSED', outcome: 'notApplied' });
    expect(rig.group.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });
});
