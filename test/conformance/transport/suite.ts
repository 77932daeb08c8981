/** What every Transport promises (src/ports.ts; Z42): run against the real one and its in-memory twin. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Member } from '../../../src/core/types.ts';
import type { ChannelId } from '../../../src/ports.ts';
import { until } from '../../support/wait.ts';
import { numbered, numbers, Owner, type TransportFactory, type TransportOptions } from './harness.ts';

const SECRET = 'a secret of the whole cluster';

export function transportConformance(name: string, create: TransportFactory): void {
  describe(`${name} as a Transport`, () => {
    const owners: Owner[] = [];
    afterEach(() => Promise.all(owners.splice(0).map((owner) => owner.transport.close())));

    function silent(options: TransportOptions = {}): Owner {
      const owner = new Owner(create(options));
      owners.push(owner);
      return owner;
    }

    async function owner(incarnation?: number, options: TransportOptions = {}): Promise<Owner> {
      const it = await silent(options).listen();
      if (incarnation !== undefined) it.identify(incarnation);
      return it;
    }

    /** A dials B, and both are up. */
    async function connected(options: TransportOptions = {}) {
      const [a, b] = [await owner(1, options), await owner(2, options)];
      a.transport.dial(b.member(2));
      const [out, into] = await bothUp(a, b);
      return { a, b, out, into };
    }

    async function bothUp(a: Owner, b: Owner): Promise<[out: ChannelId, into: ChannelId]> {
      await until(
        'a connection that is up at both ends',
        () => a.live('out').length === 1 && b.live('in').length === 1,
      );
      return [a.live('out')[0] as ChannelId, b.live('in')[0] as ChannelId];
    }

    /** Long enough for what must not happen to happen: a round trip that starts now, on other transports. */
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        const { a, b, out } = await connected();
        a.transport.send(out, numbered(0));
        await until('a message on another connection', () => b.of('message').length === 1);
      }
    };

    it('tells both ends who the other one is, and who dialled', async () => {
      const { a, b, out, into } = await connected();
      expect(a.events).toEqual([{ type: 'up', channel: out, peer: b.member(2), direction: 'out' }]);
      expect(b.events).toEqual([{ type: 'up', channel: into, peer: a.member(1), direction: 'in' }]);
    });

    it('delivers in order, both ways, however many are sent at once', async () => {
      const { a, b, out, into } = await connected();
      const ids = Array.from({ length: 500 }, (_, i) => i);
      for (const id of ids) {
        a.transport.send(out, numbered(id));
        b.transport.send(into, numbered(id + 1000));
      }
      await until('all of them', () => a.of('message').length === 500 && b.of('message').length === 500);
      expect(numbers(b, into)).toEqual(ids);
      expect(numbers(a, out)).toEqual(ids.map((id) => id + 1000));
    });

    it('carries what is sent as soon as `up` is told', async () => {
      const [a, b] = [await owner(1), await owner(2)];
      for (const it of [a, b]) {
        it.react = (event) => event.type === 'up' && it.transport.send(event.channel, numbered(7));
      }
      a.transport.dial(b.member(2));
      await until('a message at both ends', () => a.of('message').length === 1 && b.of('message').length === 1);
      expect(a.events.map(({ type }) => type)).toEqual(['up', 'message']);
      expect(b.events.map(({ type }) => type)).toEqual(['up', 'message']);
    });

    it('keeps one connection for each member dialled, however often it is dialled (Z42)', async () => {
      const { a, b } = await connected();
      a.transport.dial(b.member(2));
      a.transport.dial(b.member(2));
      await settle();
      expect(a.of('up')).toHaveLength(1);
    });

    it('keeps apart the connections that each of two nodes dials', async () => {
      const { a, b } = await connected();
      b.transport.dial(a.member(1));
      await bothUp(b, a);
      expect([a.live('out').length, a.live('in').length, b.live('out').length, b.live('in').length]).toEqual([
        1, 1, 1, 1,
      ]);
    });

    it.each(['the dialler', 'the dialled'])('dials again after a drop by %s', async (who) => {
      const { a, b, out, into } = await connected();
      if (who === 'the dialler') a.transport.drop(out, 'a fault');
      else b.transport.drop(into, 'a fault');
      await until('both down', () => a.of('down').length === 1 && b.of('down').length === 1);
      expect([a.of('down')[0]?.channel, b.of('down')[0]?.channel]).toEqual([out, into]);
      const [again] = await bothUp(a, b);
      expect(again).not.toBe(out);
    });

    it('tells nothing more about a channel once it was dropped, but that it is down', async () => {
      const { a, b, out, into } = await connected();
      b.react = (event) => event.type === 'message' && b.transport.drop(into, 'enough');
      for (let id = 0; id < 10; id++) a.transport.send(out, numbered(id));
      await until('down', () => b.of('down').length === 1);
      await until('up again', () => b.of('up').length === 2);
      expect(numbers(b, into)).toEqual([0]);
    });

    it('stops at hangup, closes what was dialled and leaves inbound connections alone', async () => {
      const { a, b, into } = await connected();
      b.transport.dial(a.member(1));
      await bothUp(b, a);
      a.transport.hangup(b.member(2));
      a.transport.hangup(b.member(2));
      await until('down at both ends', () => a.of('down').length === 1 && b.of('down').length === 1);
      expect(b.of('down')).toEqual([{ type: 'down', channel: into }]);
      await settle();
      expect([a.live('out').length, a.live('in').length]).toEqual([0, 1]);
      a.transport.dial(b.member(2));
      await bothUp(a, b);
    });

    it('goes on dialling a node that is not there until it is', async () => {
      const gone = await owner(9);
      await gone.transport.close();
      const a = await owner(1);
      a.transport.dial(gone.member(2));
      await settle();
      expect(a.events).toEqual([]);
      const b = await owner(2, { at: gone.address });
      await bothUp(a, b);
      await b.transport.close();
      await until('down', () => a.of('down').length === 1);
      const back = await owner(2, { at: gone.address });
      await bothUp(a, back);
    });

    it('holds hellos back, its own and those of others, until it is somebody', async () => {
      const [a, b] = [await owner(1), await owner()];
      a.transport.dial(b.member(2));
      b.transport.dial(a.member(1));
      await settle();
      expect([a.events, b.events]).toEqual([[], []]);
      b.identify(2);
      await bothUp(a, b);
      await bothUp(b, a);
    });

    it.each<[string, number | null]>([
      ['somebody else', 3],
      ['nobody', null],
    ])('closes every connection and forgets whom it dialled when it becomes %s', async (_who, next) => {
      const { a, b } = await connected();
      const c = await owner(5);
      c.transport.dial(a.member(1));
      await bothUp(c, a);
      if (next === null) a.transport.identify(null);
      else a.identify(next);
      await until(
        'all down',
        () => a.of('down').length === 2 && b.of('down').length === 1 && c.of('down').length === 1,
      );
      await settle();
      expect([a.live('out'), a.live('in'), b.live('in'), c.live('out')]).toEqual([[], [], [], []]);
      a.identify(4);
      a.transport.dial(b.member(2));
      c.transport.dial(a.member(4));
      await bothUp(a, b);
      await bothUp(c, a);
      expect(b.of('up').at(-1)?.peer).toEqual(a.member(4));
    });

    it('changes nothing when it is identified as who it is', async () => {
      const { a, b } = await connected();
      a.identify(1);
      b.identify(2);
      await settle();
      expect([a.of('down'), b.of('down')]).toEqual([[], []]);
    });

    it('does not take another life of an address for the one that was dialled', async () => {
      const [a, b] = [await owner(1), await owner(2)];
      a.transport.dial(b.member(3));
      await settle();
      expect([a.events, b.events]).toEqual([[], []]);
      b.identify(3);
      await bothUp(a, b);
    });

    it('refuses another cluster, says so to the dialler each time, and is dialled again', async () => {
      const [a, b] = [await owner(1, { cluster: 'one' }), await owner(2, { cluster: 'two' })];
      a.transport.dial(b.member(2));
      await until('refusals', () => a.of('refused').length >= 2);
      expect(a.of('refused')[0]).toMatchObject({ peer: b.member(2), code: 'ZISTORE_INCOMPATIBLE' });
      expect([a.of('up'), b.events]).toEqual([[], []]);
    });

    it('connects those who share a secret', async () => {
      const { a, b, out } = await connected({ secret: SECRET });
      a.transport.send(out, numbered(3));
      await until('the message', () => numbers(b).includes(3));
    });

    it.each<[string, TransportOptions, TransportOptions]>([
      ['different secrets', { secret: SECRET }, { secret: `${SECRET}!` }],
      ['a dialler without the secret', {}, { secret: SECRET }],
      ['a secret only at the dialler', { secret: SECRET }, {}],
    ])('refuses %s', async (_what, dialler, dialled) => {
      const [a, b] = [await owner(1, dialler), await owner(2, dialled)];
      a.transport.dial(b.member(2));
      await until('refusals', () => a.of('refused').length >= 2);
      expect(a.of('refused')[0]).toMatchObject({ peer: b.member(2), code: 'ZISTORE_UNAUTHORIZED' });
      expect([a.of('up'), b.events]).toEqual([[], []]);
    });

    it('replaces the older of two inbound connections of one member: down first, then up', async () => {
      const { a, b, into } = await connected();
      const again = await owner();
      const self: Member = a.member(1);
      again.transport.identify(self);
      again.transport.dial(b.member(2));
      await until('the newer one', () => again.of('up').length > 0);
      a.transport.hangup(b.member(2));
      await until('the replacement', () => b.of('up').length >= 2);
      expect(b.events.slice(0, 3)).toMatchObject([
        { type: 'up', channel: into },
        { type: 'down', channel: into },
        { type: 'up', peer: self, direction: 'in' },
      ]);
      await until('the older one down', () => a.of('down').length > 0);
    });

    it('never calls its owner from within a call of the owner', async () => {
      const { a, b, out } = await connected();
      let inside = '';
      const seen: string[] = [];
      a.react = (event) => inside !== '' && seen.push(`${event.type} in ${inside}`);
      const calling = (name: string, call: () => void): void => {
        inside = name;
        call();
        inside = '';
      };
      calling('send', () => a.transport.send(out, numbered(1)));
      calling('drop', () => a.transport.drop(out, 'a fault'));
      await until('up again', () => a.of('up').length === 2);
      calling('hangup', () => a.transport.hangup(b.member(2)));
      calling('dial', () => a.transport.dial(b.member(2)));
      await until('up again', () => a.of('up').length === 3);
      calling('identify', () => a.transport.identify(null));
      await until('down', () => a.live('out').length === 0);
      b.transport.dial(a.member(8));
      await settle();
      calling('identify', () => a.identify(8));
      await until('up', () => a.live('in').length === 1);
      expect(seen).toEqual([]);
      expect(a.of('down')).toHaveLength(3);
    });

    it('takes calls about channels and members that it does not know, or no longer', async () => {
      const { a, out } = await connected();
      a.transport.drop(out, 'a fault');
      a.transport.send(out, numbered(1));
      a.transport.drop(out, 'again');
      a.transport.send(4711, numbered(1));
      a.transport.drop(4711, 'never was');
      a.transport.hangup(a.member(77));
      await until('up again', () => a.of('up').length === 2);
      expect(a.of('down')).toHaveLength(1);
    });

    it('closes once and for all: its peers see it go, it says no more, later calls do nothing', async () => {
      const { a, b, out } = await connected();
      await Promise.all([b.transport.close(), b.transport.close()]);
      expect(b.live('in')).toEqual([]);
      const told = b.events.length;
      await until('down at the peer', () => a.of('down').length === 1);
      a.transport.send(out, numbered(1));
      b.identify(3);
      b.transport.dial(a.member(1));
      await settle();
      expect(b.events).toHaveLength(told);
      await expect(b.listen()).rejects.toMatchObject({ code: 'ZISTORE_CLOSED' });
    });

    it('says so when its address is taken', async () => {
      const a = await owner(1);
      await expect(silent({ at: a.address }).listen()).rejects.toMatchObject({ code: 'ZISTORE_INVALID_ARGUMENT' });
    });

    it('closes a transport that never listened', async () => {
      await silent().transport.close();
    });
  });
}
