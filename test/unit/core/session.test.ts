/** Beats and what ends a session (docs/protocol.md, Lease; Z01 Z02 Z06 Z24 Z26; contract: roles). */
import { describe, expect, it } from '@jest/globals';
import type { ZkOperation } from '../../../src/core/coordination.ts';
import { followerRig, GroupRig, leaderRig, TIMEOUT_MS } from './group-rig.ts';
import { effectsOf, paths } from './support.ts';

const isBeat = (operation: ZkOperation): boolean =>
  operation.op === 'multi' && operation.steps.every((step) => step.op === 'check');
const beatsOf = (rig: GroupRig) => effectsOf(rig.effects, 'zk').filter(({ operation }) => isBeat(operation));
const roles = (rig: GroupRig) => effectsOf(rig.effects, 'role').map(({ role }) => role);

/** Time passes, and each request is answered so much later. */
function answerLate(rig: GroupRig, ms: number, delayMs: number): void {
  const until = rig.now + ms;
  const due: number[] = [];
  let asked = 0;
  for (;;) {
    // Never twice the same: what is in step by chance proves little.
    while (due.length < rig.asked.length) {
      asked += 1;
      due.push(Math.max(due.at(-1) ?? 0, rig.now + delayMs * (1 + ((asked * 0.618) % 1))));
    }
    const next = Math.max(rig.now, Math.min(due[0] ?? Number.POSITIVE_INFINITY, rig.group.wakeAt));
    if (next > until) break;
    rig.stopFor(next - rig.now);
    if (due[0] !== undefined && due[0] <= rig.now) {
      due.shift();
      rig.answer();
    } else rig.step({ type: 'wake' });
  }
  rig.stopFor(until - rig.now);
}

describe('beats', () => {
  it('are sent six times a session timeout, each with one that confirms it, so that the lease never lapses while ZooKeeper answers', () => {
    const { rig } = followerRig();
    const before = beatsOf(rig).length;
    rig.pass(5 * TIMEOUT_MS);
    expect(beatsOf(rig).length - before).toBe(60);
    expect(roles(rig)).not.toContain('suspended');
  });

  it("Z26: check the own member znode and, a candidate's, its election znode: in one quorum transaction", () => {
    const { rig } = followerRig();
    const mine = [...rig.tree.nodes].filter(([, node]) => node.owner === rig.sessionId).map(([path]) => path);
    expect(mine).toHaveLength(2);
    expect(beatsOf(rig).at(-1)!.operation).toEqual({ op: 'multi', steps: mine.map((path) => ({ op: 'check', path })) });
    const plain = followerRig({ candidate: false }).rig;
    const steps = [{ op: 'check', path: paths.member(plain.self.address) }];
    expect(beatsOf(plain).at(-1)!.operation).toEqual({ op: 'multi', steps });
  });

  it('Z26: joining alone is no lease: it takes a second transaction', () => {
    const rig = new GroupRig();
    rig.step({ type: 'start' });
    rig.step({ type: 'zkConnected', session: rig.session, info: { id: rig.sessionId, timeoutMs: TIMEOUT_MS } });
    rig.answerAll();
    expect(rig.status).toMatchObject({ live: false, role: 'joining' });
    rig.pass(600);
    expect(rig.status).toMatchObject({ live: true, role: 'leader' });
  });

  it('limits: those without an answer are bounded, and none is sent without a connection', () => {
    const { rig } = followerRig();
    const before = beatsOf(rig).length;
    rig.pass(30 * TIMEOUT_MS, { silent: true });
    for (let i = 0; i < 100; i++) rig.stopFor(1000).step({ type: 'wake' });
    expect(beatsOf(rig).length - before).toBeLessThanOrEqual(12);
    const cut = followerRig().rig;
    cut.step({ type: 'zkDisconnected', session: cut.session });
    const sent = beatsOf(cut).length;
    cut.pass(TIMEOUT_MS);
    expect(beatsOf(cut)).toHaveLength(sent);
  });

  it('Z06: the lease counts from the sending of a beat, however long its answer took', () => {
    const { rig } = followerRig();
    rig.pass(TIMEOUT_MS);
    const sentAt = rig.group.wakeAt;
    rig.stopFor(sentAt - rig.now).step({ type: 'wake' });
    rig.stopFor(400).answerAll();
    rig.stopFor(600).step({ type: 'wake' });
    rig.answerAll();
    // The newest that counts is the one that was sent, to confirm another, when the late answer came.
    expect(rig.status.leaseMs).toBeCloseTo(sentAt + 400 + TIMEOUT_MS * 0.99 - rig.now);
  });

  it('Z19: after a pause the next comes as soon as it proves something, so that a node that went on is not suspended again', () => {
    const { rig } = followerRig();
    rig.pass(TIMEOUT_MS);
    // The beats of this time are answered at its end: with them only the last one of before it is proven.
    rig.pass(0.8 * TIMEOUT_MS, { silent: true });
    rig.answerAll();
    expect(rig.status.live).toBe(true);
    const before = roles(rig).length;
    rig.pass(2 * TIMEOUT_MS);
    expect(roles(rig).slice(before)).toEqual([]);
  });

  it.each([
    ['ZooKeeper is slow', 1000, 0.2 * TIMEOUT_MS, 12],
    ['ZooKeeper is very slow', 1000, 0.5 * TIMEOUT_MS, 12],
    ['sessions are short for this tick', 1.7 * TIMEOUT_MS, 10, 24],
  ])(
    'limits: are no more than a few a session timeout where %s, and the lease holds for a moment only or not at all',
    (_where, tickTimeMs, delayMs, most) => {
      const { rig } = followerRig({ tickTimeMs });
      answerLate(rig, 3 * TIMEOUT_MS, delayMs);
      const before = beatsOf(rig).length;
      answerLate(rig, 20 * TIMEOUT_MS, delayMs);
      expect(beatsOf(rig).length - before).toBeLessThanOrEqual(20 * most);
    },
  );

  it('a lost answer renews nothing', () => {
    const { rig } = followerRig();
    rig.pass(TIMEOUT_MS / 6, { silent: true });
    const { leaseMs } = rig.status;
    while (rig.asked.length > 0) rig.answer({ ok: false, code: 'CONNECTION_LOSS', message: '' });
    expect(rig.status.leaseMs).toBe(leaseMs);
  });
});

