/** Higher epochs, lost sessions, coming back (docs/protocol.md: Takeover, Losing the session; Z02 Z31 Z38 Z41 S12 S13 S16 S17). */
import { describe, expect, it } from '@jest/globals';
import { sizeOfCopy } from '../../../src/core/cache.ts';
import type { Message } from '../../../src/core/messages.ts';
import { epochOf, type Member } from '../../../src/core/types.ts';
import { fill, followerRig, type GroupRig, leaderRig, ofLeader, TIMEOUT_MS } from './group-rig.ts';
import { copy, effectsOf, type epoch, key, version } from './support.ts';

/** A follower with k = v cached, and the member that will take over next. */
function cachedAndNext() {
  const { rig, leader, channel } = followerRig();
  fill(rig, channel, 'k', 'v', ofLeader(leader, 1));
  const next = rig.tree.join('next:1');
  return { rig, leader, channel, next, base: epochOf(leader), higher: epochOf(next) };
}

/** The session ends at the ensemble, and the client is told. */
function expire(rig: GroupRig): void {
  rig.tree.expire(rig.sessionId);
  rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
}

/** As much later as it takes for a new session to be opened; then joins with it. */
function comeBack(rig: GroupRig): void {
  const before = rig.session;
  rig.pass(50);
  expect(rig.session).toBe(before + 1);
  rig.connect();
}

