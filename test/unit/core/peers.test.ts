/** A leader and its members: gone, back, sent again, given up (docs/protocol.md, Writes; Z08 Z18 Z27 Z29 S13 S14). */
import { describe, expect, it } from '@jest/globals';
import type { Member } from '../../../src/core/types.ts';
import { type GroupRig, leaderRig, TIMEOUT_MS } from './group-rig.ts';
import { key, paths } from './support.ts';

let lastId = 0;
function read(rig: GroupRig, channel: number, k: string): number {
  lastId += 1;
  rig.say(channel, { type: 'get', epoch: rig.epoch, id: lastId, key: key(k) });
  return lastId;
}
function write(rig: GroupRig, channel: number, k: string, value: string, id = ++lastId, settled = 0): number {
  rig.say(channel, { type: 'write', epoch: rig.epoch, id, settled, key: key(k), action: { kind: 'set', value } });
  return id;
}
const answered = (rig: GroupRig, id: number) =>
  (['value', 'written', 'refused'] as const).flatMap((type) => rig.sent(type).filter((message) => message.id === id));
function acknowledge(rig: GroupRig, channel: number): void {
  const { key: k, version, epoch } = rig.sent('invalidate').at(-1)!;
  rig.say(channel, { type: 'invalidated', epoch, key: k, version });
}

/** k = v1 at the leader, a copy at a:1, and a write of v2 that waits for it. */
function writeWaits(): { rig: GroupRig; peer: Member; link: { in: number; out: number }; call: number } {
  const { rig, peers, links } = leaderRig(['a:1']);
  rig.set('k', 'v1');
  read(rig, links[0]!.in, 'k');
  const call = rig.set('k', 'v2');
  expect(rig.result(call)).toBeUndefined();
  return { rig, peer: peers[0]!, link: links[0]!, call };
}

describe('a holder that does not acknowledge', () => {
  it('Z27 S14: is waited for as long as ZooKeeper shows it, connected or not', () => {
    const { rig, link, call } = writeWaits();
    rig.down(link.out);
    rig.down(link.in);
    rig.pass(60_000);
    expect(rig.result(call)).toBeUndefined();
  });

  it('Z27 S13: is no longer waited for once it is gone from ZooKeeper, and strikes from the directory', () => {
    const { rig, call } = writeWaits();
    rig.tree.leave('a:1');
    rig.answerAll();
    expect(rig.result(call)).toEqual({ ok: true, existed: true });
    expect(rig.status.pending).toMatchObject({ locks: 0, directory: 0 });
  });

  it('Z27: a watch is a hint only: the list is read before anybody is taken for gone', () => {
    const { rig, call } = writeWaits();
    rig.step({ type: 'zkWatch', session: rig.session, path: paths.members, kind: 'children' });
    expect(rig.result(call)).toBeUndefined();
    rig.answerAll();
    expect(rig.result(call)).toBeUndefined();
  });

  it('Z27: replaced by another incarnation of its address, it is gone', () => {
    const { rig, call } = writeWaits();
    rig.tree.leave('a:1');
    rig.tree.join('a:1');
    rig.answerAll();
    expect(rig.result(call)).toMatchObject({ ok: true });
  });

  it('gone needs the zxid: a list older than its incarnation that does not show it yet proves nothing', () => {
    const { rig, peers } = leaderRig(['a:1']);
    // A list is asked for; its answer is made from what a server shows that has not heard of the newcomer yet.
    rig.tree.leave('a:1');
    const fired = rig.tree.fired.splice(0);
    for (const event of fired) rig.step({ type: 'zkWatch', session: rig.session, ...event });
    const stale = { ok: true, zxid: rig.tree.zxid, names: ['me:1'] } as const;
    const newcomer = rig.tree.join('b:1');
    const link = rig.link(newcomer);
    rig.set('k', 'v1');
    read(rig, link.in, 'k');
    const call = rig.set('k', 'v2');
    rig.answer(stale);
    rig.answer();
    expect(rig.status.members).toEqual(['me:1']);
    expect(peers[0]!.incarnation <= stale.zxid && newcomer.incarnation > stale.zxid).toBe(true);
    expect(rig.result(call)).toBeUndefined();
    acknowledge(rig, link.out);
    expect(rig.result(call)).toMatchObject({ ok: true });
  });

  it('unacknowledged messages re-sent: its invalidation is said again on each new channel, and may be acknowledged there', () => {
    const { rig, peer, link, call } = writeWaits();
    const said = rig.take('invalidate').at(-1)!;
    const next = rig.up(peer, 'out');
    expect(rig.take('invalidate')).toEqual([{ ...said, channel: next }]);
    rig.down(link.out);
    const third = rig.up(peer, 'out');
    expect(rig.take('invalidate')).toEqual([{ ...said, channel: third }]);
    acknowledge(rig, third);
    expect(rig.result(call)).toMatchObject({ ok: true });
    rig.up(peer, 'out');
    expect(rig.take('invalidate')).toEqual([]);
    expect(rig.status.counters.invalidationsSent).toBe(1);
  });
});

