/** Taking out the rules of the lease and of joining. */
import { Group } from '../../src/core/group.ts';
import { Join } from '../../src/core/join.ts';
import { Leader } from '../../src/core/leader.ts';
import { Lease } from '../../src/core/lease.ts';
import { Session } from '../../src/core/session.ts';
import type { Mutation } from './mutations.ts';
import { type Inner, replaceMethod } from './mutations-patch.ts';

export const mutationsOfLeases: readonly Mutation[] = [
  {
    name: 'lease-not-read-at-the-start',
    rule: 'The clock is read at the start of every operation',
    apply() {
      for (const name of ['live', 'mayAnswer']) {
        replaceMethod(Group, name, () => {
          return function () {
            return this.session?.joined !== undefined && !this.leave.begun;
          };
        });
      }
    },
  },
  {
    name: 'lease-not-read-at-delivery',
    rule: 'The clock is read at every input that could end an operation; never by a timer alone',
    apply() {
      replaceMethod(Group, 'step', (original) => {
        return function (input, now) {
          this.byTimer = input.type === 'wake';
          return original.call(this, input, now);
        };
      });
      replaceMethod(Group, 'noticeLapse', (original) => {
        return function (now) {
          if (this.byTimer || now < (this.session?.lease.end ?? now)) original.call(this, now);
        };
      });
    },
  },
  {
    name: 'lease-not-read-at-the-commit',
    rule: 'The clock is read on the leader before a write starts and before it commits',
    apply() {
      replaceMethod(Leader, 'commit', (original) => {
        return function (round) {
          original.call(this, round, -Number.MAX_VALUE);
        };
      });
    },
  },
  {
    name: 'lease-from-pings',
    rule: 'Pings are answered by whichever server the client is connected to: they do not renew the lease',
    apply() {
      replaceMethod(Session, 'onConnected', (original) => {
        return function (info, now) {
          original.call(this, info, now);
          Object.defineProperty(this.lease, 'end', {
            configurable: true,
            get: () => (this.connected ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
            set: () => {},
          });
        };
      });
    },
  },
  {
    name: 'lease-from-a-single-beat',
    rule: 'Let j be the newest beat whose answer had arrived at least tickTime / 2 + 50 ms before the sending of some later beat',
    apply() {
      replaceMethod(Lease, 'answered', () => {
        return function (sentAt) {
          this.end = Math.max(this.end, sentAt + this.lengthMs);
        };
      });
    },
  },
  {
    name: 'lease-from-any-answer',
    rule: 'Lease end = sending time of j + T × 0.99: what else arrives from ZooKeeper, and when, renews nothing',
    apply() {
      replaceMethod(Session, 'input', (original) => {
        return function (input, now) {
          original.call(this, input, now);
          const answered = input.type === 'zkReply' && input.reply.ok && this.joined !== undefined;
          if (answered && this.lease.lengthMs > 0) this.lease.end = Math.max(this.lease.end, now + this.lease.lengthMs);
        };
      });
    },
  },
  {
    name: 'any-owner',
    rule: 'A restart within T finds its old member znode (another ephemeralOwner) and waits for it to go',
    apply() {
      replaceMethod(Join, 'waitForPredecessor', () => {
        return function (path) {
          this.zk.submit({ op: 'exists', path }, (reply: Inner, now: number) => {
            if (reply.ok && reply.stat != null) this.finish(reply.stat, undefined);
            else this.failed(reply.ok ? { ...reply, ok: false, code: 'OTHER' } : reply, this.findMember, now);
          });
        };
      });
    },
  },
];
