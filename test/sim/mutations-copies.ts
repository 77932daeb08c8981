/** Taking out the rules of what a follower caches and answers from. */
import { Cache } from '../../src/core/cache.ts';
import { Flights } from '../../src/core/flights.ts';
import { Requests } from '../../src/core/requests.ts';
import type { Mutation } from './mutations.ts';
import { replaceMethod } from './mutations-patch.ts';

export const mutationsOfCopies: readonly Mutation[] = [
  {
    name: 'copies-outlive-the-session',
    rule: 'Before a new session is opened, every copy is dropped',
    apply() {
      replaceMethod(Cache, 'sessionLost', () => () => {});
    },
  },
  {
    name: 'no-floor',
    rule: 'An answer is published only if its request is outstanding and its version ≥ floor',
    apply() {
      replaceMethod(Flights, 'mayPublish', () => () => true);
    },
  },
  {
    name: 'flight-not-detached',
    rule: 'An invalidation drops the older copy, raises the floor and detaches the flight: later callers start a new request',
    apply() {
      replaceMethod(Flights, 'invalidate', (original) => {
        return function (key, version) {
          const joinable = this.joinable(key);
          original.call(this, key, version);
          if (joinable !== undefined) this.keys.get(key).joinable = joinable;
        };
      });
    },
  },
  {
    name: 'none-for-latecomers',
    rule: 'An answer that did not make us a holder serves only callers that waited when the request was sent',
    apply() {
      replaceMethod(Requests, 'value', (original) => {
        return function (message, now) {
          const flight = this.sentReads.get(message.id);
          if (flight !== undefined) flight.waiters.push(...flight.late.splice(0));
          original.call(this, message, now);
        };
      });
    },
  },
];
