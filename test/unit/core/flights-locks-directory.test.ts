/** Single flight and floors, the lock map, the directory (docs/protocol.md: Reads, Writes; Z03 Z18 Z23 Z40). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Directory } from '../../../src/core/directory.ts';
import { Flights } from '../../../src/core/flights.ts';
import { LockMap } from '../../../src/core/locks.ts';
import type { Key, MemberId } from '../../../src/core/types.ts';
import { idOf, key, version } from './support.ts';

const SET = { kind: 'set', value: 'v' } as const;

describe('flights', () => {
  it('single flight: callers join the read that is under way', () => {
    const flights = new Flights();
    const flight = flights.startRead(key('k'), [1]);
    expect(flights.joinable(key('k'))).toBe(flight);
    expect(flights.joinable(key('other'))).toBeUndefined();
    flights.finish(flight);
    expect(flights.joinable(key('k'))).toBeUndefined();
  });

  it('invalidation detaches the flight: later callers start a new one, which the end of the old one leaves alone', () => {
    const flights = new Flights();
    const old = flights.startRead(key('k'), [1]);
    flights.invalidate(key('k'), version(1, 5));
    expect(flights.joinable(key('k'))).toBeUndefined();
    const fresh = flights.startRead(key('k'), [2]);
    flights.finish(old);
    expect(flights.joinable(key('k'))).toBe(fresh);
  });

  it('floor: nothing older than an invalidation is published while anything for the key is outstanding', () => {
    const flights = new Flights();
    const read = flights.startRead(key('k'), [1]);
    const write = flights.startWrite(2, key('k'), SET);
    const other = flights.startRead(key('other'), [3]);
    flights.invalidate(key('k'), version(1, 5));
    flights.invalidate(key('k'), version(1, 3));
    flights.finish(write);
    expect(flights.mayPublish(read, version(1, 4))).toBe(false);
    expect(flights.mayPublish(read, version(1, 5))).toBe(true);
    expect(flights.mayPublish(read, version(2, 0))).toBe(true);
    expect(flights.mayPublish(other, version(1, 1))).toBe(true);
  });

  it('limits: what is remembered of a key goes with its last request', () => {
    const flights = new Flights();
    flights.invalidate(key('k'), version(1, 5));
    expect(flights.size).toBe(0);
    const read = flights.startRead(key('k'), [1]);
    const write = flights.startWrite(2, key('k'), SET);
    flights.finish(read);
    expect(flights.size).toBe(1);
    flights.finish(write);
    expect(flights.size).toBe(0);
  });
});

/** A lock as it is meant: who holds it, and who waits, in the order of arrival. */
type NaiveLock = { holder: number; queue: number[] };

const lockSteps = fc.array(
  fc.record({
    k: fc.constantFrom('a', 'b', 'c'),
    step: fc.constantFrom('arrive', 'arrive', 'free', 'withdraw', 'giveUp'),
  }),
  { maxLength: 60 },
);

