/** A follower's writes (docs/protocol.md, Writes; Z08 Z11 Z24 Z25 Z28 S19). */
import { describe, expect, it } from '@jest/globals';
import { epochOf, type Member } from '../../../src/core/types.ts';
import { fill, followerRig, type GroupRig, ofLeader, TIMEOUT_MS } from './group-rig.ts';
import { key, version } from './support.ts';

const RETRY_MS = 60;

/** The old leader goes; `next` takes over and finishes. */
function changeLeader(rig: GroupRig): { next: Member; out: number } {
  const next = rig.tree.join('next:1');
  const out = rig.up(next, 'out');
  rig.say(out, { type: 'leading', epoch: epochOf(next) });
  return { next, out };
}

describe("a follower's write", () => {
  it('Z11: goes to the leader; its answer is published under the floor rule, so that the writer reads it locally (S06)', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch, action } = rig.take('write')[0]!;
    expect(action).toEqual({ kind: 'set', value: 'v' });
    const at = ofLeader(leader, 4);
    rig.say(channel, { type: 'written', epoch, id, version: at, existed: true, holder: true });
    expect(rig.result(call)).toEqual({ ok: true, existed: true });
    expect(rig.cached('k')).toBe('v');
  });

  it('floor on publish: an answer that a newer invalidation overtook is not cached', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.set('k', 'old');
    const { id, epoch } = rig.take('write')[0]!;
    rig.say(channel, { type: 'invalidate', epoch, key: key('k'), version: ofLeader(leader, 5) });
    rig.say(channel, { type: 'written', epoch, id, version: ofLeader(leader, 4), existed: false, holder: true });
    expect(rig.result(call)).toEqual({ ok: true, existed: false });
    expect(rig.cached('k')).toBeUndefined();
  });

  it('is not cached when the leader could not list the writer, nor when it deleted', () => {
    const { rig, leader, channel } = followerRig();
    rig.set('k', 'v');
    rig.delete('gone');
    for (const { id, epoch, key: of } of rig.take('write')) {
      const holder = of === 'gone';
      rig.say(channel, { type: 'written', epoch, id, version: ofLeader(leader, 1), existed: true, holder });
    }
    expect([rig.cached('k'), rig.cached('gone')]).toEqual([undefined, undefined]);
  });

  it('only the connection broke and the same leader leads: it is sent again under the same id, which makes that safe', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.set('k', 'v');
    const first = rig.take('write')[0]!;
    rig.down(channel);
    const next = rig.up(leader, 'out');
    const again = rig.take('write');
    expect(again).toEqual([{ ...first, channel: next }]);
    rig.say(next, {
      type: 'written',
      epoch: first.epoch,
      id: first.id,
      version: ofLeader(leader, 1),
      existed: false,
      holder: true,
    });
    expect(rig.result(call)).toMatchObject({ ok: true });
  });

  it('tells with each write below which id everything is settled, never more than is', () => {
    const { rig, leader, channel } = followerRig();
    const [first] = [rig.set('a', '1'), rig.set('b', '2')];
    const [a, b] = rig.take('write').map(({ id }) => id) as [number, number];
    const epoch = epochOf(leader);
    rig.say(channel, { type: 'written', epoch, id: b, version: ofLeader(leader, 1), existed: false, holder: false });
    rig.set('c', '3');
    expect(rig.take('write')[0]!.settled).toBe(a);
    rig.say(channel, { type: 'written', epoch, id: a, version: ofLeader(leader, 2), existed: false, holder: false });
    expect(rig.result(first)).toMatchObject({ ok: true });
    rig.set('d', '4');
    expect(rig.take('write')[0]!.settled).toBeGreaterThan(b);
  });

  it('Z28: waits while the leader is unreachable but in ZooKeeper', () => {
    const { rig, leader, channel } = followerRig();
    rig.down(channel);
    const call = rig.set('k', 'v');
    rig.pass(3 * TIMEOUT_MS);
    expect(rig.result(call)).toBeUndefined();
    rig.up(leader, 'out');
    expect(rig.take('write')).toHaveLength(1);
  });
});

