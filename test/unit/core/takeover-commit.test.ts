/** The last step of a takeover: `served`, written only by who still leads the election (docs/protocol.md, Takeover, step 6; Z33). */
import { describe, expect, it } from '@jest/globals';
import { formatServed, parseServed } from '../../../src/core/election.ts';
import { epochOf, type Member } from '../../../src/core/types.ts';
import { fill, followerRig, GroupRig, leaderRig, ofLeader, TIMEOUT_MS } from './group-rig.ts';
import { epoch, paths, Tree } from './support.ts';

const CONNECTION_LOSS = { ok: false, code: 'CONNECTION_LOSS', message: '' } as const;

/** My turn, with k = v cached and no other member; answered up to the transaction that writes `served`. */
function aboutToCommit(): { rig: GroupRig; leader: Member; served: number } {
  const { rig, leader, channel } = followerRig();
  fill(rig, channel, 'k', 'v', ofLeader(leader, 1));
  rig.tree.leave('leader:1');
  for (let turns = 0; turns < 100; turns++) {
    const fired = rig.tree.fired.shift();
    if (fired !== undefined) rig.step({ type: 'zkWatch', session: rig.session, ...fired });
    else if (rig.asked[0]?.operation.op === 'multi') {
      return { rig, leader, served: rig.tree.nodes.get(paths.served)!.version };
    } else rig.answer();
  }
  throw new Error('never committed');
}
/** The transaction is carried out, but its answer is lost. */
function losingTheAnswer(rig: GroupRig): void {
  rig.tree.apply(rig.asked[0]!.operation, rig.sessionId);
  rig.answer(CONNECTION_LOSS);
}
const servedEpoch = (rig: GroupRig) => parseServed(rig.tree.nodes.get(paths.served)!.data)?.epoch;

describe('writing served', () => {
  it('ephemeralOwner check: is one transaction with a check of the own election znode, and replaces what was read', () => {
    const { rig, served } = aboutToCommit();
    const mine = [...rig.tree.nodes].find(
      ([path, node]) => path.includes('/election/') && node.owner === rig.sessionId,
    )!;
    const data = formatServed({ epoch: rig.epoch, address: rig.self.address });
    const steps = [
      { op: 'check', path: mine[0] },
      { op: 'set', path: paths.served, data, version: served },
    ];
    expect(rig.asked[0]!.operation).toEqual({ op: 'multi', steps });
    expect(rig.status.role).toBe('recovering');
    rig.answerAll();
    expect([rig.status.role, servedEpoch(rig)]).toEqual(['leader', rig.epoch]);
  });

  it('the first time served is created', () => {
    const rig = new GroupRig({ tree: new Tree() });
    rig.start();
    expect([rig.status.role, servedEpoch(rig)]).toEqual(['leader', rig.epoch]);
    expect(rig.tree.nodes.get(paths.served)!.version).toBe(0);
  });

  it('Z33: two would-be leaders never both serve: another has served since it was read, so this one gives up', () => {
    const { rig } = aboutToCommit();
    const other = rig.tree.join('other:1');
    rig.tree.serve(other);
    rig.answer();
    rig.pass(500);
    expect(rig.sent('leading')).toEqual([]);
    expect(rig.status.counters).toMatchObject({ takeovers: 0, sessionsLost: 1 });
    expect(servedEpoch(rig)).toBe(epochOf(other));
  });

  it('Z33: the own election znode is gone: this one gives up', () => {
    const { rig } = aboutToCommit();
    const mine = [...rig.tree.nodes.keys()].find((path) => path.includes('/election/guid'))!;
    rig.tree.nodes.delete(mine);
    rig.answer();
    rig.pass(500);
    expect(rig.status.counters).toMatchObject({ takeovers: 0, sessionsLost: 1 });
  });

  it('pitfall 14: its answer lost although it was carried out: read back, and it leads', () => {
    const { rig, served } = aboutToCommit();
    losingTheAnswer(rig);
    expect(rig.status.role).toBe('recovering');
    rig.pass(500);
    expect([rig.status.role, servedEpoch(rig)]).toEqual(['leader', rig.epoch]);
    expect(rig.tree.nodes.get(paths.served)!.version).toBe(served + 1);
    expect(rig.cached('k')).toBe('v');
  });

  it('pitfall 14: the request lost: sent again, and it leads', () => {
    const { rig } = aboutToCommit();
    rig.answer(CONNECTION_LOSS);
    rig.pass(500);
    expect([rig.status.role, servedEpoch(rig)]).toEqual(['leader', rig.epoch]);
  });

  it('Z26: nothing is written without a lease; when it is proven again takeover goes on', () => {
    const tree = new Tree();
    new GroupRig({ tree, at: 'first:1' }).start();
    tree.expire('session-of-first:1-1');
    const rig = new GroupRig({ tree });
    rig.step({ type: 'start' });
    rig.step({ type: 'zkConnected', session: rig.session, info: { id: rig.sessionId, timeoutMs: TIMEOUT_MS } });
    rig.answerAll();
    expect(rig.status.live).toBe(false);
    expect(servedEpoch(rig)).not.toBe(rig.epoch);
    rig.pass(1000);
    expect([rig.status.role, servedEpoch(rig)]).toEqual(['leader', rig.epoch]);
  });
});

