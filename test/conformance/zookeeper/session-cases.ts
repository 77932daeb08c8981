import { describe, expect, it } from '@jest/globals';
import { children, create, ephemeral, exists, type Fixture, set } from './fixture.ts';
import type { Session } from './session.ts';

export function sessionCases(the: () => Fixture): void {
  const isGone = async (session: Session, path: string): Promise<void> => {
    let gone = false;
    const look = async () => {
      while (!gone) {
        gone = (await session.done(exists(path))).stat === null;
        if (!gone) await the().world.pass(50);
      }
    };
    await look();
  };

  describe('sessions', () => {
    it('get the timeout they ask for, within what the server is configured for', async () => {
      const { tickTimeMs, maxSessionTimeoutMs } = the().world;
      for (const [asked, granted] of [
        [1, 2 * tickTimeMs],
        [3 * tickTimeMs + 7, 3 * tickTimeMs + 7],
        ...(maxSessionTimeoutMs === undefined ? [] : [[maxSessionTimeoutMs + 1, maxSessionTimeoutMs] as const]),
      ] as const) {
        const { session } = await the().connect({ sessionTimeoutMs: asked });
        expect(session.connections[0]).toMatchObject({
          timeoutMs: granted,
          id: expect.stringMatching(/^[0-9a-f]{16}$/),
        });
      }
    });

    it('are told apart', async () => {
      const ids = [];
      for (const _ of [1, 2, 3]) ids.push((await the().connect()).session.connections[0]!.id);
      expect(new Set(ids).size).toBe(3);
    });

    it('live on through a broken connection, and their ephemerals with them', async () => {
      const { session, host } = await the().connect({ sessionTimeoutMs: the().patientTimeoutMs });
      const path = `${the().base}/e`;
      await session.done(ephemeral(path));
      host.cut();
      const request = session.submit(set(path, 'x'));
      expect(await session.reply(request)).toMatchObject({ ok: false, code: 'CONNECTION_LOSS' });
      expect(await session.refused(exists(path))).toBe('NOT_SENT');
      host.heal();
      await session.connected(2);
      expect(session.connections[1]).toEqual(session.connections[0]);
      expect((await session.done(exists(path))).stat!.ephemeralOwner).toBe(session.connections[0]!.id);
      expect(session.end).toBeUndefined();
    });

    it('live without any request, by their pings [5]', async () => {
      const { session } = await the().connect();
      const path = `${the().base}/e`;
      await session.done(ephemeral(path));
      await the().world.pass(2.5 * the().timeoutMs);
      expect((await session.done(exists(path))).stat).not.toBeNull();
      expect(session.connections).toHaveLength(1);
    });

    it('expire in silence: ephemerals go in one transaction, then the client hears of it (S01 Z19)', async () => {
      const { session, host } = await the().connect();
      const { session: other } = await the().connect();
      const { base } = the();
      await session.done(create(`${base}/p`));
      await session.done(create(`${base}/q`));
      await session.done(ephemeral(`${base}/p/e`));
      await session.done(ephemeral(`${base}/q/e`));
      await other.done(exists(`${base}/p/e`, true));
      host.cut();
      await the().world.until('expiry', () => other.watches.length > 0, 3 * the().timeoutMs + 5000);
      expect(other.watches).toEqual([`${base}/p/e deleted`]);
      expect((await other.done(children(`${base}/q`))).names).toEqual([]);
      const [p, q] = [await other.done(exists(`${base}/p`)), await other.done(exists(`${base}/q`))];
      expect(p.stat!.pzxid).toBe(q.stat!.pzxid);
      expect(session.end).toBeUndefined();
      host.heal();
      await the().world.until('the end', () => session.end !== undefined);
      expect(session.end).toBe('expired');
      expect(session.log.at(-1)).toBe('ended expired');
    });

    it('answer every open request before they end', async () => {
      const { session, host } = await the().connect();
      const { session: other } = await the().connect();
      const path = `${the().base}/e`;
      await session.done(ephemeral(path));
      host.cut();
      const requests = [session.submit(exists(path)), session.submit(set(path, 'x'))];
      await isGone(other, path);
      host.heal();
      await the().world.until('the end', () => session.end !== undefined);
      const replies = requests.map((n) => session.log.indexOf(`reply ${n}`));
      expect(Math.min(...replies)).toBeGreaterThan(-1);
      expect(session.log.at(-1)).toBe('ended expired');
    });

    it('end at once when they are closed', async () => {
      const { session } = await the().connect();
      const { session: other } = await the().connect();
      const path = `${the().base}/e`;
      await session.done(ephemeral(path));
      await other.done(exists(path, true));
      await session.close();
      expect(session.end).toBe('closed');
      await the().world.until('the deletion', () => other.watches.length > 0);
      expect((await other.done(exists(path))).stat).toBeNull();
      await session.close();
    });

    it('start from the zxid that the one before has seen', async () => {
      const { session, host } = await the().connect();
      await session.done(set(the().base, 'x'));
      const { lastZxid } = session.client;
      await session.close();
      const next = the().open(host, lastZxid);
      await next.connected();
      expect(next.client.lastZxid >= lastZxid).toBe(true);
      const changed = await next.done(set(the().base, 'y'));
      expect(changed.zxid > lastZxid).toBe(true);
      expect(next.connections[0]!.id).not.toBe(session.connections[0]!.id);
    });

    it('are refused a server that has not seen what they have [20]', async () => {
      const { session, host } = await the().connect();
      const { zxid } = await session.done(set(the().base, 'x'));
      const future = the().open(host, zxid + (1n << 40n));
      await the().world.pass(1500);
      expect(future.connections).toEqual([]);
      expect(future.end).toBeUndefined();
      expect(await future.refused(exists(the().base))).toBe('NOT_SENT');
      await future.close();
      expect(future.end).toBe('closed');
    });
  });
}
