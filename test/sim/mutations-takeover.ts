/** Taking out the rules of epochs and takeover. */
import { Cache } from '../../src/core/cache.ts';
import { Following } from '../../src/core/following.ts';
import { Group } from '../../src/core/group.ts';
import { Requests } from '../../src/core/requests.ts';
import { Takeover } from '../../src/core/takeover.ts';
import type { Mutation } from './mutations.ts';
import { replaceMethod } from './mutations-patch.ts';

/** What an old leader has answered to a read counts, however late it comes. */
function hearOldAnswers(): void {
  replaceMethod(Group, 'message', (original) => {
    return function (channel, message, now) {
      const answer = message.type === 'value' || message.type === 'written';
      if (answer && message.epoch < this.following.highest) this.following.answer(channel, message, now);
      else original.call(this, channel, message, now);
    };
  });
  replaceMethod(Requests, 'rehome', () => {
    return function () {
      this.target = undefined;
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.failSentWrites();
    };
  });
}

export const mutationsOfTakeover: readonly Mutation[] = [
  {
    name: 'lower-epoch-heard',
    rule:
      'Anything from a lower epoch is refused; an answer of a lower epoch completes nothing. (Guarded twice: what the ' +
      'old leader has not answered is asked anew. Both are taken out.)',
    apply: hearOldAnswers,
  },
  {
    name: 'not-hidden',
    rule:
      'Learning a higher epoch has the same first effect: copies are hidden, and requests that the old leader has not ' +
      'answered are for the next one. (A follower goes on as before until the new leader leads.)',
    apply() {
      hearOldAnswers();
      replaceMethod(Following, 'learn', (original) => {
        return function (epoch) {
          this.cache.stays = true;
          original.call(this, epoch);
          this.cache.stays = false;
        };
      });
      replaceMethod(Cache, 'hide', (original) => {
        return function () {
          if (!this.stays) original.call(this);
        };
      });
      replaceMethod(Cache, 'adopt', (original) => {
        return function (epoch, base, drop) {
          const { isVisible } = this;
          this.isVisible = false;
          original.call(this, epoch, base, drop);
          this.isVisible = isVisible;
        };
      });
    },
  },
  {
    name: 'members-not-awaited',
    rule: 'Wait for every member, or until it is gone',
    apply() {
      replaceMethod(Takeover, 'proceed', (original) => {
        return function (now) {
          for (const [id, { progress }] of this.collections) if (progress === 'collecting') this.collections.delete(id);
          original.call(this, now);
        };
      });
    },
  },
  {
    name: 'any-label-counts',
    rule:
      'A copy counts only if one of its labels is the base, the epoch in `served`. (Guarded twice: what is hidden and ' +
      'outlived is dropped when `served` is read. Both are taken out.)',
    apply() {
      replaceMethod(Takeover, 'offer', (original) => {
        return function (member, channel, message, now) {
          original.call(this, member, channel, { ...message, labels: [this.base] }, now);
        };
      });
      replaceMethod(Takeover, 'takeOwn', () => {
        return function () {
          this.holding = this.cache.holding();
        };
      });
      replaceMethod(Cache, 'dropIfOutlived', () => () => {});
    },
  },
  {
    name: 'not-adopted',
    rule: '`adopt(e, base)`: each member labels what it keeps with e as well, before `served` names e',
    apply() {
      replaceMethod(Takeover, 'proceed', (original) => {
        return function (now) {
          const collections = [...this.collections.values()];
          if (this.membersRead && !this.adopting && collections.every(({ progress }) => progress === 'collected')) {
            this.adopting = true;
            for (const collection of collections) collection.progress = 'adopted';
          }
          original.call(this, now);
        };
      });
    },
  },
];
