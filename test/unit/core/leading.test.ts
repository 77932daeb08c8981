/** A leader's reads and writes (docs/protocol.md, Writes; Z12 Z16 Z22 Z23 Z26 Z27 Z36–Z40 S07–S10 S14). */
import { describe, expect, it } from '@jest/globals';
import { epochOf } from '../../../src/core/types.ts';
import { GroupRig, leaderRig, TIMEOUT_MS } from './group-rig.ts';
import { key } from './support.ts';

interface Asker {
  rig: GroupRig;
  channel: number;
}

let lastId = 0;
function ask({ rig, channel }: Asker, k: string): number {
  lastId += 1;
  rig.say(channel, { type: 'get', epoch: rig.epoch, id: lastId, key: key(k) });
  return lastId;
}
function order({ rig, channel }: Asker, k: string, value: string, id = ++lastId, settled = 0): number {
  rig.say(channel, { type: 'write', epoch: rig.epoch, id, settled, key: key(k), action: { kind: 'set', value } });
  return id;
}
const answered = (rig: GroupRig, id: number) =>
  (['value', 'written', 'refused'] as const).flatMap((type) => rig.sent(type).filter((message) => message.id === id));

/** Acknowledges on this channel every invalidation that was sent on its `out` counterpart and is the newest of its key. */
function acknowledge(rig: GroupRig, link: { in: number; out: number }): void {
  const newest = new Map(
    rig
      .sent('invalidate')
      .filter((m) => m.channel === link.out)
      .map((m) => [m.key, m]),
  );
  for (const { key: k, version, epoch } of newest.values()) {
    rig.say(link.out, { type: 'invalidated', epoch, key: k, version });
  }
}

/** The leader holds k = v1 and each peer is listed as a holder of it. */
function heldBy(names: readonly string[]) {
  const { rig, peers, links } = leaderRig(names);
  expect(rig.result(rig.set('k', 'v1'))).toMatchObject({ ok: true });
  for (const link of links) ask({ rig, channel: link.in }, 'k');
  expect(rig.sent('value').map(({ holder }) => holder)).toEqual(names.map(() => true));
  return { rig, peers, links };
}

describe('a write at the leader', () => {
  it('Z22 Z27 S07: is acknowledged only after every holder has acknowledged its invalidation, and none but holders is asked', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    rig.link(rig.tree.join('bystander:1'));
    rig.take('invalidate');
    const call = rig.set('k', 'v2');
    expect(rig.take('invalidate').map(({ channel }) => channel)).toEqual(links.map(({ out }) => out));
    acknowledge(rig, links[0]!);
    expect(rig.result(call)).toBeUndefined();
    acknowledge(rig, links[1]!);
    expect(rig.result(call)).toEqual({ ok: true, existed: true });
    expect(rig.cached('k')).toBe('v2');
  });

  it('Z16: its own reads show the value before until then: the new one is not acknowledged', () => {
    const { rig, links } = heldBy(['a:1']);
    rig.set('k', 'v2');
    expect(rig.result(rig.get('k'))).toEqual({ ok: true, value: 'v1' });
    acknowledge(rig, links[0]!);
    expect(rig.result(rig.get('k'))).toEqual({ ok: true, value: 'v2' });
  });

  it('Z22 S06 S07: leaves the writer the only holder: the next write invalidates it and nobody else, once', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    const id = order({ rig, channel: links[0]!.in }, 'k', 'v2');
    for (const link of links) acknowledge(rig, link);
    expect(answered(rig, id)).toMatchObject([{ type: 'written', holder: true, existed: true, channel: links[0]!.in }]);
    rig.take('invalidate');
    rig.set('k', 'v2');
    expect(rig.take('invalidate').map(({ channel }) => channel)).toEqual([links[0]!.out]);
  });

  it('acknowledgement names the version: one of an earlier round, or of another epoch, does not count (Z38)', () => {
    const { rig, links } = heldBy(['a:1']);
    const call = rig.set('k', 'v2');
    const { version, epoch, key: k } = rig.sent('invalidate').at(-1)!;
    const say = (counter: number, of = version.epoch) =>
      rig.say(links[0]!.out, { type: 'invalidated', epoch, key: k, version: { epoch: of, counter } });
    say(version.counter - 1);
    say(version.counter + 1);
    say(version.counter, (version.epoch - 1n) as typeof epoch);
    expect(rig.result(call)).toBeUndefined();
    say(version.counter);
    expect(rig.result(call)).toMatchObject({ ok: true });
  });

  it('Z38: an acknowledgement counts for the member who sends it, and one of a lower epoch for nobody', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    const call = rig.set('k', 'v2');
    const { version, epoch, key: k } = rig.sent('invalidate').at(-1)!;
    acknowledge(rig, links[0]!);
    acknowledge(rig, links[0]!);
    rig.say(links[1]!.out, { type: 'invalidated', epoch: (epoch - 1n) as typeof epoch, key: k, version });
    expect(rig.result(call)).toBeUndefined();
  });

  it('Z12 Z16: versions grow from write to write, over all keys', () => {
    const { rig, links } = leaderRig(['a:1']);
    const from = { rig, channel: links[0]!.in };
    for (const k of ['x', 'y', 'x']) {
      order(from, k, 'v');
      acknowledge(rig, links[0]!);
    }
    expect(rig.sent('written').map(({ version }) => version)).toEqual(
      [1, 2, 3].map((counter) => ({ epoch: rig.epoch, counter })),
    );
  });

  it('delete is the same write: it invalidates, and says whether the key had a value', () => {
    const { rig, links } = heldBy(['a:1']);
    const call = rig.delete('k');
    expect(rig.result(call)).toBeUndefined();
    acknowledge(rig, links[0]!);
    expect(rig.result(call)).toEqual({ ok: true, existed: true });
    expect(rig.result(rig.delete('k'))).toEqual({ ok: true, existed: false });
    expect(rig.result(rig.get('k'))).toEqual({ ok: true });
  });
});

