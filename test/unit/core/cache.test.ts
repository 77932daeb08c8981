/** A node's copies: labels, hiding, adopting, setting aside, limits (docs/protocol.md: Takeover, Losing the session; Z31 Z41). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Cache, type CacheLimits, sizeOfCopy } from '../../../src/core/cache.ts';
import type { Copy } from '../../../src/core/types.ts';
import { copy, epoch, holdingOf, key, version } from './support.ts';

const ROOM: CacheLimits = { maxEntries: 100, maxBytes: 1 << 20 };

function cacheOf(limits: Partial<CacheLimits> = {}): { cache: Cache; evicted: () => number } {
  let evictions = 0;
  const cache = new Cache({ ...ROOM, ...limits }, () => {
    evictions += 1;
  });
  return { cache, evicted: () => evictions };
}

/** Follows the leader of epoch 5 and holds a, b. */
function following(): Cache {
  const { cache } = cacheOf();
  cache.follow(epoch(5));
  cache.publish(copy('a', 'va', 5, 1));
  cache.publish(copy('b', 'vb', 5, 2));
  return cache;
}
const keysOf = (cache: Cache): string[] => [...cache.copies().keys()].sort();
const asStore = (...copies: Copy[]) => holdingOf(copies);

describe('the copies of a follower', () => {
  it('Z31: hidden on a higher epoch: nothing is answered, nothing published, nothing dropped', () => {
    const cache = following();
    cache.hide();
    cache.publish(copy('c', 'vc', 5, 3));
    expect(cache.get(key('a'))).toBeUndefined();
    expect(keysOf(cache)).toEqual(['a', 'b']);
    expect([cache.visible, cache.entries, cache.labels]).toEqual([false, 2, [5n]]);
    expect(cache.bytes).toBe(sizeOfCopy(key('a'), 'va') + sizeOfCopy(key('b'), 'vb'));
  });

  it('Z31: hidden twice is hidden once: nothing is lost', () => {
    const cache = following();
    cache.hide();
    cache.hide();
    expect(cache.entries).toBe(2);
  });

  it('adopt: what is labelled base is kept under both labels, minus what is listed; leading shows it under one', () => {
    const cache = following();
    cache.hide();
    cache.adopt(epoch(9), epoch(5), [key('b')]);
    expect([cache.visible, cache.labels, keysOf(cache)]).toEqual([false, [5n, 9n], ['a']]);
    cache.follow(epoch(9));
    expect(cache.labels).toEqual([9n]);
    expect(cache.get(key('a'))?.value).toBe('va');
    expect(cache.get(key('b'))).toBeUndefined();
  });

  it('adopt: an adopter that dies before leading leaves both labels; the next base may be either', () => {
    for (const base of [5, 9]) {
      const cache = following();
      cache.hide();
      cache.adopt(epoch(9), epoch(5), []);
      cache.adopt(epoch(12), epoch(base), []);
      expect([cache.labels, cache.entries]).toEqual([[BigInt(base), 12n], 2]);
    }
  });

  it('label against served: adopting with another base drops all, and so does a leader who did not ask to adopt', () => {
    const cache = following();
    cache.hide();
    cache.adopt(epoch(9), epoch(7), []);
    cache.follow(epoch(9));
    expect(cache.entries).toBe(0);
    const other = following();
    other.follow(epoch(9));
    expect([other.entries, other.visible]).toEqual([0, true]);
  });

  it('the same leader said to lead again changes nothing', () => {
    const cache = following();
    cache.follow(epoch(5));
    expect(cache.get(key('a'))?.value).toBe('va');
  });

  it('adopt of what is visible changes nothing: only the acknowledgement was lost', () => {
    const cache = following();
    cache.adopt(epoch(5), epoch(3), [key('a')]);
    expect(cache.get(key('a'))?.value).toBe('va');
  });

  it('invalidate drops what is older than the version, and only that, hidden or not', () => {
    for (const hidden of [false, true]) {
      const cache = following();
      if (hidden) cache.hide();
      cache.invalidate(key('a'), version(5, 2));
      cache.invalidate(key('b'), version(5, 2));
      cache.invalidate(key('none'), version(5, 2));
      if (hidden) cache.adopt(epoch(6), epoch(5), []);
      cache.follow(epoch(hidden ? 6 : 5));
      expect([cache.get(key('a')), cache.get(key('b'))?.value]).toEqual([undefined, 'vb']);
    }
  });

  it('publish never replaces a newer copy', () => {
    const cache = following();
    cache.publish(copy('b', 'old', 5, 1));
    expect(cache.get(key('b'))?.value).toBe('vb');
    cache.publish(copy('b', 'new', 5, 3));
    expect(cache.get(key('b'))?.value).toBe('new');
  });

  it('S13 Z41: do not survive the session, visible or hidden', () => {
    for (const hidden of [false, true]) {
      const cache = following();
      if (hidden) cache.hide();
      cache.sessionLost();
      expect([cache.entries, cache.labels]).toEqual([0, []]);
      cache.hide();
      expect(keysOf(cache)).toEqual([]);
    }
  });

  it('somebody led later than any label: hidden copies can never count again and go', () => {
    const cache = following();
    cache.dropIfOutlived(epoch(99));
    expect(cache.entries).toBe(2);
    cache.hide();
    cache.dropIfOutlived(epoch(5));
    expect(cache.entries).toBe(2);
    cache.dropIfOutlived(epoch(6));
    expect(cache.entries).toBe(0);
  });
});

