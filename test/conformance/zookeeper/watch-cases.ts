import { describe, expect, it } from '@jest/globals';
import { children, create, exists, type Fixture, get, remove, set } from './fixture.ts';
import type { Session } from './session.ts';

export function watchCases(the: () => Fixture): void {
  const relative = (session: Session) => session.watches.map((line) => line.replace(the().base, ''));
  const seen = (session: Session, count: number) =>
    the().world.until(`${count} watch events`, () => session.watches.length >= count);
  /** Whatever was still under way to this session has arrived. */
  const settled = (session: Session) => session.done(exists(the().base));

  describe('watches', () => {
    it.each([
      ['get', 'changed', (path: string) => get(path, true), (path: string) => set(path, 'x')],
      ['get', 'deleted', (path: string) => get(path, true), (path: string) => remove(path)],
      ['exists', 'changed', (path: string) => exists(path, true), (path: string) => set(path, 'x')],
      ['exists', 'deleted', (path: string) => exists(path, true), (path: string) => remove(path)],
      [
        'children',
        'children',
        (path: string) => children(path, true),
        (path: string, n: number) => create(`${path}/b${n}`),
      ],
      ['children', 'deleted', (path: string) => children(path, true), (path: string) => remove(path)],
    ])('of %s report once that it was %s (Z35)', async (_op, kind, watch, change) => {
      const { session } = await the().connect();
      const { session: other } = await the().connect();
      const path = `${the().base}/a`;
      await other.done(create(path));
      await session.done(watch(path));
      await other.done(change(path, 1));
      await seen(session, 1);
      if (kind === 'deleted') await other.done(create(path));
      await other.done(change(path, 2));
      await settled(session);
      expect(relative(session)).toEqual([`/a ${kind}`]);
      expect(other.watches).toEqual([]);
    });

    it('on what does not exist report its creation', async () => {
      const { session } = await the().connect();
      const path = `${the().base}/a`;
      await session.done(exists(path, true));
      await session.done(create(path));
      expect(relative(session)).toEqual(['/a created']);
      expect(await session.refused(get(`${the().base}/b`, true))).toBe('NO_NODE');
      expect(await session.refused(children(`${the().base}/b`, true))).toBe('NO_NODE');
      await session.done(create(`${the().base}/b`));
      await settled(session);
      expect(relative(session)).toEqual(['/a created']);
    });

    it('of children report deletions of children, but neither their data nor their children', async () => {
      const { session } = await the().connect();
      const { base } = the();
      await session.done(create(`${base}/a`));
      await session.done(children(base, true));
      await session.done(set(`${base}/a`, 'x'));
      await session.done(create(`${base}/a/b`));
      await session.done(remove(`${base}/a/b`));
      expect(relative(session)).toEqual([]);
      await session.done(remove(`${base}/a`));
      expect(relative(session)).toEqual([' children']);
    });

    it('of data and of children are not spent on each other', async () => {
      const { session } = await the().connect();
      const { base } = the();
      await session.done(get(base, true));
      await session.done(create(`${base}/a`));
      await session.done(children(base, true));
      expect(relative(session)).toEqual([]);
      await session.done(set(base, 'x'));
      expect(relative(session)).toEqual([' changed']);
      await session.done(create(`${base}/b`));
      expect(relative(session)).toEqual([' changed', ' children']);
    });

    it('are told before the answer of the change that caused them', async () => {
      const { session } = await the().connect();
      const { base } = the();
      await session.done(get(base, true));
      const request = session.submit(set(base, 'x'));
      await session.reply(request);
      expect(session.log.slice(-2)).toEqual([`watch ${base} changed`, `reply ${request}`]);
    });

    it('do not fire for a multi that fails, and do for each step of one that succeeds', async () => {
      const { session } = await the().connect();
      const { base } = the();
      await session.done(get(base, true));
      await session.done(children(base, true));
      const steps = [set(base, 'x'), create(`${base}/a`)];
      expect(await session.ask({ op: 'multi', steps: [...steps, remove(`${base}/missing`)] })).toMatchObject({
        step: 2,
      });
      await settled(session);
      expect(relative(session)).toEqual([]);
      await session.done({ op: 'multi', steps });
      expect(relative(session)).toEqual([' changed', ' children']);
    });

    it('report after a reconnect what happened meanwhile, once, and stay armed otherwise [16]', async () => {
      const { session, host } = await the().connect({ sessionTimeoutMs: the().patientTimeoutMs });
      const { session: other } = await the().connect();
      const { base } = the();
      const paths = ['changed', 'deleted', 'recreated', 'parent', 'untouched'].map((name) => `${base}/${name}`);
      for (const path of paths) await other.done(create(path));
      for (const path of paths) await session.done(path.endsWith('parent') ? children(path, true) : get(path, true));
      await session.done(exists(`${base}/created`, true));
      await session.done(exists(`${base}/came-and-went`, true));

      host.cut();
      const { done } = other;
      const change = done.bind(other);
      await change(set(`${base}/changed`, '1'));
      await change(set(`${base}/changed`, '2'));
      await change(remove(`${base}/deleted`));
      await change(remove(`${base}/recreated`));
      await change(create(`${base}/recreated`));
      await change(create(`${base}/parent/child`));
      await change(create(`${base}/created`));
      await change(create(`${base}/came-and-went`));
      await change(remove(`${base}/came-and-went`));
      await the().world.until('the client notices', () => session.log.includes('disconnected'));
      host.heal();
      await session.connected(2);
      await seen(session, 5);
      await settled(session);
      // A frozen path may still deliver the events of the old connection; then the first of each is what is seen.
      expect(
        relative(session)
          .map((line) => line.replace('/recreated deleted', '/recreated changed'))
          .sort(),
      ).toEqual(['/changed changed', '/created created', '/deleted deleted', '/parent children', '/recreated changed']);
      await other.done(set(`${base}/untouched`, 'x'));
      await seen(session, 6);
      expect(relative(session).at(-1)).toBe('/untouched changed');
    });
  });
}