describe('a refused write', () => {
  it('Z25 S19: did not happen, so it is sent again by itself, to whoever leads then, under a new id', () => {
    const { rig, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    rig.say(channel, { type: 'refused', epoch, id, reason: 'noLease' });
    expect(rig.result(call)).toBeUndefined();
    expect(rig.take('write')).toEqual([]);
    // Not to the same leader before it says that it leads again: its refusal might cross with the next leader's fence.
    rig.pass(RETRY_MS);
    expect(rig.take('write')).toEqual([]);
    rig.say(channel, { type: 'leading', epoch });
    const again = rig.take('write');
    expect(again).toHaveLength(1);
    expect(again[0]!.id).not.toBe(id);
  });

  it('S19: by one who knows a higher epoch: the next leader gets it, and nothing is said to be unknown', () => {
    const { rig, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id } = rig.take('write')[0]!;
    const next = rig.tree.join('next:1');
    rig.say(channel, { type: 'refused', epoch: epochOf(next), id, reason: 'epoch' });
    const out = rig.up(next, 'out');
    rig.say(out, { type: 'leading', epoch: epochOf(next) });
    rig.pass(RETRY_MS);
    const again = rig.take('write');
    expect(again).toMatchObject([{ channel: out, epoch: epochOf(next) }]);
    const at = ofLeader(next, 1);
    rig.say(out, { type: 'written', epoch: at.epoch, id: again[0]!.id, version: at, existed: false, holder: false });
    expect(rig.result(call)).toEqual({ ok: true, existed: false });
  });

  it('given up before it is sent again, it is notApplied', () => {
    const { rig, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    rig.say(channel, { type: 'refused', epoch, id, reason: 'noLease' });
    rig.step({ type: 'cancel', call, code: 'ZISTORE_TIMEOUT' });
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_TIMEOUT', outcome: 'notApplied' });
    rig.pass(RETRY_MS);
    expect(rig.take('write')).toEqual([]);
  });

  it('limits: by one of its limits: the caller is told, with outcome notApplied', () => {
    const { rig, channel } = followerRig();
    const [write, read] = [rig.set('k', 'v'), rig.get('x')];
    const { id, epoch } = rig.sent('write')[0]!;
    rig.say(channel, { type: 'refused', epoch, id, reason: 'limit', detail: 'too much' });
    rig.say(channel, { type: 'refused', epoch, id: rig.sent('get')[0]!.id, reason: 'limit' });
    const limit = { ok: false, code: 'ZISTORE_LIMIT_EXCEEDED' };
    expect(rig.result(write)).toMatchObject({ ...limit, outcome: 'notApplied', message: 'too much' });
    expect(rig.result(read)).toMatchObject(limit);
    expect([rig.result(write), rig.result(read)].map((result) => 'retryable' in result!)).toEqual([false, false]);
  });

  it('limits: by its full queue: the caller is told, and that it may be tried again', () => {
    const { rig, channel } = followerRig();
    const [write, read] = [rig.set('k', 'v'), rig.get('x')];
    for (const { epoch, id } of [rig.sent('write')[0]!, rig.sent('get')[0]!]) {
      rig.say(channel, { type: 'refused', epoch, id, reason: 'busy', detail: 'too many' });
    }
    const full = { ok: false, code: 'ZISTORE_LIMIT_EXCEEDED', message: 'too many', retryable: true };
    expect(rig.result(write)).toMatchObject({ ...full, outcome: 'notApplied' });
    expect(rig.result(read)).toMatchObject(full);
  });
});

describe('the leader goes while a write is under way', () => {
  /** Another one's turn has come, and it has not taken over yet. */
  const turnOf = (rig: GroupRig, name: string) => {
    const next = rig.tree.join(name);
    rig.say(rig.up(next, 'in'), { type: 'fence', epoch: epochOf(next) });
    return next;
  };

  it('Z25: a leader that leaves refuses what came too late; that is sent to the next one, and its outcome is known', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    const next = turnOf(rig, 'next:1');
    expect(rig.result(call)).toBeUndefined();
    rig.say(channel, { type: 'refused', epoch, id, reason: 'notLeader' });
    const out = rig.up(next, 'out');
    rig.say(out, { type: 'leading', epoch: epochOf(next) });
    const again = rig.take('write');
    expect(again).toMatchObject([{ channel: out, action: { kind: 'set', value: 'v' } }]);
    expect(again[0]!.id).not.toBe(id);
    rig.say(out, {
      ...{ type: 'written', epoch: epochOf(next), id: again[0]!.id, version: ofLeader(next, 1) },
      ...{ existed: false, holder: true },
    });
    expect(rig.result(call)).toMatchObject({ ok: true });
    expect(leader).not.toEqual(next);
  });

  it('Z08: what the old leader answers after another one has begun acknowledges nothing: it may not have been handed on', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    const next = turnOf(rig, 'next:1');
    rig.say(channel, { type: 'written', epoch, id, version: ofLeader(leader, 1), existed: false, holder: true });
    expect(rig.result(call)).toBeUndefined();
    rig.say(rig.up(next, 'out'), { type: 'leading', epoch: epochOf(next) });
    expect(rig.result(call)).toMatchObject({ ok: false, code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' });
    expect(rig.cached('k')).toBeUndefined();
  });

  it('Z08: its connection ends, so it will refuse nothing any more: unknown at once', () => {
    const { rig, channel } = followerRig();
    const call = rig.set('k', 'v');
    rig.take('write');
    turnOf(rig, 'next:1');
    rig.down(channel);
    expect(rig.result(call)).toMatchObject({ ok: false, code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  it('Z08: sent and unanswered is outcome unknown, never repeated blindly', () => {
    const { rig } = followerRig();
    const call = rig.set('k', 'v');
    rig.take('write');
    changeLeader(rig);
    expect(rig.result(call)).toMatchObject({ ok: false, code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' });
    rig.pass(RETRY_MS);
    expect(rig.take('write')).toEqual([]);
  });

  it('Z25: not sent yet is for the next leader', () => {
    const { rig, channel } = followerRig();
    rig.down(channel);
    const call = rig.set('k', 'v');
    const { out } = changeLeader(rig);
    expect(rig.take('write')).toMatchObject([{ channel: out }]);
    expect(rig.result(call)).toBeUndefined();
  });

  it('Z08: nobody else can lead: unknown once ZooKeeper shows the leader gone and its connection is down', () => {
    const { rig, channel } = followerRig({ candidate: false });
    const call = rig.set('k', 'v');
    rig.tree.leave('leader:1');
    rig.answerAll();
    expect(rig.result(call)).toBeUndefined();
    rig.down(channel);
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  it('Z38: an answer of a lower epoch completes nothing', () => {
    const { rig, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    const low = version(epoch - 1n, 1);
    rig.say(channel, { type: 'written', epoch: low.epoch, id, version: low, existed: false, holder: true });
    expect(rig.result(call)).toBeUndefined();
    expect(rig.cached('k')).toBeUndefined();
  });
});

describe('the own lease ends while a write is under way', () => {
  it('Z24: sent is unknown, not sent is not applied; a new one is refused at once', () => {
    const { rig, channel } = followerRig();
    const sent = rig.set('k', 'v');
    rig.down(channel);
    const queued = rig.set('q', 'v');
    rig.stopFor(TIMEOUT_MS);
    rig.step({ type: 'wake' });
    const lost = { ok: false, code: 'ZISTORE_SESSION_LOST' };
    expect(rig.result(sent)).toMatchObject({ ...lost, outcome: 'unknown' });
    expect(rig.result(queued)).toMatchObject({ ...lost, outcome: 'notApplied' });
    expect(rig.result(rig.set('n', 'v'))).toMatchObject({ ...lost, outcome: 'notApplied' });
  });

  it('Z06: lease at delivery: an acknowledgement that comes after its end leaves the outcome unknown', () => {
    const { rig, leader, channel } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    rig.stopFor(TIMEOUT_MS);
    rig.say(channel, { type: 'written', epoch, id, version: ofLeader(leader, 1), existed: false, holder: true });
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_SESSION_LOST', outcome: 'unknown' });
  });
});

describe('giving up on a write', () => {
  it.each(['ZISTORE_TIMEOUT', 'ZISTORE_ABORTED'] as const)('%s: unknown when it had been sent (Z08)', (code) => {
    const { rig, channel, leader } = followerRig();
    const call = rig.set('k', 'v');
    const { id, epoch } = rig.take('write')[0]!;
    rig.step({ type: 'cancel', call, code });
    expect(rig.result(call)).toMatchObject({ ok: false, code, outcome: 'unknown' });
    rig.say(channel, { type: 'written', epoch, id, version: ofLeader(leader, 1), existed: false, holder: true });
    expect(rig.result(call)).toMatchObject({ code });
  });

  it.each(['ZISTORE_TIMEOUT', 'ZISTORE_ABORTED'] as const)('%s: notApplied when it waited, and it never is', (code) => {
    const { rig, channel, leader } = followerRig();
    rig.down(channel);
    const call = rig.set('k', 'v');
    rig.step({ type: 'cancel', call, code });
    expect(rig.result(call)).toMatchObject({ ok: false, code, outcome: 'notApplied' });
    rig.up(leader, 'out');
    expect(rig.take('write')).toEqual([]);
  });

  it('Z23: while the connection was down, the leader is told on the next one, before anything else: it may be queued there', () => {
    const { rig, channel, leader } = followerRig();
    const calls = ['a', 'b', 'c'].map((k) => rig.set(k, 'v'));
    const [first, second, third] = rig.take('write').map(({ id }) => id) as [number, number, number];
    rig.down(channel);
    rig.step({ type: 'cancel', call: calls[1]!, code: 'ZISTORE_TIMEOUT' });
    const from = rig.effects.length;
    rig.up(leader, 'out');
    const said = rig.effects.slice(from).flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));
    expect(said).toMatchObject([
      { type: 'settled', ids: [second] },
      { type: 'write', id: first },
      { type: 'write', id: third },
    ]);
  });
});

describe('limits', () => {
  it('past maxPending operations fail at once with outcome notApplied; when one ends there is room again', () => {
    const { rig, leader, channel } = followerRig({ maxPending: 2 });
    const calls = [rig.set('a', '1'), rig.get('b')];
    const over = rig.set('c', '3');
    expect(rig.result(over)).toMatchObject({ code: 'ZISTORE_LIMIT_EXCEEDED', outcome: 'notApplied', retryable: true });
    expect(calls.map((call) => rig.result(call))).toEqual([undefined, undefined]);
    fillAnswer(rig, channel, leader);
    expect(rig.result(rig.set('d', '4'))).toBeUndefined();
  });

  it('copies evict beyond cache.maxEntries, and that is counted', () => {
    const { rig, leader, channel } = followerRig({ cache: { maxEntries: 2, maxBytes: 1 << 20 } });
    for (const [index, k] of ['a', 'b', 'c'].entries()) fill(rig, channel, k, 'v', ofLeader(leader, index + 1));
    expect(['a', 'b', 'c'].map((k) => rig.cached(k))).toEqual([undefined, 'v', 'v']);
    expect(rig.status).toMatchObject({ cache: { entries: 2 }, counters: { evictions: 1 } });
  });
});

function fillAnswer(rig: GroupRig, channel: number, leader: Member): void {
  const { id, epoch } = rig.sent('get').at(-1)!;
  const found = { value: 'v', version: ofLeader(leader, 1) };
  rig.say(channel, { type: 'value', epoch, id, found, holder: true });
}