describe('the session is lost while served is written', () => {
  it.each([
    ['it went through', true],
    ['it did not', false],
  ])('Z41: what it collected is kept, for nobody can have written since: %s', (_, applied) => {
    const { rig } = aboutToCommit();
    if (applied) rig.tree.apply(rig.asked[0]!.operation, rig.sessionId);
    rig.tree.expire(rig.sessionId);
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    rig.pass(50);
    rig.connect();
    expect(rig.status.role).toBe('leader');
    expect(rig.cached('k')).toBe('v');
  });

  it('Z41: but not when another leader has served in between', () => {
    const { rig } = aboutToCommit();
    rig.tree.expire(rig.sessionId);
    const other = rig.tree.join('other:1');
    rig.tree.serve(other);
    rig.tree.leave('other:1');
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    rig.pass(50);
    rig.connect();
    expect(rig.status.role).toBe('leader');
    expect(rig.result(rig.get('k'))).toEqual({ ok: true });
    expect(rig.epoch > epoch(0)).toBe(true);
  });
});

describe('what it set aside itself', () => {
  it('label against served: somebody served and went between the look at served and the look at the election', () => {
    const { rig } = leaderRig();
    rig.set('k', 'stale');
    const between = rig.tree.join('between:1');
    rig.tree.expire(rig.sessionId);
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    rig.pass(50, { silent: true });
    rig.step({ type: 'zkConnected', session: rig.session, info: { id: rig.sessionId, timeoutMs: TIMEOUT_MS } });
    let asked = rig.answer();
    for (let turns = 0; turns < 100 && !(asked?.op === 'get' && asked.path === paths.served); turns++) {
      asked = rig.answer();
    }
    rig.tree.serve(between);
    rig.tree.leave('between:1');
    rig.pass(1000);
    expect(rig.status.role).toBe('leader');
    expect(rig.result(rig.get('k'))).toEqual({ ok: true });
  });

  it('is dropped as soon as served names a later epoch, for it can never count again', () => {
    const { rig } = leaderRig();
    rig.set('k', 'stale');
    const between = rig.tree.join('between:1');
    rig.tree.join('third:1');
    rig.tree.expire(rig.sessionId);
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    expect(rig.status.cache.entries).toBe(1);
    rig.tree.serve(between);
    rig.tree.leave('between:1');
    rig.pass(50);
    rig.connect();
    expect(rig.status).toMatchObject({ role: 'follower', leader: null, cache: { entries: 0 } });
  });
});