describe('the lock map', () => {
  it('Z23 Z40: first come first served for each key; an entry goes when nobody holds or waits for it', () => {
    fc.assert(
      fc.property(lockSteps, (steps) => {
        // Every fifth has no name.
        const nameOf = (waiting: number) => (waiting % 5 === 0 ? undefined : `${waiting}`);
        /** Behind whom one has left a queue, since it was looked at last. */
        const left: number[] = [];
        const locks = new LockMap<number, number>(nameOf, (holder) => void left.push(holder));
        const naive = new Map<string, NaiveLock>();
        let item = 0;
        for (const { k, step } of steps) {
          const lock = naive.get(k);
          const expected: (number | undefined)[] = [];
          if (step === 'arrive') {
            item += 1;
            if (lock === undefined) {
              locks.take(key(k), item);
              naive.set(k, { holder: item, queue: [] });
            } else {
              locks.wait(key(k), item);
              lock.queue.push(item);
            }
          } else if (step === 'withdraw') {
            const dropped = [...naive.values()].flatMap(({ queue }) => queue.filter((waiting) => waiting % 3 === 0));
            expect(locks.withdraw((waiting) => waiting % 3 === 0).sort()).toEqual(dropped.sort());
            for (const each of naive.values()) {
              expected.push(...each.queue.filter((waiting) => waiting % 3 === 0).map(() => each.holder));
              each.queue = each.queue.filter((waiting) => waiting % 3 !== 0);
            }
          } else if (step === 'giveUp') {
            const named = lock?.queue.findLast((waiting) => waiting % 5 !== 0);
            if (named !== undefined) expected.push(lock?.holder);
            expect(locks.withdrawNamed(`${named ?? 0}`)).toBe(named);
            expect(locks.withdrawNamed(`${named ?? 0}`)).toBeUndefined();
            if (lock !== undefined) lock.queue = lock.queue.filter((waiting) => waiting !== named);
          } else if (lock !== undefined) {
            const next = locks.next(key(k));
            expect(next).toBe(lock.queue.shift());
            if (next === undefined) naive.delete(k);
            else {
              expected.push(lock.holder);
              lock.holder = next;
              locks.take(key(k), next);
            }
          }
          expect(locks.size).toBe(naive.size);
          expect(locks.queued).toBe([...naive.values()].reduce((sum, { queue }) => sum + queue.length, 0));
          for (const name of ['a', 'b', 'c']) {
            expect(locks.holder(key(name))).toBe(naive.get(name)?.holder);
            expect(locks.queuedBehind(key(name))).toBe(naive.get(name)?.queue.length ?? 0);
          }
          expect(left.splice(0).sort()).toEqual(expected.sort());
          expect([...locks.holders()].sort()).toEqual([...naive.values()].map(({ holder }) => holder).sort());
        }
      }),
    );
  });
});

const MEMBERS = [idOf('a:1', 1), idOf('a:1', 2), idOf('b:1', 3)];
const KEYS = ['x', 'y', 'z'].map(key);
const directorySteps = fc.array(
  fc.record({
    step: fc.constantFrom('add', 'add', 'remove', 'removeMember'),
    k: fc.constantFrom(...KEYS),
    who: fc.constantFrom(...MEMBERS),
  }),
  { maxLength: 60 },
);

describe('the directory', () => {
  it('Z18: knows the holders of each key, and of nothing more, whatever was added and struck', () => {
    fc.assert(
      fc.property(directorySteps, (steps) => {
        const directory = new Directory();
        const naive: [Key, MemberId][] = [];
        const strike = (gone: (k: Key, who: MemberId) => boolean) => {
          for (let i = naive.length - 1; i >= 0; i--) if (gone(...naive[i]!)) naive.splice(i, 1);
        };
        for (const { step, k, who } of steps) {
          if (step === 'add') {
            directory.add(k, who);
            strike((otherKey, other) => otherKey === k && other === who);
            naive.push([k, who]);
          } else if (step === 'remove') {
            directory.remove(k, who);
            strike((otherKey, other) => otherKey === k && other === who);
          } else {
            directory.removeMember(who);
            strike((_, other) => other === who);
          }
          for (const each of KEYS) {
            const holders = naive.filter(([other]) => other === each).map(([, holder]) => holder);
            expect([...directory.holders(each)].sort()).toEqual(holders.sort());
          }
          expect(directory.size).toBe(new Set(naive.map(([each]) => each)).size);
        }
      }),
    );
  });

  it('Z18: a member added again after it was struck by key is still struck everywhere when it is gone', () => {
    const directory = new Directory();
    directory.add(KEYS[0]!, MEMBERS[0]!);
    directory.remove(KEYS[0]!, MEMBERS[0]!);
    directory.add(KEYS[0]!, MEMBERS[0]!);
    directory.removeMember(MEMBERS[0]!);
    expect(directory.size).toBe(0);
  });
});