describe('the directory', () => {
  it('belongs to incarnations, never to connections: a holder whose connection broke is still invalidated', () => {
    const { rig, peers, links } = leaderRig(['a:1']);
    rig.set('k', 'v1');
    read(rig, links[0]!.in, 'k');
    rig.down(links[0]!.in);
    rig.down(links[0]!.out);
    const call = rig.set('k', 'v2');
    expect(rig.result(call)).toBeUndefined();
    const out = rig.up(peers[0]!, 'out');
    expect(rig.take('invalidate')).toMatchObject([{ channel: out, key: 'k' }]);
    acknowledge(rig, out);
    expect(rig.result(call)).toMatchObject({ ok: true });
  });

  it('an acknowledgement of the next incarnation does not stand for the one before', () => {
    const { rig, call } = writeWaits();
    rig.tree.leave('a:1');
    const next = rig.tree.join('a:1');
    const link = rig.link(next);
    acknowledge(rig, link.out);
    acknowledge(rig, link.in);
    expect(rig.result(call)).toBeUndefined();
    rig.answerAll();
    expect(rig.result(call)).toMatchObject({ ok: true });
  });

  it('a member that is gone is not listed again: its connection is dropped, what it asks is refused', () => {
    const { rig, peers, links } = leaderRig(['a:1']);
    rig.set('k', 'v1');
    rig.tree.leave('a:1');
    rig.answerAll();
    expect(answered(rig, read(rig, links[0]!.in, 'k'))).toMatchObject([{ type: 'refused', reason: 'notLeader' }]);
    const channel = rig.up(peers[0]!, 'in');
    expect(rig.effects).toContainEqual({ type: 'drop', channel, reason: 'this member is gone' });
    read(rig, channel, 'k');
    expect(rig.status.pending.directory).toBe(0);
  });
});