describe('the per-key lock', () => {
  it('S09 Z23: never two writes of one key inside invalidation together; all succeed, in the order of arrival', () => {
    const { rig, links } = heldBy(['a:1']);
    const calls = ['w1', 'w2', 'w3'].map((value) => rig.set('k', value));
    expect(rig.status.pending).toMatchObject({ locks: 1, invalidating: 1 });
    expect(rig.sent('invalidate')).toHaveLength(1);
    acknowledge(rig, links[0]!);
    expect(calls.map((call) => rig.result(call)?.ok)).toEqual([true, true, true]);
    expect(rig.cached('k')).toBe('w3');
    expect(rig.status.pending.locks).toBe(0);
  });

  it('S08 Z23: writes of different keys do not wait for each other', () => {
    const { rig, links } = leaderRig(['a:1']);
    const keys = ['k1', 'k2', 'k3', 'k4'];
    for (const k of keys) rig.set(k, 'v1');
    for (const k of keys) ask({ rig, channel: links[0]!.in }, k);
    for (const k of keys) rig.set(k, 'v2');
    expect(rig.status.pending).toMatchObject({ locks: 4, invalidating: 4 });
  });

  it('S10 Z23: a server read of a key under write waits for that write and gets its value; of another key it does not', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    rig.set('other', 'x');
    rig.set('k', 'v2');
    const from = { rig, channel: links[1]!.in };
    const [waits, free] = [ask(from, 'k'), ask(from, 'other')];
    expect(answered(rig, waits)).toEqual([]);
    expect(answered(rig, free)).toMatchObject([{ type: 'value', found: { value: 'x' } }]);
    for (const link of links) acknowledge(rig, link);
    expect(answered(rig, waits)).toMatchObject([{ type: 'value', found: { value: 'v2' }, holder: true }]);
  });

  it('Z23: a read that waited between two writes is a holder whom the second one invalidates', () => {
    const { rig, links } = heldBy(['a:1']);
    rig.set('k', 'v2');
    const read = ask({ rig, channel: links[0]!.in }, 'k');
    const second = rig.set('k', 'v3');
    acknowledge(rig, links[0]!);
    expect(answered(rig, read)).toMatchObject([{ found: { value: 'v2' }, holder: true }]);
    expect(rig.result(second)).toBeUndefined();
    acknowledge(rig, links[0]!);
    expect(rig.result(second)).toMatchObject({ ok: true });
  });
});

