/** Single flight and floors, the lock map, the directory (docs/protocol.md: Reads, Writes; Z03 Z18 Z23 Z40). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Directory } from '../../../src/core/directory.ts';
import { Flights } from '../../../src/core/flights.ts';
import { LockMap } from '../../../src/core/locks.ts';
import type { MemberId } from '../../../src/core/types.ts';
import { idOf, key, version } from './support.ts';

const SET = { kind: 'set', value: 'v' } as const;

describe('flights', () => {
  it('single flight: callers join the read that is under way', () => {
    const flights = new Flights(1);
    const flight = flights.startRead(key('k'), [1]);
    expect(flights.joinable(key('k'))).toBe(flight);
    expect(flights.joinable(key('other'))).toBeUndefined();
    flights.finish(flight);
    expect(flights.joinable(key('k'))).toBeUndefined();
  });

  it('invalidation detaches the flight: later callers start a new one, which the end of the old one leaves alone', () => {
    const flights = new Flights(1);
    const old = flights.startRead(key('k'), [1]);
    flights.invalidate(key('k'), version(1, 5));
    expect(flights.joinable(key('k'))).toBeUndefined();
    const fresh = flights.startRead(key('k'), [2]);
    flights.finish(old);
    expect(flights.joinable(key('k'))).toBe(fresh);
  });

  it('floor: nothing older than an invalidation is published while anything for the key is outstanding', () => {
    const flights = new Flights(1);
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
    const flights = new Flights(1);
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
        /** Who has left a queue, and behind whom, since it was looked at last. */
        const left: string[] = [];
        const leaves = (holder: number | undefined, waiting: number | undefined) => `${waiting} behind ${holder}`;
        const locks = new LockMap<number, number>((holder, waiting) => void left.push(leaves(holder, waiting)), 1);
        const naive = new Map<string, NaiveLock>();
        let item = 0;
        for (const { k, step } of steps) {
          const lock = naive.get(k);
          const expected: string[] = [];
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
              const gone = each.queue.filter((waiting) => waiting % 3 === 0);
              expected.push(...gone.map((waiting) => leaves(each.holder, waiting)));
              each.queue = each.queue.filter((waiting) => waiting % 3 !== 0);
            }
          } else if (step === 'giveUp') {
            const last = lock?.queue.at(-1);
            if (last !== undefined) expected.push(leaves(lock?.holder, last));
            expect(locks.withdrawOne(key(k), last ?? 0)).toBe(last !== undefined);
            expect(locks.withdrawOne(key(k), last ?? 0)).toBe(false);
            lock?.queue.pop();
          } else if (lock !== undefined) {
            const next = locks.next(key(k));
            expect(next).toBe(lock.queue.shift());
            if (next === undefined) naive.delete(k);
            else {
              expected.push(leaves(lock.holder, next));
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

const KEYS = ['x', 'y', 'z'].map(key);
const membersOf = (count: number) => Array.from({ length: count }, (_, i) => idOf(`m${i % 3}:1`, i + 1));
const directorySteps = (members: readonly MemberId[]) =>
  fc.array(
    fc.record({
      step: fc.constantFrom('add', 'add', 'add', 'remove', 'removeMember', 'clear'),
      k: fc.constantFrom(...KEYS),
      who: fc.constantFrom(...members),
    }),
    { maxLength: 120 },
  );

function knowsWhatIsTrue(count: number): void {
  fc.assert(
    fc.property(directorySteps(membersOf(count)), (steps) => {
      const directory = new Directory();
      // In some order of their own, so that small slots and large ones meet at one key.
      for (const { who } of steps.filter((_, i) => i % 3 === 0)) directory.slotOf(who);
      const naive = new Map(KEYS.map((each) => [each, new Set<MemberId>()]));
      for (const { step, k, who } of steps) {
        if (step === 'add') {
          directory.add(k, who);
          naive.get(k)!.add(who);
        } else if (step === 'remove') {
          directory.remove(k, who);
          naive.get(k)!.delete(who);
        } else if (step === 'clear') {
          directory.clear(k);
          naive.get(k)!.clear();
        } else {
          directory.removeMember(who);
          for (const holders of naive.values()) holders.delete(who);
        }
        for (const each of KEYS) expect(directory.holders(each).sort()).toEqual([...naive.get(each)!].sort());
        expect(directory.size).toBe([...naive.values()].filter(({ size }) => size > 0).length);
      }
    }),
  );
}

describe('the directory', () => {
  it('Z18: knows the holders of each key, and of nothing more, whatever was added and struck', () => {
    knowsWhatIsTrue(3);
  });

  it('Z18: and so it does with more members than fit into a mask', () => {
    knowsWhatIsTrue(40);
  });

  it('Z18: a key that forty members hold is held by all of them, and by those who are left', () => {
    const directory = new Directory();
    const members = membersOf(40);
    for (const who of members) directory.add(KEYS[0]!, who);
    expect(directory.holders(KEYS[0]!)).toEqual(members);
    for (const who of members.slice(5)) directory.removeMember(who);
    expect(directory.holders(KEYS[0]!)).toEqual(members.slice(0, 5));
  });

  it('Z18: a member added again after it was struck by key is still struck everywhere when it is gone', () => {
    const directory = new Directory();
    const [who] = membersOf(1);
    directory.add(KEYS[0]!, who!);
    directory.remove(KEYS[0]!, who!);
    directory.add(KEYS[0]!, who!);
    directory.removeMember(who!);
    expect(directory.size).toBe(0);
  });

  it('picks what stands at the slots of the holders, and says when there are none', () => {
    const directory = new Directory();
    const members = membersOf(34);
    const names = members.map((who) => `slot ${directory.slotOf(who)}`);
    for (const i of [1, 3, 33]) directory.add(KEYS[0]!, members[i]!);
    directory.add(KEYS[1]!, members[2]!);
    expect(directory.pick(KEYS[0]!, names)).toEqual([names[1], names[3], names[33]]);
    expect(directory.pick(KEYS[1]!, names)).toEqual([names[2]]);
    directory.remove(KEYS[1]!, members[2]!);
    expect(directory.pick(KEYS[1]!, names)).toBeUndefined();
  });
});

describe('the directory, when a member with many keys is gone', () => {
  const MANY = 25_000;
  const manyKeys = Array.from({ length: MANY }, (_, i) => key(`k${i}`));
  const [gone, stays, next, last] = membersOf(4) as [MemberId, MemberId, MemberId, MemberId];
  const held = (directory: Directory, who: MemberId) =>
    manyKeys.filter((each) => directory.holders(each).includes(who)).length;

  function withMany(): Directory {
    const directory = new Directory();
    for (const [i, each] of manyKeys.entries()) {
      directory.add(each, gone);
      if (i % 2 === 0) directory.add(each, stays);
    }
    directory.removeMember(gone);
    return directory;
  }

  it('Z27: shows it at once no longer, and nobody else in its place', () => {
    const directory = withMany();
    expect(directory.slotOf(next)).not.toBe(directory.slotOf(stays));
    expect(manyKeys.slice(0, 4).map((each) => directory.holders(each))).toEqual([[stays], [], [stays], []]);
    directory.add(manyKeys[1]!, next);
    expect(directory.holders(manyKeys[1]!)).toEqual([next]);
    expect([held(directory, gone), held(directory, stays), held(directory, next)]).toEqual([0, MANY / 2, 1]);
  });

  it('Z14 Z18: forgets its keys while it is used, and its slot is given to another, who holds nothing yet', () => {
    const directory = withMany();
    expect(directory.size).toBe(MANY);
    // Struck while the keys are being swept of the one before.
    directory.add(manyKeys[3]!, next);
    directory.removeMember(next);
    for (let i = 0; i < MANY; i++) directory.holders(manyKeys[0]!);
    expect(directory.size).toBe(MANY / 2);
    expect(directory.slotOf(last)).toBe(0);
    expect([held(directory, last), held(directory, next), held(directory, stays)]).toEqual([0, 0, MANY / 2]);
  });

  it('Z14 Z18: members that come and go without holding anything are given small slots again and again', () => {
    const directory = withMany();
    const slots = Array.from({ length: 200 }, (_, i) => {
      const passing = idOf('passing:1', 1000 + i);
      const slot = directory.slotOf(passing);
      directory.removeMember(passing);
      return slot;
    });
    expect(Math.max(...slots)).toBeLessThan(40);
    expect(held(directory, stays)).toBe(MANY / 2);
  });
});