describe('a write sent again', () => {
  it('dedup: is carried out once and answered the same again (incarnation, operation id)', () => {
    const { rig, peers, links } = leaderRig(['a:1']);
    const id = write(rig, links[0]!.in, 'k', 'v1');
    rig.down(links[0]!.in);
    const next = rig.up(peers[0]!, 'in');
    write(rig, next, 'k', 'v1', id);
    const [first, second] = answered(rig, id);
    expect(second).toEqual({ ...first, channel: next });
    expect(rig.status.counters.writesApplied).toBe(1);
  });

  it('dedup: while it is still being carried out it is answered once, on the newest connection', () => {
    const { rig, peers, links } = leaderRig(['a:1', 'b:1']);
    rig.set('k', 'v1');
    read(rig, links[1]!.in, 'k');
    const id = write(rig, links[0]!.in, 'k', 'v2');
    rig.down(links[0]!.in);
    const next = rig.up(peers[0]!, 'in');
    write(rig, next, 'k', 'v2', id);
    acknowledge(rig, links[1]!.out);
    expect(answered(rig, id)).toMatchObject([{ type: 'written', channel: next }]);
    expect(rig.status.pending.locks).toBe(0);
    expect(rig.status.counters.writesApplied).toBe(2);
  });

  it('dedup: the same id of another incarnation is another write', () => {
    const { rig, links } = leaderRig(['a:1', 'b:1']);
    for (const link of links) write(rig, link.in, `of ${link.in}`, 'v', 500);
    expect(rig.status.counters.writesApplied).toBe(2);
  });

  it('dedup: below the id that the sender has settled nothing is carried out any more', () => {
    const { rig, links } = leaderRig(['a:1']);
    write(rig, links[0]!.in, 'x', 'v', 700);
    write(rig, links[0]!.in, 'y', 'v', 701, 701);
    write(rig, links[0]!.in, 'x', 'again', 700, 701);
    expect(rig.sent('invalidate')).toEqual([]);
    expect(rig.status.counters.writesApplied).toBe(2);
    expect(rig.cached('x')).toBe('v');
  });
});

describe('a refusal that is told once more', () => {
  it('Z25: by a leader that holds its lease by now, is followed by the word that it leads', () => {
    const { rig, peers, links } = leaderRig(['a:1']);
    rig.pass(TIMEOUT_MS * 2, { silent: true });
    const id = write(rig, links[0]!.in, 'k', 'v');
    expect(answered(rig, id)).toMatchObject([{ type: 'refused', reason: 'noLease' }]);
    rig.answerAll();
    rig.pass(TIMEOUT_MS);
    expect(rig.status.live).toBe(true);
    rig.down(links[0]!.in);
    const next = rig.up(peers[0]!, 'in');
    rig.take('leading');
    write(rig, next, 'k', 'v', id);
    expect(answered(rig, id)).toHaveLength(2);
    expect(rig.take('leading')).toMatchObject([{ channel: next }]);
  });
});

describe('writes that their sender waits for no longer', () => {
  it('Z23: those that have not begun are taken out, and make room for others', () => {
    const { rig, link } = writeWaits();
    const given = [write(rig, link.in, 'k', 'v3'), write(rig, link.in, 'k', 'v4')];
    rig.say(link.in, { type: 'settled', epoch: rig.epoch, ids: given });
    acknowledge(rig, link.out);
    expect(rig.cached('k')).toBe('v2');
    expect(given.flatMap((id) => answered(rig, id))).toEqual([]);
    expect(rig.status.pending.locks).toBe(0);
  });

  it('one that has begun runs to its end, and its result is not kept', () => {
    const { rig, peers, links } = leaderRig(['a:1', 'b:1']);
    rig.set('k', 'v1');
    read(rig, links[1]!.in, 'k');
    const id = write(rig, links[0]!.in, 'k', 'v2');
    rig.say(links[0]!.in, { type: 'settled', epoch: rig.epoch, ids: [id] });
    acknowledge(rig, links[1]!.out);
    expect(rig.cached('k')).toBe('v2');
    expect(peers).toHaveLength(2);
    // Not known any more, so it would be another write.
    write(rig, links[0]!.in, 'k', 'v3', id);
    expect(rig.status.pending.invalidating).toBe(1);
  });
});