describe('a higher epoch', () => {
  it.each<[string, (e: ReturnType<typeof epoch>) => Message]>([
    ['fence', (e) => ({ type: 'fence', epoch: e })],
    ['refusal', (e) => ({ type: 'refused', epoch: e, id: 77, reason: 'epoch' })],
    ['request', (e) => ({ type: 'get', epoch: e, id: 77, key: key('x') })],
    [
      'report',
      (e) => ({
        type: 'report',
        epoch: e,
        id: 1,
        report: { address: 'x', role: 'x', live: true, entries: 0 } as never,
      }),
    ],
  ])('hidden on a higher epoch, whatever tells of it: %s', (_, message) => {
    const { rig, next, higher } = cachedAndNext();
    rig.say(rig.up(next, 'in'), message(higher));
    expect(rig.cached('k')).toBeUndefined();
    expect(rig.result(rig.get('k'))).toBeUndefined();
    expect(rig.status.cache).toMatchObject({ entries: 1, visible: false });
  });

  it('hidden when ZooKeeper shows that somebody else’s turn has come', () => {
    const { rig } = cachedAndNext();
    rig.tree.remove([...rig.tree.nodes.keys()].find((path) => path.includes('leader1-n-'))!);
    rig.tree.expire(rig.sessionId);
    rig.answerAll();
    expect(rig.cached('k')).toBeUndefined();
  });

  it('lower epoch refused: the old leader is not heard any more: it can neither invalidate nor be acknowledged', () => {
    const { rig, channel, leader, next, higher, base } = cachedAndNext();
    rig.say(rig.up(next, 'in'), { type: 'fence', epoch: higher });
    rig.say(channel, { type: 'invalidate', epoch: base, key: key('k'), version: ofLeader(leader, 9) });
    rig.say(channel, { type: 'leading', epoch: base });
    expect(rig.sent('invalidated')).toEqual([]);
    expect(rig.status.cache).toMatchObject({ entries: 1, visible: false });
  });

  it('Z31: adopt keeps what was offered under both labels, hidden; leading shows it, and drops what was listed', () => {
    const { rig, channel, leader, next, higher, base } = cachedAndNext();
    fill(rig, channel, 'dropped', 'v', ofLeader(leader, 2));
    const into = rig.up(next, 'in');
    rig.say(into, { type: 'fence', epoch: higher });
    expect(rig.sent('offer')).toMatchObject([{ channel: into, epoch: higher, page: 0, last: true, labels: [base] }]);
    expect(
      rig
        .sent('offer')[0]!
        .copies.map((each) => each.key)
        .sort(),
    ).toEqual(['dropped', 'k']);
    rig.say(into, { type: 'adopt', epoch: higher, base, drop: [key('dropped')] });
    expect(rig.sent('adopted')).toMatchObject([{ channel: into, epoch: higher }]);
    expect(rig.cached('k')).toBeUndefined();
    rig.say(into, { type: 'leading', epoch: higher });
    expect([rig.cached('k'), rig.cached('dropped')]).toEqual(['v', undefined]);
  });

  it('adopt before leading: if that leader dies before it led, the next one is offered both labels', () => {
    const { rig, next, higher, base } = cachedAndNext();
    const into = rig.up(next, 'in');
    rig.say(into, { type: 'fence', epoch: higher });
    rig.say(into, { type: 'adopt', epoch: higher, base, drop: [] });
    const third = rig.tree.join('third:1');
    rig.say(rig.up(third, 'in'), { type: 'fence', epoch: epochOf(third) });
    expect(rig.sent('offer').at(-1)).toMatchObject({ epoch: epochOf(third), labels: [base, higher] });
    expect(rig.sent('offer').at(-1)!.copies).toHaveLength(1);
  });

  it('label against served: who was not asked to adopt shows nothing under the next leader', () => {
    const { rig, next, higher } = cachedAndNext();
    const into = rig.up(next, 'in');
    rig.say(into, { type: 'fence', epoch: higher });
    rig.say(into, { type: 'leading', epoch: higher });
    expect(rig.cached('k')).toBeUndefined();
    expect(rig.status.cache).toMatchObject({ entries: 0, visible: true });
  });

  it('Z38: only the member whose epoch it is may fence, adopt or lead in it', () => {
    const { rig, higher, base } = cachedAndNext();
    const stranger = rig.up(rig.tree.join('stranger:1'), 'in');
    rig.say(stranger, { type: 'fence', epoch: higher });
    rig.say(stranger, { type: 'adopt', epoch: higher, base, drop: [] });
    rig.say(stranger, { type: 'leading', epoch: higher });
    expect([...rig.sent('offer'), ...rig.sent('adopted')]).toEqual([]);
    expect(rig.status).toMatchObject({ leader: null, cache: { visible: false } });
  });

  it('offers unasked on a connection that it dialled: the new leader may not be able to reach it', () => {
    const { rig, next, higher } = cachedAndNext();
    rig.say(rig.up(next, 'in'), { type: 'get', epoch: higher, id: 1, key: key('x') });
    const out = rig.up(next, 'out');
    expect(rig.sent('offer')).toMatchObject([{ channel: out, epoch: higher }]);
  });

  it('a leader that hears of a higher epoch serves no longer: it drops out and comes back as another member', () => {
    const { rig, peers, links } = leaderRig(['a:1']);
    rig.set('k', 'v');
    const was = rig.self;
    rig.say(links[0]!.in, { type: 'get', epoch: epochOf(peers[0]!), id: 1, key: key('k') });
    expect(rig.sent('value')).toEqual([]);
    expect(rig.status).toMatchObject({ role: 'lost', live: false });
    rig.tree.expire(rig.sessionId);
    comeBack(rig);
    expect(rig.self.incarnation > was.incarnation).toBe(true);
  });
});

