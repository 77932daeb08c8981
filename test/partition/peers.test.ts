/** Nodes that are cut from each other: who waits, who refuses, who goes on. */
import { expect } from '@jest/globals';
import { pause } from '../support/wait.ts';
import {
  expectDone,
  expectRefusal,
  expectRefused,
  expectWaiting,
  firstRead,
  underway,
  value,
  written,
} from './expectations.ts';
import { onContainers } from './scene.ts';

/** Longer than any cut here. */
const PATIENT_MS = 60_000;
const FLAPS = 8;
const FLAP_MS = 400;

await onContainers('cut from other nodes', 'peers', ({ it, itFilters }) => {
  itFilters(
    'Z21 Z28 S14 S15: a follower is cut from the leader alone: what it has copies of it answers, all else waits, as does a write of what it has; healed, all is done',
    async (scene) => {
      const { cluster } = scene;
      const { leader, follower, other, k, v } = await scene.withCopy();
      const [mine, next] = [value(), value()];
      const theirs = await written(other, scene.key('theirs'));
      scene.clock();
      await cluster.cut([follower], [leader]);
      const read = underway('a read without a copy', follower.member.get(scene.key('theirs'), PATIENT_MS));
      const write = underway('its write', follower.member.put(scene.key('mine'), mine, PATIENT_MS));
      const overwrite = underway('a write of what it has', leader.member.put(k, next, PATIENT_MS));
      await expectWaiting(read, write, overwrite);
      expect(await firstRead(follower, k)).toBe(v);
      await cluster.serving([leader, other]);
      expect(await cluster.leader()).toBe(leader);
      await scene.heal();
      expect(await expectDone(read, write, overwrite)).toEqual([theirs, undefined, undefined]);
      expect(await firstRead(follower, k)).toBe(next);
      expect(await firstRead(other, scene.key('mine'))).toBe(mine);
    },
  );

  it('Z21 Z28 S14 S15: the leader is cut from its followers: it stays, and serves what nobody else has; they wait, but for their copies; healed, all is done', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k, v } = await scene.withCopy();
    const [mine, next] = [value(), value()];
    const its = await written(leader, scene.key('its'));
    scene.clock();
    await leader.disconnect(leader.networks.peers);
    const read = underway('a read without a copy', follower.member.get(scene.key('its'), PATIENT_MS));
    const write = underway('a write of a follower', other.member.put(scene.key('mine'), mine, PATIENT_MS));
    const overwrite = underway('a write of what a follower has', leader.member.put(k, next, PATIENT_MS));
    await expectWaiting(read, write, overwrite);
    expect(await firstRead(follower, k)).toBe(v);
    await cluster.serving([leader]);
    expect(await firstRead(leader, scene.key('its'))).toBe(its);
    expect(await cluster.leader()).toBe(leader);
    await scene.heal();
    expect(await expectDone(read, write, overwrite)).toEqual([its, undefined, undefined]);
    expect(await firstRead(follower, k)).toBe(next);
    expect(await cluster.leader()).toBe(leader);
  });

  it('Z05 Z06 Z27 S11 S13 S14: a follower is cut from everything: it refuses; a write of what it has waits until it is gone; healed, it reads what is current', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k } = await scene.withCopy();
    scene.clock();
    await follower.disconnect();
    const current = value();
    const write = underway('a write of what it has', other.member.put(k, current, PATIENT_MS));
    await expectRefusal(follower, k);
    scene.lap('refused');
    await expectDone(write);
    scene.lap('what it had was overwritten');
    await cluster.serving([leader, other]);
    await expectRefused(follower, k);
    await scene.heal();
    expect(await firstRead(follower, k)).toBe(current);
  });

  for (const [direction, what] of [
    ['in', 'hears nobody, and is heard'],
    ['out', 'is heard by nobody, and hears'],
  ] as const) {
    itFilters(
      `Z05 Z06 Z27 S11 S13: a follower ${what}: it refuses, the others go on without it; healed, it reads what is current`,
      async (scene) => {
        const { cluster } = scene;
        const { leader, follower, other, k } = await scene.withCopy();
        const rest = [leader, other, ...cluster.servers];
        scene.clock();
        await (direction === 'in' ? cluster.cutOneWay(rest, [follower]) : cluster.cutOneWay([follower], rest));
        const current = value();
        const write = underway('a write of what it has', other.member.put(k, current, PATIENT_MS));
        await expectRefusal(follower, k);
        scene.lap('refused');
        await expectDone(write);
        scene.lap('what it had was overwritten');
        await cluster.serving([leader, other]);
        await expectRefused(follower, k);
        await scene.heal();
        expect(await firstRead(follower, k)).toBe(current);
      },
    );

    itFilters(
      `Z08 Z21 Z28 S15: between a follower and the leader one way is cut, the follower's way ${direction}: it waits; healed, its write has happened once`,
      async (scene) => {
        const { cluster } = scene;
        const { leader, follower, other, k, v } = await scene.withCopy();
        const mine = value();
        const theirs = await written(other, scene.key('theirs'));
        scene.clock();
        await (direction === 'in' ? cluster.cutOneWay([leader], [follower]) : cluster.cutOneWay([follower], [leader]));
        const write = underway('its write', follower.member.put(scene.key('mine'), mine, PATIENT_MS));
        const read = underway('a read without a copy', follower.member.get(scene.key('theirs'), PATIENT_MS));
        await expectWaiting(write, read);
        expect(await firstRead(follower, k)).toBe(v);
        await cluster.serving([leader, other]);
        await scene.heal();
        expect(await expectDone(write, read)).toEqual([undefined, theirs]);
        expect(await firstRead(other, scene.key('mine'))).toBe(mine);
      },
    );
  }

  itFilters(
    'Z02 Z21: a link between a follower and the leader comes and goes: nothing is lost, nothing is answered twice',
    async (scene) => {
      const { cluster } = scene;
      const { leader, follower, k } = await scene.withCopy();
      const writes: string[] = [];
      scene.clock();
      for (let i = 0; i < FLAPS; i += 1) {
        await cluster.cut([follower], [leader]);
        const next = value();
        const write = underway('its write', follower.member.put(k, next, PATIENT_MS));
        await pause(FLAP_MS * (i % 2));
        expect(write.isSettled).toBe(false);
        await cluster.heal();
        await expectDone(write);
        writes.push(next);
        expect(await firstRead(leader, k)).toBe(next);
      }
      scene.lap(`${writes.length} writes were made`);
      await scene.heal();
      expect(await firstRead(follower, k)).toBe(writes.at(-1));
    },
  );
});