describe("giving up on the leader's own write", () => {
  it('notApplied when it was queued, and it never is applied', () => {
    const { rig, link, call } = writeWaits();
    const queued = rig.set('k', 'v3');
    rig.step({ type: 'cancel', call: queued, code: 'ZISTORE_TIMEOUT' });
    expect(rig.result(queued)).toMatchObject({ code: 'ZISTORE_TIMEOUT', outcome: 'notApplied' });
    acknowledge(rig, link.out);
    expect(rig.result(call)).toMatchObject({ ok: true });
    expect(rig.cached('k')).toBe('v2');
  });

  it('Z08: unknown when invalidations had been sent: it runs to its end', () => {
    const { rig, link, call } = writeWaits();
    rig.step({ type: 'cancel', call, code: 'ZISTORE_ABORTED' });
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_ABORTED', outcome: 'unknown' });
    acknowledge(rig, link.out);
    expect(rig.cached('k')).toBe('v2');
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_ABORTED' });
  });
});

describe('limits of a leader', () => {
  it('store.maxBytes: a write past it fails with notApplied; overwriting by less, and deleting, go on', () => {
    const { rig } = leaderRig([], { store: { maxBytes: 200 } });
    expect(rig.result(rig.set('a', 'x'.repeat(100)))).toMatchObject({ ok: true });
    const over = { code: 'ZISTORE_LIMIT_EXCEEDED', outcome: 'notApplied' };
    expect(rig.result(rig.set('b', 'x'.repeat(100)))).toMatchObject(over);
    expect(rig.result(rig.set('a', 'x'.repeat(200)))).toMatchObject(over);
    expect(rig.cached('a')).toBe('x'.repeat(100));
    expect(rig.result(rig.set('a', 'x'))).toMatchObject({ ok: true });
    expect(rig.result(rig.delete('a'))).toMatchObject({ ok: true });
    expect(rig.status.cache).toMatchObject({ entries: 0, bytes: 0 });
  });

  it('store.maxBytes: a full store takes room again when something is deleted, and its lock is free', () => {
    const { rig, links } = leaderRig(['a:1'], { store: { maxBytes: 200 } });
    rig.set('a', 'x'.repeat(100));
    const id = write(rig, links[0]!.in, 'b', 'x'.repeat(100));
    expect(answered(rig, id)).toMatchObject([{ type: 'refused', reason: 'limit' }]);
    expect(rig.status.pending.locks).toBe(0);
    rig.delete('a');
    expect(rig.result(rig.set('b', 'x'.repeat(100)))).toMatchObject({ ok: true });
  });

  it('queue: operations that wait are bounded, from elsewhere and its own', () => {
    const { rig, peers, links } = leaderRig(['a:1'], { maxPending: 3 });
    rig.set('k', 'v1');
    read(rig, links[0]!.in, 'k');
    write(rig, rig.up(peers[0]!, 'in'), 'k', 'v2');
    const channel = rig.up(peers[0]!, 'in');
    for (const value of ['v3', 'v4']) expect(answered(rig, write(rig, channel, 'k', value))).toEqual([]);
    const busy = { type: 'refused', reason: 'busy', detail: 'Too many operations wait at the leader.' };
    expect(answered(rig, write(rig, channel, 'k', 'v5'))).toMatchObject([busy]);
    expect(answered(rig, read(rig, channel, 'k'))).toMatchObject([busy]);
    const own = rig.set('k', 'v6');
    expect(rig.result(own)).toMatchObject({ code: 'ZISTORE_LIMIT_EXCEEDED', outcome: 'notApplied', retryable: true });
  });

  it('queue: so are writes of different keys that wait for acknowledgements; what waits for nobody is not refused', () => {
    const { rig, links } = leaderRig(['a:1'], { maxPending: 2 });
    const { in: channel } = links[0]!;
    for (const key of ['a', 'b', 'c']) {
      rig.set(key, 'v1');
      read(rig, channel, key);
    }
    for (const key of ['a', 'b']) expect(answered(rig, write(rig, channel, key, 'v2'))).toEqual([]);
    expect(answered(rig, write(rig, channel, 'c', 'v2'))).toMatchObject([{ type: 'refused', reason: 'busy' }]);
    expect(rig.result(rig.set('c', 'v3'))).toMatchObject({ code: 'ZISTORE_LIMIT_EXCEEDED', outcome: 'notApplied' });
    expect(rig.status.pending).toMatchObject({ locks: 2, invalidating: 2 });
    expect(rig.result(rig.set('nobody holds it', 'v'))).toMatchObject({ ok: true });
  });

  /** Copies of `keys` at this member, each of v1. */
  function holds(rig: GroupRig, channel: number, keys: readonly string[]): void {
    for (const k of keys) {
      rig.set(k, 'v1');
      read(rig, channel, k);
    }
  }

  it('Z23: a holder that never acknowledges holds up as much as may wait for it, and no key that others have', () => {
    const { rig, links } = leaderRig(['silent:1', 'healthy:1'], { maxPending: 3 });
    const [silent, healthy] = links as [(typeof links)[0], (typeof links)[0]];
    holds(rig, silent.in, ['s1', 's2', 's3']);
    holds(rig, healthy.in, ['h1', 'h2']);
    for (const k of ['s1', 's2']) rig.set(k, 'v2');
    const queued = rig.set('s1', 'v3');
    const busy = [{ type: 'refused', reason: 'busy' }];
    for (const k of ['s1', 's2', 's3']) expect(answered(rig, write(rig, healthy.in, k, 'v4'))).toMatchObject(busy);
    expect(answered(rig, read(rig, healthy.in, 's2'))).toMatchObject(busy);
    for (const k of ['h1', 'h2']) {
      const id = write(rig, healthy.in, k, 'v2');
      acknowledge(rig, healthy.out);
      expect(answered(rig, id)).toMatchObject([{ type: 'written' }]);
    }
    // One that is waited for and gives up makes room for one, and so does an acknowledgement.
    rig.step({ type: 'cancel', call: queued, code: 'ZISTORE_TIMEOUT' });
    expect(answered(rig, write(rig, healthy.in, 's1', 'v5'))).toEqual([]);
    expect(answered(rig, write(rig, healthy.in, 's1', 'v6'))).toMatchObject(busy);
    rig.tree.leave('silent:1');
    rig.answerAll();
    expect(rig.status.pending).toMatchObject({ locks: 0, invalidating: 0 });
  });

  it('Z23: what waits for several holders counts for each as long as that one has not acknowledged, then no more', () => {
    const { rig, links } = leaderRig(['a:1', 'b:1'], { maxPending: 2 });
    const [a, b] = links as [(typeof links)[0], (typeof links)[0]];
    holds(rig, a.in, ['both', 'a1', 'a2', 'a3']);
    holds(rig, b.in, ['b1', 'b2', 'b3']);
    read(rig, b.in, 'both');
    /** How many of three writes wait for this member; the others are refused. */
    const waiting = (keys: readonly string[]): number =>
      keys.filter((k) => answered(rig, write(rig, a.in, k, 'v2')).length === 0).length;
    const calls = [rig.set('both', 'v2'), rig.set('both', 'v3')];
    acknowledge(rig, a.out);
    expect(waiting(['b1', 'b2', 'b3'])).toBe(0);
    expect(waiting(['a1', 'a2', 'a3'])).toBe(2);
    const { version, epoch, key: k } = rig.sent('invalidate').find(({ key: it }) => it === key('both'))!;
    rig.say(b.out, { type: 'invalidated', epoch, key: k, version });
    expect(calls.map((call) => rig.result(call)?.ok)).toEqual([true, true]);
    expect(waiting(['b1', 'b2', 'b3'])).toBe(2);
  });

  it('a read that waits is forgotten with its connection: the member asks again on the next', () => {
    const { rig, peer, link } = writeWaits();
    const id = read(rig, link.in, 'k');
    rig.down(link.in);
    rig.up(peer, 'in');
    acknowledge(rig, link.out);
    expect(answered(rig, id)).toEqual([]);
    expect(rig.status.pending).toMatchObject({ locks: 0, directory: 0 });
  });
});