describe('a lost session', () => {
  it('S13 Z41: copies dropped before a new session: a follower brings nothing back', () => {
    const { rig } = cachedAndNext();
    expire(rig);
    const { entries } = rig.status.cache;
    expect(entries).toBe(0);
    expect(effectsOf(rig.effects, 'openSession')).toHaveLength(1);
    expect(effectsOf(rig.effects, 'identify').at(-1)).toEqual({ type: 'identify', self: null });
    comeBack(rig);
    expect(rig.status.role).toBe('follower');
    expect(rig.cached('k')).toBeUndefined();
  });

  it('S11 Z24: until the next one is proven every operation fails with the session error', () => {
    const { rig } = cachedAndNext();
    expire(rig);
    const lost = { ok: false, code: 'ZISTORE_SESSION_LOST' };
    expect(rig.result(rig.get('k'))).toMatchObject(lost);
    expect(rig.result(rig.set('k', 'w'))).toMatchObject({ ...lost, outcome: 'notApplied' });
    expect(rig.status.role).toBe('lost');
    comeBack(rig);
    expect(effectsOf(rig.effects, 'session').map(({ event }) => event)).toEqual(['lost', 'rejoined']);
  });

  it('Z02: what comes from the session before is not heard', () => {
    const { rig } = cachedAndNext();
    expire(rig);
    comeBack(rig);
    rig.step({ type: 'zkEnded', session: rig.session - 1, reason: 'expired' });
    expect(rig.status.live).toBe(true);
  });

  it.each<[string, (rig: GroupRig) => void]>([
    [
      'the client came back with another session',
      (rig) => rig.step({ type: 'zkConnected', session: rig.session, info: { id: 'another', timeoutMs: TIMEOUT_MS } }),
    ],
    [
      'its own znodes are gone',
      (rig) => {
        rig.tree.expire(rig.sessionId);
        rig.pass(2000);
      },
    ],
  ])('is one whose %s', (_, lose) => {
    const { rig } = cachedAndNext();
    lose(rig);
    expect(rig.status.counters.sessionsLost).toBe(1);
    expect(rig.status.cache.entries).toBe(0);
  });

  it('S16: a leader keeps its data when nobody led in between, with or without others there', () => {
    const { rig } = leaderRig();
    rig.set('k', 'v');
    expire(rig);
    expect(rig.cached('k')).toBeUndefined();
    comeBack(rig);
    expect(rig.status.role).toBe('leader');
    expect(rig.cached('k')).toBe('v');
  });

  it('S12 S16 S17: and drops it when somebody did', () => {
    const { rig } = leaderRig();
    rig.set('k', 'v');
    const between = rig.tree.join('between:1');
    expire(rig);
    rig.tree.serve(between);
    rig.tree.leave('between:1');
    comeBack(rig);
    expect(rig.status.role).toBe('leader');
    expect(rig.result(rig.get('k'))).toEqual({ ok: true });
  });

  it('S17: or leads now: it follows, flushed', () => {
    const { rig } = leaderRig();
    rig.set('k', 'v');
    const other: Member = rig.tree.join('other:1');
    expire(rig);
    rig.tree.serve(other);
    comeBack(rig);
    expect(rig.status).toMatchObject({ role: 'follower', leader: 'other:1', cache: { entries: 0 } });
    const call = rig.get('k');
    const out = rig.up(other, 'out');
    const { id } = rig.sent('get').at(-1)!;
    const found = { value: 'v2', version: version(other.incarnation, 1) };
    rig.say(out, { type: 'value', epoch: epochOf(other), id, found, holder: true });
    expect(rig.result(call)).toEqual({ ok: true, value: 'v2' });
  });

  it("Z41: what it set aside is offered to another's takeover, labelled with the epoch that it led", () => {
    const { rig } = leaderRig();
    rig.set('k', 'v');
    const led = rig.epoch;
    const other = rig.tree.join('other:1');
    expire(rig);
    comeBack(rig);
    expect(rig.status.role).toBe('follower');
    const out = rig.up(other, 'out');
    expect(rig.sent('offer')).toMatchObject([{ channel: out, epoch: epochOf(other), labels: [led] }]);
    expect(rig.sent('offer')[0]!.copies).toMatchObject([{ key: 'k', value: 'v' }]);
  });

  it('limits: what it set aside and another leader adopted is cut down to them bit by bit, without further ado', () => {
    const { rig } = leaderRig([], { cache: { maxEntries: 10, maxBytes: 1 << 20 } });
    for (let i = 0; i < 2000; i++) rig.set(`k${i}`, 'v');
    const led = rig.epoch;
    const other = rig.tree.join('other:1');
    expire(rig);
    comeBack(rig);
    const into = rig.up(other, 'in');
    rig.say(into, { type: 'adopt', epoch: epochOf(other), base: led, drop: [] });
    expect(rig.status.cache.entries).toBe(2000);
    rig.say(into, { type: 'leading', epoch: epochOf(other) });
    expect(rig.status.cache.entries).toBeGreaterThan(10);
    rig.pass(10);
    expect(rig.status.cache.entries).toBe(10);
    expect(rig.status.counters.evictions).toBe(1990);
    expect(rig.group.wakeAt).toBeGreaterThan(rig.now);
  });

  it('a write of another node that waits for acknowledgements is refused, for nobody can apply it any more', () => {
    const { rig, links } = leaderRig(['a:1', 'b:1']);
    rig.set('k', 'v1');
    rig.say(links[1]!.in, { type: 'get', epoch: rig.epoch, id: 1, key: key('k') });
    const action = { kind: 'set', value: 'v2' } as const;
    rig.say(links[0]!.in, { type: 'write', epoch: rig.epoch, id: 2, settled: 0, key: key('k'), action });
    const own = rig.set('k', 'v3');
    expire(rig);
    expect(rig.sent('refused')).toMatchObject([{ id: 2, channel: links[0]!.in }]);
    expect(rig.result(own)).toMatchObject({ code: 'ZISTORE_SESSION_LOST', outcome: 'notApplied' });
  });
});

