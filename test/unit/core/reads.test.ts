/** A follower's reads (docs/protocol.md, Reads; Z06 Z17–Z21 Z24). */
import { describe, expect, it } from '@jest/globals';
import { epochOf } from '../../../src/core/types.ts';
import { fill, followerRig, later, ofLeader, TIMEOUT_MS } from './group-rig.ts';
import { key, member } from './support.ts';

const value = (text: string) => ({ ok: true, value: text });

describe('a read of a cached key', () => {
  it('Z17: is answered from memory with no other node contacted', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'k', 'v1', ofLeader(leader, 1));
    rig.take('get');
    expect(rig.result(rig.get('k'))).toEqual(value('v1'));
    expect(rig.take('get')).toEqual([]);
    expect(rig.status.counters.cacheHits).toBe(1);
  });

  it('Z06 Z19: lease at start: after a stopped process the first read fails although no timer has run', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'k', 'v1', ofLeader(leader, 1));
    rig.stopFor(TIMEOUT_MS);
    expect(rig.cached('k')).toBeUndefined();
    expect(rig.result(rig.get('k'))).toMatchObject({ ok: false, code: 'ZISTORE_SESSION_LOST' });
    expect(rig.status).toMatchObject({ role: 'suspended', live: false, leaseMs: 0 });
  });

  it('Z28: goes on while the leader is unreachable but in ZooKeeper', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'k', 'v1', ofLeader(leader, 1));
    rig.down(channel);
    rig.pass(3 * TIMEOUT_MS);
    expect(rig.result(rig.get('k'))).toEqual(value('v1'));
  });

  it('Z19: a lease that lapsed and is renewed within one session needs no flush', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'k', 'v1', ofLeader(leader, 1));
    rig.stopFor(TIMEOUT_MS).pass(3000);
    expect(rig.result(rig.get('k'))).toEqual(value('v1'));
  });
});

