/** Workers as the fault runs use them: real processes on the embedded coordinator. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmbeddedCoordinator, startEmbeddedCoordinator } from '../../../src/embedded/server.ts';
import { type ProcessMember, spawnMember, WORKER_ENDED, WorkerError } from '../../faults/member.ts';
import { Timeline } from '../../faults/timeline.ts';
import type { LoadShape } from '../../faults/wire.ts';
import { until } from '../../support/wait.ts';

const LOAD: LoadShape = { rate: 200, seed: 7, generationMs: 300, timeoutMs: 2000 };

let coordinator: EmbeddedCoordinator;
let timeline: Timeline;
let members: ProcessMember[];

beforeEach(async () => {
  coordinator = await startEmbeddedCoordinator();
  timeline = new Timeline();
  members = [];
});

afterEach(async () => {
  await Promise.all(members.map((member) => member.kill()));
  await coordinator.close();
});

async function member(): Promise<ProcessMember> {
  const spawned = await spawnMember({ timeline, stderr: 'inherit' });
  members.push(spawned);
  return spawned;
}

async function started(): Promise<ProcessMember> {
  const one = await member();
  await one.start({ zookeeper: coordinator.connectString, sessionTimeoutMs: 4000, tickTimeMs: coordinator.tickTimeMs });
  return one;
}

describe('a worker', () => {
  it('carries out single operations, which are in the history when they are answered', async () => {
    const one = await started();
    await one.put('k', 'v1');
    expect(await one.get('k')).toBe('v1');
    expect(await one.del('k')).toBe(true);
    expect(await one.get('k')).toBeNull();
    expect(timeline.keys.get('k')?.entries).toMatchObject([
      { c: one.client, op: 'put', v: 'v1', ok: true },
      { c: one.client, op: 'get', r: 'v1', ok: true },
      { c: one.client, op: 'del', ok: true },
      { c: one.client, op: 'get', r: null, ok: true },
    ]);
    expect(one).toMatchObject({ role: 'leader' });
  });

  it('goes on with its load until it is told to be quiet, and closes cleanly', async () => {
    const one = await started();
    one.load(LOAD);
    await until('300 operations', () => timeline.acknowledged > 300);
    await one.quiet();
    const { acknowledged } = timeline;
    expect((await one.status()).inFlight).toBe(0);
    expect(timeline.acknowledged).toBe(acknowledged);
    expect(timeline.openWrites().size).toBe(0);
    const closed = await one.close();
    expect(closed).toMatchObject({ lost: false, limitMs: 10_000 });
    expect(closed.to).toBeGreaterThan(closed.from);
    expect(timeline.lives.map((life) => life.closed)).toEqual([closed]);
  });

  it('leaves its writes behind as unknown when it is killed (Z08)', async () => {
    const leader = await started();
    const follower = await started();
    leader.signal('SIGSTOP');
    const write = follower.put('k', 'v').catch((error: unknown) => error);
    await until('its intent is told', () => timeline.openWrites().has('k'));
    await follower.kill();
    expect(await write).toMatchObject({ code: WORKER_ENDED, outcome: 'unknown' });
    expect(timeline.openWrites().size).toBe(0);
    expect(timeline.historyOf('k').entries).toMatchObject([
      { c: follower.client, op: 'put', v: 'v', ok: false, t: -1 },
    ]);
  });

  it('knows what a node holds in its memory', async () => {
    const leader = await started();
    const follower = await started();
    await leader.put('k', 'v');
    expect(await follower.get('k')).toBe('v');
    expect(await follower.get('none')).toBeNull();
    const holders = (key: string) => [...timeline.historyOf(key).holds.keys()].map(({ client }) => client);
    expect(holders('k')).toEqual([leader.client, follower.client]);
    expect(holders('none')).toEqual([]);
  });

  it('says why it could not be started', async () => {
    const one = await member();
    const failure = await one.start({ zookeeper: '' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkerError);
    expect(failure).toMatchObject({ code: 'ZISTORE_INVALID_ARGUMENT' });
    await one.ended;
  });
});
