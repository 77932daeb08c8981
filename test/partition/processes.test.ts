/** Nodes that stand still, die or leave, and come back. */
import { expect } from '@jest/globals';
import { expectDone, firstRead, outcomeOf, underway, value, written } from './expectations.ts';
import { onContainers } from './scene.ts';

/** Longer than any fault here. */
const PATIENT_MS = 60_000;

await onContainers('stopped and killed', 'processes', ({ it }) => {
  it('Z19 Z27 S13: a follower stands still: a write of what it has waits until it is gone; the first that it says afterwards is not out of date', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k } = await scene.withCopy();
    scene.clock();
    await follower.pause();
    const current = await written(other, k);
    scene.lap('what it had was overwritten');
    await cluster.serving([leader, other]);
    // Read as soon as it runs again, when it has heard of nothing yet.
    const reads = Array.from({ length: 5 }, () => outcomeOf(follower.member.get(k, PATIENT_MS)));
    await scene.heal();
    for (const seen of await Promise.all(reads)) expect(['ZISTORE_SESSION_LOST', current]).toContain(seen);
    expect(await firstRead(follower, k)).toBe(current);
  });

  it('Z13 Z19 Z26 S12 S17: the leader stands still: another leads; the first that the old one says afterwards is not out of date', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k } = await scene.withCopy();
    scene.clock();
    await leader.pause();
    await cluster.serving([follower, other]);
    scene.lap('another served');
    const current = await written(follower, k);
    const reads = Array.from({ length: 5 }, () => outcomeOf(leader.member.get(k, PATIENT_MS)));
    const write = outcomeOf(leader.member.put(scene.key('late'), value(), PATIENT_MS));
    await scene.heal();
    for (const seen of await Promise.all(reads)) expect(['ZISTORE_SESSION_LOST', current]).toContain(seen);
    expect(['ZISTORE_SESSION_LOST', 'ZISTORE_OUTCOME_UNKNOWN', undefined]).toContain(await write);
    expect(await firstRead(leader, k)).toBe(current);
    expect(await cluster.leader()).not.toBe(leader);
  });

  it('Z05 Z27 S21: a follower is killed: a write of what it has waits until it is gone; started again, it reads what is current', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k } = await scene.withCopy();
    scene.clock();
    await follower.kill();
    const current = value();
    const write = underway('a write of what it has', leader.member.put(k, current, PATIENT_MS));
    await cluster.serving([leader, other]);
    await expectDone(write);
    scene.lap('what it had was overwritten');
    await scene.heal();
    expect(await firstRead(follower, k)).toBe(current);
  });

  it('Z05 Z13 Z30 S21: the leader is killed: another leads, with what others had copies of; started again, it follows', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k, v } = await scene.withCopy();
    scene.clock();
    await leader.kill();
    await cluster.serving([follower, other]);
    scene.lap('another served');
    expect(await firstRead(other, k)).toBe(v);
    await scene.heal();
    expect(await firstRead(leader, k)).toBe(v);
    expect(await cluster.leader()).not.toBe(leader);
  });

  it('Z05 S21: both followers are killed: the leader goes on with all that it has, also what they wrote', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k, v } = await scene.withCopy();
    const theirs = await written(other, scene.key('theirs'));
    scene.clock();
    await Promise.all([follower.kill(), other.kill()]);
    await cluster.serving([leader]);
    expect(await firstRead(leader, scene.key('theirs'))).toBe(theirs);
    expect(await firstRead(leader, k)).toBe(v);
    const current = await written(leader, k);
    scene.lap('what they had was overwritten');
    await scene.heal();
    expect(await firstRead(follower, k)).toBe(current);
  });

  it('Z05 Z13: the leader and a follower are killed: the last one leads, with what it had copies of', async (scene) => {
    const { cluster } = scene;
    const { leader, follower, other, k, v } = await scene.withCopy();
    scene.clock();
    await Promise.all([leader.kill(), other.kill()]);
    await cluster.serving([follower]);
    scene.lap('the last one served');
    expect(await firstRead(follower, k)).toBe(v);
    await scene.heal();
    expect(await firstRead(other, k)).toBe(v);
  });

  it('Z02 Z13: the leader leaves cleanly: another leads, with all that only the old one had; started again, it follows', async (scene) => {
    const { cluster } = scene;
    const [leader, follower, other] = await cluster.cast();
    const k = scene.key();
    const v = await written(leader, k);
    scene.clock();
    await leader.member.close();
    scene.lap('it had left');
    await cluster.serving([follower, other]);
    scene.lap('another served');
    expect(await firstRead(follower, k)).toBe(v);
    await scene.heal();
    expect(await firstRead(leader, k)).toBe(v);
    expect(await cluster.leader()).not.toBe(leader);
  });
});