describe('a read of an uncached key', () => {
  it('single flight: many callers, one request; all are served when the asker became a holder', () => {
    const { rig, leader, channel } = followerRig();
    const calls = [rig.get('k'), rig.get('k'), rig.get('k')];
    expect(rig.sent('get')).toHaveLength(1);
    const { id, epoch } = rig.sent('get')[0]!;
    rig.say(channel, { type: 'value', epoch, id, found: { value: 'v', version: ofLeader(leader, 1) }, holder: true });
    expect(calls.map((call) => rig.result(call))).toEqual(calls.map(() => value('v')));
  });

  it("'none' only for those who waited when the request was sent: later callers share one new request (Z18 S05)", () => {
    const { rig, channel } = followerRig();
    const [first, second, third] = [rig.get('k'), rig.get('k'), rig.get('k')];
    const { id, epoch } = rig.take('get')[0]!;
    rig.say(channel, { type: 'value', epoch, id, holder: false });
    expect(rig.result(first)).toEqual({ ok: true });
    expect([second, third].map((call) => rig.result(call))).toEqual([undefined, undefined]);
    const again = rig.take('get');
    expect(again).toHaveLength(1);
    rig.say(channel, { type: 'value', epoch, id: again[0]!.id, holder: false });
    expect([second, third].map((call) => rig.result(call))).toEqual([{ ok: true }, { ok: true }]);
  });

  it("an answer that says 'do not cache' serves only those who waited, too, and is not cached", () => {
    const { rig, leader, channel } = followerRig();
    const [first, second] = [rig.get('k'), rig.get('k')];
    const { id, epoch } = rig.take('get')[0]!;
    rig.say(channel, { type: 'value', epoch, id, found: { value: 'v', version: ofLeader(leader, 1) }, holder: false });
    expect([rig.result(first), rig.result(second)]).toEqual([value('v'), undefined]);
    expect(rig.cached('k')).toBeUndefined();
    expect(rig.take('get')).toHaveLength(1);
  });

  it("Z18 S05: 'none' is not cached: each read asks again", () => {
    const { rig, channel } = followerRig();
    for (let i = 0; i < 3; i++) {
      const call = rig.get('k');
      const { id, epoch } = rig.take('get')[0]!;
      rig.say(channel, { type: 'value', epoch, id, holder: false });
      expect(rig.result(call)).toEqual({ ok: true });
    }
  });

  it('invalidation detaches the flight: who asks after its acknowledgement starts a new request', () => {
    const { rig, leader, channel } = followerRig();
    const early = rig.get('k');
    const old = rig.take('get')[0]!;
    const version = ofLeader(leader, 7);
    rig.say(channel, { type: 'invalidate', epoch: old.epoch, key: key('k'), version });
    const late = rig.get('k');
    const fresh = rig.take('get');
    expect(fresh).toHaveLength(1);
    const found = { value: 'old', version: ofLeader(leader, 6) };
    rig.say(channel, { type: 'value', epoch: old.epoch, id: old.id, found, holder: true });
    expect([rig.result(early), rig.result(late)]).toEqual([value('old'), undefined]);
    rig.say(channel, { ...fresh[0]!, type: 'value', found: { value: 'new', version }, holder: true });
    expect(rig.result(late)).toEqual(value('new'));
  });

  it('Z25: asked anew on the next connection, all reads of a key are one request, however often it was invalidated', () => {
    const { rig, leader, channel } = followerRig();
    const calls: number[] = [];
    for (let counter = 1; counter <= 3; counter += 1) {
      calls.push(rig.get('k'), rig.get('k'));
      const { epoch } = rig.sent('get').at(-1)!;
      rig.say(channel, { type: 'invalidate', epoch, key: key('k'), version: ofLeader(leader, counter) });
    }
    calls.push(rig.get('k'));
    rig.step({ type: 'cancel', call: calls.shift()!, code: 'ZISTORE_TIMEOUT' });
    expect(rig.take('get')).toHaveLength(4);
    rig.down(channel);
    const next = rig.up(leader, 'out');
    calls.push(rig.get('k'));
    const again = rig.take('get');
    expect(again).toHaveLength(1);
    rig.step({ type: 'cancel', call: calls.pop()!, code: 'ZISTORE_TIMEOUT' });
    const found = { value: 'v', version: ofLeader(leader, 3) };
    rig.say(next, { type: 'value', epoch: again[0]!.epoch, id: again[0]!.id, found, holder: true });
    expect(calls.map((call) => rig.result(call))).toEqual(calls.map(() => value('v')));
    expect(rig.cached('k')).toBe('v');
    expect(rig.status.pending.operations).toBe(0);
  });

  it('floor on publish: an answer older than an invalidation that overtook it is not cached (Z38)', () => {
    const { rig, leader, channel } = followerRig();
    rig.get('k');
    const { id, epoch } = rig.take('get')[0]!;
    rig.say(channel, { type: 'invalidate', epoch, key: key('k'), version: ofLeader(leader, 7) });
    const found = { value: 'old', version: ofLeader(leader, 6) };
    rig.say(channel, { type: 'value', epoch, id, found, holder: true });
    expect(rig.cached('k')).toBeUndefined();
  });

  it('a request that is not outstanding is not published: nobody asked for this answer', () => {
    const { rig, leader, channel } = followerRig();
    const [epoch, version] = [epochOf(leader), ofLeader(leader, 1)];
    rig.say(channel, { type: 'value', epoch, id: 999, found: { value: 'v', version }, holder: true });
    fill(rig, channel, 'other', 'x', ofLeader(leader, 2));
    const { id } = rig.sent('get').at(-1)!;
    rig.say(channel, { type: 'value', epoch, id, found: { value: 'y', version: ofLeader(leader, 3) }, holder: true });
    expect([rig.cached('k'), rig.cached('other')]).toEqual([undefined, 'x']);
  });

  it('Z06 Z24: lease at delivery: an answer that comes after its end completes nothing and is not cached', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.get('k');
    const { id, epoch } = rig.take('get')[0]!;
    rig.stopFor(TIMEOUT_MS);
    const found = { value: 'v', version: ofLeader(leader, 1) };
    rig.say(channel, { type: 'value', epoch, id, found, holder: true });
    expect(rig.result(call)).toMatchObject({ ok: false, code: 'ZISTORE_SESSION_LOST' });
    rig.pass(3000);
    expect(rig.status.live).toBe(true);
    expect(rig.cached('k')).toBeUndefined();
  });

  it('Z21: waits for a leader that is unreachable but in ZooKeeper, and is asked anew on the next connection', () => {
    const { rig, leader, channel } = followerRig();
    const [first, late] = [rig.get('k'), rig.get('k')];
    const old = rig.take('get')[0]!;
    rig.down(channel);
    rig.pass(2 * TIMEOUT_MS);
    expect(rig.result(first)).toBeUndefined();
    const next = rig.up(leader, 'out');
    const again = rig.take('get');
    expect(again.map((request) => request.channel)).toEqual([next]);
    // The answer to the earlier asking may predate those who joined since.
    rig.say(next, { type: 'value', epoch: old.epoch, id: old.id, holder: false });
    expect(rig.result(first)).toBeUndefined();
    rig.say(next, { type: 'value', epoch: old.epoch, id: again[0]!.id, holder: false });
    expect([first, late].map((call) => rig.result(call))).toEqual([{ ok: true }, { ok: true }]);
  });

  it('Z20: the leader changes: the read is asked again of the next one', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.get('k');
    rig.take('get');
    const next = rig.tree.join('next:1');
    const out = rig.up(next, 'out');
    rig.say(out, { type: 'leading', epoch: epochOf(next) });
    const again = rig.take('get');
    expect(again).toMatchObject([{ channel: out, epoch: epochOf(next) }]);
    rig.say(channel, { type: 'value', epoch: epochOf(leader), id: again[0]!.id, holder: false });
    expect(rig.result(call)).toBeUndefined();
    rig.say(out, { type: 'value', epoch: epochOf(next), id: again[0]!.id, holder: false });
    expect(rig.result(call)).toEqual({ ok: true });
  });
});

