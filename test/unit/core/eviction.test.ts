/** Which copies go when a follower's cache is full (docs/protocol.md: `cache`, the bounds of a follower's copies). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Cache, type CacheLimits, sizeOfCopy } from '../../../src/core/cache.ts';
import { copy, epoch, holdingOf, key, version } from './support.ts';

const LEADER = epoch(5);

/** A cache beside what it ought to be: what was published last and neither invalidated nor evicted since. */
class Modelled {
  readonly cache: Cache;
  evictions = 0;
  private readonly limits: CacheLimits;
  private readonly published = new Map<string, { counter: number; value: string }>();

  constructor(limits: CacheLimits) {
    this.limits = limits;
    this.cache = new Cache(limits, () => {
      this.evictions += 1;
    });
    this.cache.follow(LEADER);
  }

  publish(k: string, counter: number, size: number): void {
    const present = this.published.get(k);
    if (present !== undefined && present.counter > counter) return;
    const value = `${counter}:`.padEnd(size, 'x');
    this.changing(() => {
      this.cache.publish(copy(k, value, LEADER, counter));
      if (sizeOfCopy(key(k), value) > this.limits.maxBytes) this.published.delete(k);
      else this.published.set(k, { counter, value });
    });
  }

  invalidate(k: string, counter: number): void {
    this.changing(() => {
      this.cache.invalidate(key(k), version(LEADER, counter));
      if ((this.published.get(k)?.counter ?? counter) < counter) this.published.delete(k);
    });
  }

  read(k: string): void {
    expect(this.cache.get(key(k))?.value).toBe(this.published.get(k)?.value);
  }

  /** What is gone for no other reason was evicted, and counted as such. */
  private changing(change: () => void): void {
    const before = this.evictions;
    change();
    const { cache, limits, published } = this;
    const kept = new Map([...cache.copies()].map(([k, { value }]): [string, unknown] => [k, value]));
    const gone = [...published.keys()].filter((k) => !kept.has(k));
    expect(this.evictions - before).toBe(gone.length);
    for (const k of gone) published.delete(k);
    expect(kept).toEqual(new Map([...published].map(([k, { value }]) => [k, value])));
    expect(cache.entries).toBe(kept.size);
    expect(cache.bytes).toBe([...cache.copies().values()].reduce((sum, c) => sum + sizeOfCopy(c.key, c.value), 0));
    expect(cache.entries).toBeLessThanOrEqual(limits.maxEntries);
    expect(cache.bytes).toBeLessThanOrEqual(limits.maxBytes);
  }
}

const anyKey = fc.constantFrom(...'abcdefghijkl');
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('publish' as const), k: anyKey, size: fc.nat(400), older: fc.boolean() }),
  fc.record({ kind: fc.constant('invalidate' as const), k: anyKey }),
  fc.record({ kind: fc.constant('read' as const), k: anyKey }),
);
const anyLimits = fc.record({
  maxEntries: fc.integer({ min: 1, max: 8 }),
  maxBytes: fc.integer({ min: 60, max: 1200 }),
});

describe('eviction', () => {
  it('never more than allowed; nothing is lost but what was evicted, invalidated or too large; totals are right', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), anyLimits, (steps, limits) => {
        const modelled = new Modelled(limits);
        for (const [index, step] of steps.entries()) {
          const counter = index + 10;
          if (step.kind === 'read') modelled.read(step.k);
          else if (step.kind === 'invalidate') modelled.invalidate(step.k, counter);
          else modelled.publish(step.k, step.older ? counter - 10 : counter, step.size);
        }
      }),
    );
  });

  it('what is read all the time stays, whatever else comes and goes', () => {
    const hot = fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(hot, fc.integer({ min: 11, max: 40 }), (inUse, maxEntries) => {
        const cache = new Cache({ maxEntries, maxBytes: 1 << 20 }, () => {});
        cache.follow(LEADER);
        for (const k of inUse) cache.publish(copy(`hot${k}`, 'v', LEADER, 1));
        for (let i = 0; i < 100; i++) {
          const kept = inUse.filter((k) => cache.get(key(`hot${k}`)) !== undefined);
          expect(kept).toEqual(inUse);
          cache.publish(copy(`cold${i}`, 'v', LEADER, i));
        }
      }),
    );
  });

  it('goes on where it stopped after copies before and behind that place were invalidated', () => {
    const cache = new Cache({ maxEntries: 100, maxBytes: 1 << 20 }, () => {});
    cache.follow(LEADER);
    for (let i = 0; i < 5000; i++) {
      cache.publish(copy(`k${i}`, 'v', LEADER, i));
      if (i % 3 === 0) cache.invalidate(key(`k${i - 50}`), version(LEADER, 9999));
      if (i % 7 === 0) for (let j = i - 90; j < i; j += 2) cache.get(key(`k${j}`));
      expect(cache.entries).toBeLessThanOrEqual(100);
      expect(cache.get(key(`k${i}`))?.value).toBe('v');
    }
    expect(cache.entries).toBeGreaterThan(50);
  });
});

describe('what was exempt from the limits while hidden', () => {
  const many = 5000;
  const shownAgain = (limits: Partial<CacheLimits>) => {
    let evictions = 0;
    const cache = new Cache({ maxEntries: 1 << 20, maxBytes: 1 << 30, ...limits }, () => {
      evictions += 1;
    });
    const copies = Array.from({ length: many }, (_, i) => copy(`k${i}`, 'v', 4, i));
    cache.setAside(holdingOf(copies), [epoch(4)], epoch(4));
    cache.adopt(LEADER, epoch(4), []);
    cache.follow(LEADER);
    return { cache, evictions: () => evictions };
  };

  it.each([
    ['entries', { maxEntries: 100 }],
    ['bytes', { maxBytes: 7000 }],
  ])('is evicted bit by bit once it is shown again, down to the limits: %s', (_, limits) => {
    const { cache, evictions } = shownAgain(limits);
    for (let before = evictions(); cache.excessive; before = evictions()) {
      cache.trim();
      expect(evictions() - before).toBeLessThanOrEqual(many / 5);
    }
    expect(evictions()).toBe(many - cache.entries);
    expect(cache.entries).toBeGreaterThan(90);
    expect(cache.entries).toBeLessThanOrEqual(100);
  });

  it('grows no more: what is published meanwhile takes the place of others', () => {
    const { cache } = shownAgain({ maxBytes: 100_000 });
    for (let i = 0; cache.excessive; i++) {
      const { entries, bytes } = cache;
      cache.publish(copy(`new${i}`, 'x'.repeat(90_000), LEADER, i));
      expect(cache.bytes).toBeLessThanOrEqual(bytes);
      expect(cache.entries).toBeLessThan(entries);
    }
    expect(cache.bytes).toBeLessThanOrEqual(100_000);
  });

  it('is all kept where the limits allow it', () => {
    const { cache, evictions } = shownAgain({});
    expect([cache.entries, evictions(), cache.excessive]).toEqual([many, 0, false]);
  });
});
