import { describe, expect, it } from '@jest/globals';
import {
  children,
  create,
  ephemeral,
  exists,
  type Fixture,
  get,
  NO_OWNER,
  remove,
  sequential,
  set,
} from './fixture.ts';

export function operationCases(the: () => Fixture): void {
  describe('operations', () => {
    it('create, read, change and delete a znode, with its versions and zxids (Z12)', async () => {
      const { session } = await the().connect();
      const path = `${the().base}/a`;
      const created = await session.done(create(path, 'one'));
      expect(created.path).toBe(path);
      const first = await session.done(get(path));
      expect(first).toMatchObject({ data: 'one', stat: { version: 0, ephemeralOwner: NO_OWNER } });
      expect(first.stat).toMatchObject({ czxid: created.zxid, mzxid: created.zxid, pzxid: created.zxid });
      const changed = await session.done(set(path, 'two', 0));
      const second = await session.done(get(path));
      expect(second).toMatchObject({ data: 'two', stat: { version: 1, czxid: created.zxid, mzxid: changed.zxid } });
      await session.done(remove(path, 1));
      expect(await session.refused(get(path))).toBe('NO_NODE');
    });

    it('keep empty, long and non-ASCII values as they are', async () => {
      const { session } = await the().connect();
      for (const data of ['', 'žluťoučký 🐎', 'x'.repeat(100_000)]) {
        await session.done(set(the().base, data));
        expect((await session.done(get(the().base))).data).toBe(data);
      }
    });

    it('report an absent znode as null, not as an error', async () => {
      const { session } = await the().connect();
      expect(await session.done(exists(`${the().base}/a`))).toMatchObject({ stat: null });
      expect((await session.done(exists(the().base))).stat).toMatchObject({ version: 0 });
    });

    it('list the names of children, whose changes count in pzxid', async () => {
      const { session } = await the().connect();
      const { base } = the();
      expect((await session.done(children(base))).names).toEqual([]);
      await session.done(create(`${base}/a`));
      const b = await session.done(create(`${base}/b`));
      await session.done(create(`${base}/b/c`));
      const listed = await session.done(children(base));
      expect([...listed.names!].sort()).toEqual(['a', 'b']);
      expect(listed.stat!.pzxid).toBe(b.zxid);
      const removed = await session.done(remove(`${base}/a`));
      expect((await session.done(exists(base))).stat!.pzxid).toBe(removed.zxid);
    });

    it('fail with the code that says why', async () => {
      const { session } = await the().connect();
      const { base } = the();
      const missing = `${base}/missing`;
      for (const operation of [get(missing), set(missing, ''), remove(missing), children(missing)]) {
        expect(await session.refused(operation)).toBe('NO_NODE');
      }
      expect(await session.refused(create(`${missing}/child`))).toBe('NO_NODE');
      expect(await session.refused(create(base))).toBe('NODE_EXISTS');
      await session.done(create(`${base}/a`));
      expect(await session.refused(remove(base))).toBe('NOT_EMPTY');
      expect(await session.refused(set(base, '', 1))).toBe('BAD_VERSION');
      expect(await session.refused(remove(`${base}/a`, 1))).toBe('BAD_VERSION');
      await session.done(ephemeral(`${base}/e`));
      expect(await session.refused(create(`${base}/e/child`))).toBe('OTHER');
    });

    it('take version 0 for 0, not for any [8]', async () => {
      const { session } = await the().connect();
      await session.done(set(the().base, 'changed'));
      expect(await session.refused(set(the().base, 'x', 0))).toBe('BAD_VERSION');
      expect(await session.refused(remove(the().base, 0))).toBe('BAD_VERSION');
    });

    it('number sequential znodes by how many children there ever were, in ten digits', async () => {
      const { session } = await the().connect();
      const { base } = the();
      expect((await session.done(sequential(`${base}/n-`))).path).toBe(`${base}/n-0000000000`);
      await session.done(create(`${base}/plain`));
      await session.done(remove(`${base}/plain`));
      expect((await session.done(sequential(`${base}/other-`))).path).toBe(`${base}/other-0000000002`);
      await session.done(remove(`${base}/n-0000000000`));
      expect((await session.done(sequential(`${base}/n-`))).path).toBe(`${base}/n-0000000003`);
      expect(await session.refused(create(`${base}/other-0000000002`))).toBe('NODE_EXISTS');
    });

    it('name the session that owns an ephemeral znode (Z34)', async () => {
      const { session } = await the().connect();
      const { session: other } = await the().connect();
      const path = `${the().base}/e`;
      await session.done(ephemeral(path));
      expect((await other.done(exists(path))).stat!.ephemeralOwner).toBe(session.connections[0]!.id);
      expect(await other.refused(ephemeral(path))).toBe('NODE_EXISTS');
    });

    it('give every change a zxid of its own, in order, and reads one that is not older (Z16)', async () => {
      const { session } = await the().connect();
      const { base } = the();
      let last = 0n;
      for (const operation of [create(`${base}/a`), set(`${base}/a`, 'x'), remove(`${base}/a`)]) {
        const changed = await session.done(operation);
        expect(changed.zxid > last).toBe(true);
        last = changed.zxid;
        expect((await session.done(exists(base))).zxid >= last).toBe(true);
      }
      expect(session.client.lastZxid >= last).toBe(true);
    });

    it('are answered in the order in which they were submitted', async () => {
      const { session } = await the().connect();
      const { base } = the();
      const requests = [create(`${base}/a`), get(base), set(`${base}/a`, 'x'), get(`${base}/a`), remove(base)].map(
        (operation) => session.submit(operation),
      );
      await session.reply(requests.at(-1)!);
      expect(session.log.filter((line) => line.startsWith('reply'))).toEqual(requests.map((n) => `reply ${n}`));
    });

    it.each(['a', '/a/', '/a//b', '/a/./b', '/a/../b', '/a\u0000b', ''])('refuse the path %j', async (path) => {
      const { session } = await the().connect();
      expect(await session.refused(create(path))).toBe('BAD_ARGUMENTS');
    });
  });
}
