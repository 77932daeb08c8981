/** Taking out the rules of a write: locks, invalidations and their acknowledgements. */
import { Leader } from '../../src/core/leader.ts';
import { Leading } from '../../src/core/leading.ts';
import { Takeover } from '../../src/core/takeover.ts';
import type { Member } from '../../src/core/types.ts';
import type { Mutation } from './mutations.ts';
import { type Inner, replaceMethod } from './mutations-patch.ts';

export const mutationsOfWrites: readonly Mutation[] = [
  {
    name: 'acknowledgements-not-awaited',
    rule: '`invalidate(key, version)` to every holder, the writer among them; wait for acknowledgements',
    apply() {
      replaceMethod(Leader, 'begin', (original) => {
        return function (write, holders, now) {
          const refused = original.call(this, write, holders, now);
          if (!refused) for (const peer of [...holders]) this.acknowledged(peer, write, now);
          return refused;
        };
      });
    },
  },
  {
    name: 'acknowledgement-of-any-version',
    rule: 'wait for acknowledgements that name this version',
    apply() {
      replaceMethod(Leader, 'invalidated', () => {
        return function (peer, key, _version, now) {
          const round = this.locks.holder(key);
          if (round !== undefined) this.acknowledged(peer, round, now);
        };
      });
    },
  },
  {
    name: 'not-sent-again',
    rule: 'Every unacknowledged fence, adopt and invalidation is sent again on each new connection',
    apply() {
      replaceMethod(Leader, 'channelUp', () => () => {});
      replaceMethod(Takeover, 'channelUp', (original) => {
        return function (member, channel, dialledByUs) {
          const collection = this.collections.get(member);
          if (collection?.told) return;
          if (collection !== undefined) collection.told = true;
          original.call(this, member, channel, dialledByUs);
        };
      });
    },
  },
  {
    name: 'no-lock-for-writes',
    rule: 'One write a key at a time: the key’s lock',
    apply() {
      replaceMethod(Leader, 'enqueue', () => {
        return function (peer, id, key, action, now) {
          const write = this.pending(peer, id, key, action);
          if (this.run(write, now)) this.passOn(key, now);
        };
      });
    },
  },
  {
    name: 'no-lock-for-reads',
    rule: 'The leader, once no write holds the key’s lock, lists the asking incarnation as holder and answers',
    apply() {
      replaceMethod(Leader, 'request', (original) => {
        return function (peer, channel, message, now) {
          if (message.type !== 'get' || this.draining || now >= this.lease.end) {
            original.call(this, peer, channel, message, now);
          } else this.read(peer, channel, message.id, message.key);
        };
      });
    },
  },
  {
    name: 'directory-of-connections',
    rule: 'The directory belongs to members, never to connections',
    apply() {
      replaceMethod(Leading, 'channelDown', (original) => {
        return function (channel) {
          original.call(this, channel);
          for (const key of this.leader?.holders.directory.byKey.keys() ?? []) {
            if (this.leader.locks.holder(key) === undefined) this.leader.holders.directory.remove(key, channel.member);
          }
        };
      });
    },
  },
  {
    name: 'gone-by-any-list',
    rule: 'Gone: a member list read at a zxid ≥ the incarnation shows that incarnation absent or replaced',
    apply() {
      const isGone = function (this: Inner, member: Member): boolean {
        return this.current.get(member.address) !== member.incarnation;
      };
      replaceMethod(Leading, 'membersRead', (original) => {
        return function (members, now) {
          original.call(this, Object.assign(Object.create(members), { isGone }), now);
        };
      });
    },
  },
];
