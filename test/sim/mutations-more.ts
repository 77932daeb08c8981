/** Taking out what else docs/protocol.md asks for. */
import { Cache } from '../../src/core/cache.ts';
import { Following } from '../../src/core/following.ts';
import { Leader } from '../../src/core/leader.ts';
import { Requests } from '../../src/core/requests.ts';
import { toIncarnation } from '../../src/core/types.ts';
import type { Mutation } from './mutations.ts';
import { replaceMethod } from './mutations-patch.ts';

export const moreMutations: readonly Mutation[] = [
  {
    name: 'written-twice',
    rule: 'If only the connection broke, the write is sent again under its old id, which the leader knows',
    apply() {
      replaceMethod(Leader, 'remoteWrite', () => {
        return function (peer, { id, key, action }, now) {
          if (this.draining) this.refuseWrite(peer, id, 'notLeader');
          else this.enqueue(peer, id, key, action, now);
        };
      });
    },
  },
  {
    name: 'unknown-repeated',
    rule: 'Bytes that reached a leader that is gone are `unknown`, never repeated blindly',
    apply() {
      replaceMethod(Requests, 'failSentWrites', () => {
        return function () {
          for (const write of this.sentWrites.values()) {
            write.id = 0;
            this.unsentWrites.add(write);
          }
          this.sentWrites.clear();
        };
      });
    },
  },
  {
    name: 'dead-leader-followed',
    rule: '`served` names a leader to follow only while its election znode is the head',
    apply() {
      replaceMethod(Following, 'electionRead', (original) => {
        return function (served, head, now) {
          if (served === undefined || served.epoch < this.highest) return original.call(this, served, head, now);
          this.cache.dropIfOutlived(served.epoch);
          this.follow({ address: served.address, incarnation: toIncarnation(served.epoch) }, now);
        };
      });
    },
  },
  {
    name: 'aside-keeps-its-labels',
    rule: 'An adopter’s label does not survive a further lost session: that adopter may have served meanwhile',
    apply() {
      replaceMethod(Cache, 'sessionLost', (original) => {
        return function () {
          if (this.asideOf === undefined) original.call(this);
        };
      });
    },
  },
  {
    name: 'writer-not-invalidated',
    rule: 'The writer is among the holders that are invalidated',
    apply() {
      replaceMethod(Leader, 'enqueue', (original) => {
        return function (peer, id, key, action, now) {
          if (peer !== undefined && this.locks.holder(key) === undefined) this.holders.directory.remove(key, peer.id);
          original.call(this, peer, id, key, action, now);
        };
      });
      replaceMethod(Leader, 'run', (original) => {
        return function (write, now) {
          if (write.peer !== undefined) this.holders.directory.remove(write.key, write.peer.id);
          return original.call(this, write, now);
        };
      });
    },
  },
  {
    name: 'reads-not-asked-anew',
    rule: 'A read is asked anew, under a new id, on each new connection',
    apply() {
      replaceMethod(Requests, 'leaderUp', () => {
        return function (channel, epoch, now) {
          this.target = { channel, epoch };
          for (const write of this.sentWrites.values()) this.sendWrite(write);
          this.wakeAt = Number.POSITIVE_INFINITY;
          this.flush(now);
        };
      });
    },
  },
];
