/** Every call is settled exactly once, whatever comes in whatever order (docs/protocol.md, Writes; contract: errors). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '../../../src/core/messages.ts';
import { epochOf, type Member } from '../../../src/core/types.ts';
import { followerRig, type GroupRig, leaderRig } from './group-rig.ts';
import { copy, key, version } from './support.ts';

const KEYS = ['x', 'y'];
const step = fc.record({
  what: fc.constantFrom(
    ...['get', 'set', 'delete', 'cancel', 'message', 'message', 'message', 'up', 'down', 'pass', 'stop'],
    ...['answer', 'lose', 'disconnect', 'newcomer', 'departure'],
  ),
  pick: fc.nat(7),
  id: fc.integer({ min: 1, max: 12 }),
  lower: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Any message that a peer, sane or not, might send. */
function messageOf({ pick, id, lower }: Step, of: Member): Message {
  const epoch = epochOf({ ...of, incarnation: (of.incarnation - (lower ? 1n : 0n)) as Member['incarnation'] });
  const at = version(epoch, id);
  const k = key(KEYS[id % 2]!);
  const found = { value: 'v', version: at };
  const all: Message[] = [
    { type: 'value', epoch, id, holder: id % 3 > 0, ...(id % 2 > 0 ? { found } : {}) },
    { type: 'written', epoch, id, version: at, existed: true, holder: true },
    { type: 'refused', epoch, id, reason: id % 2 > 0 ? 'noLease' : 'limit' },
    { type: 'invalidate', epoch, key: k, version: at },
    { type: 'invalidated', epoch, key: k, version: at },
    { type: 'fence', epoch },
    { type: 'offer', epoch, page: 0, last: true, labels: [epoch], copies: [copy('x', 'v', epoch, id)] },
    { type: 'write', epoch, id, settled: 0, key: k, action: { kind: 'set', value: 'w' } },
  ];
  return all[pick]!;
}

/** Most messages are of the epoch of `leader`. */
function play(rig: GroupRig, leader: () => Member, peers: Member[], steps: readonly Step[]): number {
  let calls = 0;
  let channels = 1;
  for (const each of steps) {
    const { what, pick, id } = each;
    const k = KEYS[pick % 2]!;
    const peer = peers[pick % peers.length]!;
    if (what === 'get') calls = rig.get(k);
    else if (what === 'set') calls = rig.set(k, 'v');
    else if (what === 'delete') calls = rig.delete(k);
    else if (what === 'cancel') rig.step({ type: 'cancel', call: id, code: 'ZISTORE_ABORTED' });
    else if (what === 'message') rig.say(1 + (id % channels), messageOf(each, id % 4 > 0 ? leader() : peer));
    else if (what === 'up') channels = rig.up(peer, pick % 2 > 0 ? 'in' : 'out');
    else if (what === 'down') rig.down(1 + (id % channels));
    else if (what === 'pass') rig.pass(id * 200);
    else if (what === 'stop') rig.stopFor(id * 1000);
    else if (what === 'answer') rig.answerAll();
    else if (what === 'lose') rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    else if (what === 'disconnect') rig.step({ type: 'zkDisconnected', session: rig.session });
    else if (what === 'newcomer') peers.push(rig.tree.join(`new${peers.length}:1`));
    else rig.tree.leave(peer.address);
    const ended = rig.effects.filter((effect) => effect.type === 'settle').map((effect) => effect.call);
    expect(new Set(ended).size).toBe(ended.length);
  }
  return calls;
}

function leavesNothingOpen(make: () => { rig: GroupRig; leader: () => Member; peers: Member[] }): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const { rig, leader, peers } = make();
      const calls = play(rig, leader, peers, steps);
      rig.step({ type: 'close' });
      rig.pass(60_000);
      expect(rig.status).toMatchObject({ role: 'closed', pending: { operations: 0, locks: 0 } });
      for (let call = 1; call <= calls; call++) expect([call, rig.result(call)]).toEqual([call, expect.anything()]);
    }),
    { numRuns: 150 },
  );
}

describe('settled exactly once', () => {
  it('at a follower', () => {
    leavesNothingOpen(() => {
      const { rig, leader } = followerRig();
      return { rig, leader: () => leader, peers: [leader] };
    });
  });

  it('at a leader', () => {
    leavesNothingOpen(() => {
      const { rig, peers } = leaderRig(['a:1', 'b:1']);
      return { rig, leader: () => rig.self, peers };
    });
  });

  it('every failure of a write carries its outcome (Z08)', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const { rig, leader } = followerRig();
        const writes = new Set<number>();
        const { step: run } = rig;
        rig.step = (input) => {
          if (input.type === 'write') writes.add(input.call);
          return run.call(rig, input);
        };
        play(rig, () => leader, [leader], steps);
        rig.step({ type: 'close' });
        rig.pass(60_000);
        for (const call of writes) {
          const result = rig.result(call);
          if (result?.ok !== true)
            expect(result).toMatchObject({ outcome: expect.stringMatching(/^(notApplied|unknown)$/) });
        }
      }),
      { numRuns: 100 },
    );
  });
});
