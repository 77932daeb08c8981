import { describe, expect, it } from '@jest/globals';
import type { Stat, ZkMultiStep } from '../../../src/ports.ts';
import { children, create, ephemeral, exists, type Fixture, get, remove, sequential, set } from './fixture.ts';
import type { Session } from './session.ts';

export function transactionCases(the: () => Fixture): void {
  const multi = (session: Session, ...steps: ZkMultiStep[]) => session.ask({ op: 'multi', steps });
  const check = (path: string, version = -1): ZkMultiStep => ({ op: 'check', path, version });
  const statOf = async (session: Session, path: string): Promise<Stat> => (await session.done(exists(path))).stat!;

  describe('multi', () => {
    it('gives all its steps one zxid, so that an epoch can be an incarnation (Z33 Z34)', async () => {
      const { session } = await the().connect();
      const { base } = the();
      const reply = await multi(session, ephemeral(`${base}/member`), sequential(`${base}/n-`), set(base, 'x'));
      expect(reply).toMatchObject({ ok: true, paths: [`${base}/member`, `${base}/n-0000000001`, undefined] });
      const zxid = reply.ok ? reply.zxid : 0n;
      expect((await statOf(session, `${base}/member`)).czxid).toBe(zxid);
      expect((await statOf(session, `${base}/n-0000000001`)).czxid).toBe(zxid);
      expect(await statOf(session, base)).toMatchObject({ mzxid: zxid, pzxid: zxid, version: 1 });
    });

    it('lets later steps see earlier ones', async () => {
      const { session } = await the().connect();
      const { base } = the();
      const reply = await multi(session, create(`${base}/a`, '1'), create(`${base}/a/b`), set(`${base}/a`, '2', 0));
      expect(reply).toMatchObject({ ok: true });
      expect(await session.done(get(`${base}/a`))).toMatchObject({ data: '2', stat: { version: 1 } });
      expect(await multi(session, remove(`${base}/a/b`), remove(`${base}/a`, 1), create(`${base}/a`))).toMatchObject({
        ok: true,
      });
      expect((await statOf(session, `${base}/a`)).version).toBe(0);
    });

    it.each([
      ['NO_NODE', (base: string) => set(`${base}/missing`, 'x')],
      ['NODE_EXISTS', (base: string) => create(`${base}/a`)],
      ['BAD_VERSION', (base: string) => check(base, 7)],
      ['NOT_EMPTY', (base: string) => remove(base)],
    ])('leaves nothing behind when a step fails: %s', async (code, failing) => {
      const { session } = await the().connect();
      const { base } = the();
      const before = await statOf(session, base);
      const undone = [create(`${base}/a`), create(`${base}/a/b`), set(base, 'x')];
      const reply = await multi(session, ...undone, failing(base), create(`${base}/b`));
      expect(reply).toMatchObject({ ok: false, code, step: 3 });
      expect(await statOf(session, base)).toEqual(before);
      expect((await session.done(children(base))).names).toEqual([]);
      expect((await session.done(get(base))).data).toBe('');
      expect((await session.done(sequential(`${base}/n-`))).path).toBe(`${base}/n-0000000000`);
    });

    it('undoes deletions too', async () => {
      const { session } = await the().connect();
      const { base } = the();
      await session.done(ephemeral(`${base}/e`, 'kept'));
      const before = await session.done(get(`${base}/e`));
      expect(await multi(session, remove(`${base}/e`), check(`${base}/e`))).toMatchObject({ code: 'NO_NODE', step: 1 });
      expect(await session.done(get(`${base}/e`))).toMatchObject({ data: 'kept', stat: before.stat });
      await session.close();
      const { session: other } = await the().connect();
      expect(await statOf(other, `${base}/e`)).toBeNull();
    });

    it('with nothing but a check takes a zxid of its own: a quorum barrier, and a beat (Z26)', async () => {
      const { session } = await the().connect();
      const { base } = the();
      const first = await session.done({ op: 'multi', steps: [check(base)] });
      const second = await session.done({ op: 'multi', steps: [check(base, 0)] });
      expect(second.zxid > first.zxid).toBe(true);
      expect(second.paths).toEqual([undefined]);
    });

    it('takes version 0 for 0 in every step [8]', async () => {
      const { session } = await the().connect();
      const { base } = the();
      await session.done(set(base, 'changed'));
      for (const step of [check(base, 0), set(base, 'x', 0), remove(base, 0)]) {
        expect(await multi(session, step)).toMatchObject({ ok: false, code: 'BAD_VERSION', step: 0 });
      }
    });
  });
}