describe('a session', () => {
  it('Z19: a dropped connection does not end the lease; its time does; a reconnect renews it', () => {
    const { rig } = followerRig();
    rig.step({ type: 'zkDisconnected', session: rig.session });
    expect(rig.status).toMatchObject({ live: true, role: 'follower' });
    rig.pass(TIMEOUT_MS);
    expect(rig.status).toMatchObject({ live: false, role: 'suspended' });
    rig.connect().pass(1000);
    expect(rig.status).toMatchObject({ live: true, role: 'follower' });
    expect(effectsOf(rig.effects, 'session').map(({ event }) => event)).toEqual(['suspended']);
    expect(rig.status.counters.sessionsLost).toBe(0);
  });

  it('Z06: the clock is compared at every input: a lapse between two looks is noticed although it was renewed since', () => {
    const { rig } = leaderRig();
    rig.pass(TIMEOUT_MS / 6, { silent: true });
    rig.stopFor(TIMEOUT_MS);
    // The answers that were waiting for the stopped process come before any timer.
    rig.answerAll();
    expect(roles(rig)).toContain('suspended');
  });

  it('Z02: after its end the next one is opened by itself, and what was asked in the old one is not answered twice', () => {
    const { rig } = followerRig();
    const call = rig.get('k');
    rig.tree.expire(rig.sessionId);
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'expired' });
    expect(rig.result(call)).toMatchObject({ code: 'ZISTORE_SESSION_LOST' });
    rig.pass(50);
    expect(rig.session).toBe(2);
    rig.connect();
    expect(roles(rig)).toEqual(['follower', 'lost', 'follower']);
    expect(effectsOf(rig.effects, 'identify').map(({ self }) => self?.incarnation)).toEqual([
      expect.any(BigInt),
      undefined,
      rig.self.incarnation,
    ]);
  });

  it('refused credentials are fatal: said once, and not tried again', () => {
    const rig = new GroupRig();
    rig.step({ type: 'start' });
    rig.step({ type: 'zkEnded', session: rig.session, reason: 'authFailed' });
    rig.pass(TIMEOUT_MS);
    expect(effectsOf(rig.effects, 'fatal')).toMatchObject([{ failure: { code: 'ZISTORE_UNAUTHORIZED' } }]);
    expect(effectsOf(rig.effects, 'openSession')).toHaveLength(1);
  });
});

describe('asking the others what they say of themselves', () => {
  it('reports whoever answers, and the rest as unknown after a bound', () => {
    const { rig, leader, channel } = followerRig();
    rig.tree.join('silent:1');
    rig.step({ type: 'inspect', call: 900 });
    rig.answerAll();
    const { id } = rig.sent('inspect')[0]!;
    const report = { address: leader.address, role: 'leader', live: true, entries: 3 };
    rig.say(channel, { type: 'report', epoch: rig.sent('inspect')[0]!.epoch, id, report });
    expect(rig.result(900)).toBeUndefined();
    rig.pass(3000);
    const unknown = { address: 'silent:1', role: 'unknown', live: false, entries: 0 };
    expect(rig.result(900)).toEqual({ ok: true, reports: [report, unknown] });
    expect(rig.effects).toContainEqual({ type: 'hangup', peer: expect.objectContaining({ address: 'silent:1' }) });
  });

  it('is answered by any node, whatever the epoch of who asks', () => {
    const { rig, links } = leaderRig(['a:1']);
    rig.set('k', 'v');
    rig.say(links[0]!.in, { type: 'inspect', epoch: (rig.epoch - 1n) as typeof rig.epoch, id: 5 });
    const report = { address: 'me:1', role: 'leader', live: true, entries: 1 };
    expect(rig.sent('report')).toMatchObject([{ id: 5, channel: links[0]!.in, report }]);
  });
});