describe('what a leader sets aside', () => {
  it('Z41 S16: survives its session, hidden, under the label of the epoch that it led', () => {
    const { cache } = cacheOf();
    cache.setAside(asStore(copy('a', 'v', 5, 1)), [epoch(5)], epoch(5));
    cache.sessionLost();
    expect([cache.visible, cache.labels, keysOf(cache)]).toEqual([false, [5n], ['a']]);
  });

  it("Z41: an adopter's label does not survive the session: that leader may by now have served without us", () => {
    const { cache } = cacheOf();
    cache.setAside(asStore(copy('a', 'v', 5, 1)), [epoch(5)], epoch(5));
    cache.adopt(epoch(9), epoch(5), []);
    cache.sessionLost();
    expect([cache.labels, cache.entries]).toEqual([[5n], 1]);
  });

  it('Z41: once another leader has been followed it is a follower’s copies like any: gone with the session', () => {
    const { cache } = cacheOf();
    cache.setAside(asStore(copy('a', 'v', 5, 1)), [epoch(5)], epoch(5));
    cache.adopt(epoch(9), epoch(5), []);
    cache.follow(epoch(9));
    expect(cache.get(key('a'))?.value).toBe('v');
    cache.sessionLost();
    expect(cache.entries).toBe(0);
  });

  it('Z41: a takeover that may have gone through counts under both labels', () => {
    const { cache } = cacheOf();
    cache.setAside(asStore(copy('a', 'v', 5, 1)), [epoch(5), epoch(9)], epoch(9));
    cache.sessionLost();
    expect([cache.labels, cache.entries]).toEqual([[5n, 9n], 1]);
  });

  it('is exempt from the limits until it is followed', () => {
    const { cache, evicted } = cacheOf({ maxEntries: 2 });
    const store = asStore(...['a', 'b', 'c', 'd'].map((k, index) => copy(k, 'v', 5, index)));
    cache.setAside(store, [epoch(5)], epoch(5));
    expect([cache.entries, evicted()]).toEqual([4, 0]);
    cache.adopt(epoch(9), epoch(5), []);
    cache.follow(epoch(9));
    expect([cache.entries, evicted()]).toEqual([2, 2]);
  });
});

describe('limits', () => {
  it('what was not used goes first, and a hit counts as use', () => {
    const { cache, evicted } = cacheOf({ maxEntries: 2 });
    cache.follow(epoch(5));
    cache.publish(copy('a', 'v', 5, 1));
    cache.publish(copy('b', 'v', 5, 2));
    cache.get(key('a'));
    cache.publish(copy('c', 'v', 5, 3));
    expect(['a', 'b', 'c'].map((k) => cache.get(key(k))?.value)).toEqual(['v', undefined, 'v']);
    expect(evicted()).toBe(1);
  });

  it('a copy too large for all the room is not kept, nor is an older one of that key', () => {
    const { cache } = cacheOf({ maxBytes: 200 });
    cache.follow(epoch(5));
    cache.publish(copy('a', 'v', 5, 1));
    cache.publish(copy('a', 'x'.repeat(500), 5, 2));
    expect(cache.get(key('a'))).toBeUndefined();
  });

  it('never more entries nor bytes than allowed, and what is there is what was published last', () => {
    const published = fc.array(fc.record({ k: fc.constantFrom(...'abcdefgh'), size: fc.nat(300) }), { maxLength: 60 });
    fc.assert(
      fc.property(published, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 100, max: 1000 }), (all, max, bytes) => {
        const { cache } = cacheOf({ maxEntries: max, maxBytes: bytes });
        cache.follow(epoch(5));
        const last = new Map<string, string>();
        for (const [index, { k, size }] of all.entries()) {
          const value = `${index}:`.padEnd(size, 'x');
          cache.publish(copy(k, value, 5, index));
          last.set(k, value);
          expect(cache.entries).toBeLessThanOrEqual(max);
          expect(cache.bytes).toBeLessThanOrEqual(bytes);
        }
        for (const [k, value] of last) expect([undefined, value]).toContain(cache.get(key(k))?.value);
      }),
    );
  });
});
