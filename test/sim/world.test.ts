/** The protocol's main line in virtual time: the real driver and core over the in-memory twins. */
import { describe, expect, it } from '@jest/globals';
import { World } from './world.ts';

describe('a cluster in virtual time', () => {
  it('S03 S04 S06: one node leads, writes anywhere are read everywhere, then from the cache', async () => {
    const world = new World({ log: process.env.SIM_LOG ? console.log : undefined } as object);
    const a = await world.started('a');
    expect(a.open.status().role).toBe('leader');
    const b = await world.started('b');
    const c = await world.started('c');
    expect(await world.settle(a.get('k'))).toBeUndefined();
    await world.settle(b.set('k', 'v1'));
    for (const node of [a, b, c]) expect(await world.settle(node.get('k'))).toBe('v1');
    expect(c.open.peek('k' as never)).toBe('v1');
    await world.settle(c.set('k', 'v2'));
    for (const node of [a, b, c]) expect(await world.settle(node.get('k'))).toBe('v2');
  });

  it('Z13 Z30: the leader is cut off; another takes over and keeps what is cached', async () => {
    const world = new World({ log: process.env.SIM_LOG ? console.log : undefined } as object);
    const a = await world.started('a');
    const b = await world.started('b');
    const c = await world.started('c');
    await world.settle(b.set('k', 'v1'));
    await world.settle(c.get('k'));
    a.host.cut();
    await world.clock.until('b or c leads', () => [b, c].some((n) => n.open.status().role === 'leader'));
    expect(await world.settle(b.get('k'))).toBe('v1');
    expect(await world.settle(c.get('k'))).toBe('v1');
    await expect(a.get('k')).rejects.toMatchObject({ code: 'ZISTORE_SESSION_LOST' });
    await world.settle(c.set('k', 'v2'));
    a.host.heal();
    await world.clock.until('a is back', () => a.open.status().role === 'follower');
    expect(await world.settle(a.get('k'))).toBe('v2');
  });

  it('close() of the leader hands its data over, twice in a row', async () => {
    const world = new World({ log: process.env.SIM_LOG ? console.log : undefined } as object);
    const a = await world.started('a');
    const b = await world.started('b');
    const c = await world.started('c');
    for (let i = 0; i < 5; i++) await world.settle(a.set(`k${i}`, `v${i}`));
    await world.settle(a.open.close());
    await world.settle(b.open.close());
    await world.clock.until('c leads', () => c.open.status().role === 'leader');
    for (let i = 0; i < 5; i++) expect(await world.settle(c.get(`k${i}`))).toBe(`v${i}`);
  });
});