describe('giving up on a read', () => {
  it('one caller never cancels a shared flight; its own call ends at once', () => {
    const { rig, leader, channel } = followerRig();
    const [first, second] = [rig.get('k'), rig.get('k')];
    rig.step({ type: 'cancel', call: first, code: 'ZISTORE_ABORTED' });
    expect(rig.result(first)).toMatchObject({ ok: false, code: 'ZISTORE_ABORTED' });
    const { id, epoch } = rig.take('get')[0]!;
    rig.say(channel, { type: 'value', epoch, id, found: { value: 'v', version: ofLeader(leader, 1) }, holder: true });
    expect(rig.result(second)).toEqual(value('v'));
    expect(rig.result(first)).toMatchObject({ code: 'ZISTORE_ABORTED' });
  });

  it('a read that nobody waits for any more is not sent', () => {
    const { rig, leader, channel } = followerRig();
    rig.down(channel);
    const call = rig.get('k');
    rig.step({ type: 'cancel', call, code: 'ZISTORE_TIMEOUT' });
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_TIMEOUT' });
    rig.up(leader, 'out');
    expect(rig.sent('get')).toEqual([]);
  });
});

describe('answers that are none', () => {
  it('Z38: an answer of a lower epoch completes nothing', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.get('k');
    const { id } = rig.take('get')[0]!;
    const old = later(epochOf(leader), -1n);
    const found = { value: 'v', version: ofLeader(leader, 1) };
    rig.say(channel, { type: 'value', epoch: old, id, found, holder: true });
    expect(rig.result(call)).toBeUndefined();
    expect(rig.cached('k')).toBeUndefined();
  });

  it('Z38: only the leader of the epoch answers in its name, and only it invalidates', () => {
    const { rig, leader, channel } = followerRig();
    fill(rig, channel, 'kept', 'v', ofLeader(leader, 1));
    const call = rig.get('k');
    const { id, epoch } = rig.take('get').at(-1)!;
    const stranger = rig.up(member('stranger:1', 3), 'in');
    rig.say(stranger, { type: 'value', epoch, id, holder: false });
    rig.say(stranger, { type: 'invalidate', epoch, key: key('kept'), version: ofLeader(leader, 9) });
    expect(rig.result(call)).toBeUndefined();
    expect(rig.cached('kept')).toBe('v');
    expect(rig.sent('invalidated')).toEqual([]);
  });

  it('what still arrives on a connection that was replaced is not heard', () => {
    const { rig, leader, channel } = followerRig();
    rig.up(leader, 'out');
    const call = rig.get('k');
    const { id, epoch } = rig.take('get')[0]!;
    rig.say(channel, { type: 'value', epoch, id, holder: false });
    expect(rig.result(call)).toBeUndefined();
  });
});