describe("the leader's lease", () => {
  it('Z26 lease at start: a write from elsewhere is refused when it is over, and so is a read; nothing is sent', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    rig.stopFor(TIMEOUT_MS);
    const from = { rig, channel: links[0]!.in };
    expect(answered(rig, order(from, 'k', 'v2'))).toMatchObject([{ type: 'refused', reason: 'noLease' }]);
    expect(answered(rig, ask(from, 'k'))).toMatchObject([{ type: 'refused', reason: 'noLease' }]);
    expect(rig.sent('invalidate')).toEqual([]);
  });

  it('Z26 lease at commit: acknowledgements that come after its end apply nothing, and the writer is told so', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    const id = order({ rig, channel: links[0]!.in }, 'k', 'v2');
    rig.stopFor(TIMEOUT_MS);
    for (const link of links) acknowledge(rig, link);
    expect(answered(rig, id)).toMatchObject([{ type: 'refused', reason: 'noLease' }]);
    rig.pass(3000);
    expect(rig.status).toMatchObject({ role: 'leader', live: true });
    expect(rig.cached('k')).toBe('v1');
  });

  it('Z24 S19: what waits behind a lock when it ends is refused; the own write under way is unknown', () => {
    const { rig, links } = heldBy(['a:1', 'b:1']);
    const begun = rig.set('k', 'v2');
    const queued = rig.set('k', 'v3');
    const from = { rig, channel: links[1]!.in };
    const [write, read] = [order(from, 'k', 'v4'), ask(from, 'k')];
    rig.stopFor(TIMEOUT_MS);
    rig.step({ type: 'wake' });
    expect(rig.result(begun)).toMatchObject({ code: 'ZISTORE_SESSION_LOST', outcome: 'unknown' });
    expect(rig.result(queued)).toMatchObject({ code: 'ZISTORE_SESSION_LOST', outcome: 'notApplied' });
    for (const id of [write, read]) expect(answered(rig, id)).toMatchObject([{ type: 'refused', reason: 'noLease' }]);
  });
});

describe('a member that is not the leader, or asks in a lower epoch', () => {
  it('Z38: lower epoch refused, and told the epoch that it has missed', () => {
    const { rig, links } = heldBy(['a:1']);
    const old = (rig.epoch - 1n) as typeof rig.epoch;
    const action = { kind: 'set', value: 'v2' } as const;
    rig.say(links[0]!.in, { type: 'write', epoch: old, id: 9001, settled: 0, key: key('k'), action });
    rig.say(links[0]!.in, { type: 'get', epoch: old, id: 9002, key: key('k') });
    const refused = { type: 'refused', reason: 'epoch', epoch: rig.epoch };
    expect([9001, 9002].map((id) => answered(rig, id))).toMatchObject([[refused], [refused]]);
    expect(rig.sent('invalidate')).toEqual([]);
  });

  it('Z36 Z37 Z38: a node that does not lead serves nobody', () => {
    const { rig } = heldBy([]);
    const other = rig.tree.join('a:1', { candidate: false });
    const second = new GroupRig({ tree: rig.tree, at: 'second:1' }).start();
    second.up(rig.self, 'out');
    const from = { rig: second, channel: second.up(other, 'in') };
    const epoch = epochOf(rig.self);
    second.say(from.channel, { type: 'get', epoch, id: 1, key: key('k') });
    expect(answered(second, 1)).toMatchObject([{ type: 'refused', reason: 'notLeader' }]);
  });

  it('Z36: who cannot be reached for an invalidation gets the value, but is told not to cache', () => {
    const { rig } = heldBy([]);
    const peer = rig.tree.join('a:1');
    rig.answerAll();
    const channel = rig.up(peer, 'in');
    expect(answered(rig, ask({ rig, channel }, 'k'))).toMatchObject([{ found: { value: 'v1' }, holder: false }]);
    expect(rig.result(rig.set('k', 'v2'))).toMatchObject({ ok: true });
  });

  it('Z18: nobody is listed as a holder of nothing', () => {
    const { rig, links } = leaderRig(['a:1']);
    expect(answered(rig, ask({ rig, channel: links[0]!.in }, 'none'))).toMatchObject([{ holder: false }]);
    expect(rig.status.pending.directory).toBe(0);
  });
});
