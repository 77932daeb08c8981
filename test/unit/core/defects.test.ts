/** Defects that were found in the core once, each with the test that showed it. */
import { describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/core/cache.ts';
import { Lease } from '../../../src/core/lease.ts';
import { epochOf } from '../../../src/core/types.ts';
import { followerRig, leaderRig } from './group-rig.ts';
import { copy, epoch, key } from './support.ts';

describe('defects of the past', () => {
  it('takeover: an unasked offer that comes before the takeover knows its sender is lost for ever when the sender cannot be dialled', () => {
    const { rig, leader } = followerRig();
    const peer = rig.tree.join('a:1');
    const me = rig.epoch;
    // a:1 has seen the election first: it dials us and offers, before we have read anything.
    const into = rig.up(peer, 'in');
    rig.say(into, {
      type: 'offer',
      epoch: me,
      page: 0,
      last: true,
      labels: [epochOf(leader)],
      copies: [copy('k', 'v', epochOf(leader), 1)],
    });
    rig.tree.leave('leader:1');
    rig.answerAll();
    rig.pass(60_000);
    // It can only be asked on the connection that it dialled.
    const asked = rig.sent('fence').some(({ channel }) => channel === into);
    const taken = rig.sent('offered').some(({ channel }) => channel === into);
    expect(asked || taken).toBe(true);
  });

  it('store.maxBytes: writes of several keys that wait for acknowledgements at once pass the check together', () => {
    const { rig, links } = leaderRig(['a:1'], { store: { maxBytes: 500 } });
    const keys = ['k1', 'k2', 'k3', 'k4'];
    for (const k of keys) rig.set(k, 'x');
    for (const [id, k] of keys.entries()) rig.say(links[0]!.in, { type: 'get', epoch: rig.epoch, id, key: key(k) });
    for (const k of keys) rig.set(k, 'x'.repeat(150));
    for (const m of rig.sent('invalidate'))
      rig.say(links[0]!.out, { type: 'invalidated', epoch: m.epoch, key: m.key, version: m.version });
    expect(rig.status.cache.bytes).toBeLessThanOrEqual(500);
  });

  it('cache: hiding and showing again turns the order of use round: the hottest copy is evicted first', () => {
    const cache = new Cache({ maxEntries: 3, maxBytes: 1 << 20 }, () => {});
    cache.follow(epoch(5));
    for (const k of ['cold', 'warm', 'hot']) cache.publish(copy(k, 'v', 5, 1));
    cache.hide();
    cache.adopt(epoch(6), epoch(5), []);
    cache.follow(epoch(6));
    cache.publish(copy('new', 'v', 6, 1));
    expect(cache.get(key('hot'))?.value).toBe('v');
  });

  it('lease: a shorter timeout negotiated on a reconnect leaves the longer lease that was proven before', () => {
    const lease = new Lease(1000);
    lease.setSessionTimeout(20_000);
    lease.answered(0, 0);
    lease.answered(1000, 1000);
    lease.setSessionTimeout(4000);
    // From the reconnect (at 1000 or later) on the server expires the session 4 s after its last touch.
    expect(lease.end).toBeLessThanOrEqual(1000 + 4000);
  });

  it('writes: a lagging look at the election marks a living leader as gone, so a broken connection fails writes that could be sent again', () => {
    const { rig } = followerRig();
    const next = rig.tree.join('next:1');
    const out = rig.up(next, 'out');
    rig.say(out, { type: 'leading', epoch: epochOf(next) });
    // Our server has not heard yet that the old leader is gone.
    rig.step({ type: 'zkWatch', session: rig.session, path: '/zistore/test/served', kind: 'changed' });
    rig.answerAll();
    const call = rig.set('k', 'v');
    rig.down(out);
    expect(rig.result(call)).toBeUndefined();
    rig.up(next, 'out');
    expect(rig.sent('write')).toHaveLength(2);
  });
});