describe('a takeover that comes to nothing', () => {
  /** It led with k = v, has come back, and collects from a:1, which has offered half of what it has. */
  function halfway() {
    const { rig } = leaderRig();
    rig.set('k', 'v');
    const led = rig.epoch;
    expire(rig);
    const peer = rig.tree.join('a:1', { candidate: false });
    comeBack(rig);
    expect(rig.status.role).toBe('recovering');
    const { out } = rig.link(peer);
    const copies = [copy('other', 'w', led, 2)];
    rig.say(out, { type: 'offer', epoch: rig.epoch, page: 0, last: false, labels: [led], copies });
    expect(rig.sent('offered')).toHaveLength(1);
    expire(rig);
    rig.tree.leave('a:1');
    return rig;
  }

  it('Z41: leaves what was set aside; with what was offered it counts while nobody has served since', () => {
    const rig = halfway();
    comeBack(rig);
    expect(rig.status.role).toBe('leader');
    expect([rig.cached('k'), rig.cached('other')]).toEqual(['v', 'w']);
    expect(rig.status.cache).toMatchObject({
      entries: 2,
      bytes: sizeOfCopy(key('k'), 'v') + sizeOfCopy(key('other'), 'w'),
    });
  });

  it('Z41: but none of it once somebody has', () => {
    const rig = halfway();
    const between = rig.tree.join('between:1');
    rig.tree.serve(between);
    rig.tree.leave('between:1');
    comeBack(rig);
    expect(rig.status.role).toBe('leader');
    for (const k of ['k', 'other']) expect(rig.result(rig.get(k))).toEqual({ ok: true });
  });

  it('S13 Z41: a follower brings back neither its own copies nor those it was offered', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'k', 'v', ofLeader(leader, 1));
    const peer = rig.tree.join('a:1', { candidate: false });
    rig.tree.leave('leader:1');
    rig.answerAll();
    const { out } = rig.link(peer);
    const copies = [copy('other', 'w', epochOf(leader), 2)];
    rig.say(out, { type: 'offer', epoch: rig.epoch, page: 0, last: false, labels: [epochOf(leader)], copies });
    expect(rig.status.cache).toMatchObject({ entries: 2, visible: false });
    expire(rig);
    expect(rig.status.cache).toMatchObject({ entries: 0, bytes: 0 });
    rig.tree.leave('a:1');
    comeBack(rig);
    expect(rig.status.role).toBe('leader');
    for (const k of ['k', 'other']) expect(rig.result(rig.get(k))).toEqual({ ok: true });
  });
});
