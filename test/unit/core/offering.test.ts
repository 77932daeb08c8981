/** A member's side of a takeover: pages of its copies (docs/protocol.md, Takeover, steps 2 and 5). */
import { describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/core/cache.ts';
import { Channels } from '../../../src/core/channels.ts';
import type { Effect } from '../../../src/core/effects.ts';
import { Offering } from '../../../src/core/offering.ts';
import { copy, epoch, holdingOf, key, member, messagesOf } from './support.ts';

const LEADER = member('next:1', 9);
const E = epoch(9);

function offeringOf(count: number, size = 1) {
  const outbox: Effect[] = [];
  const channels = new Channels(outbox);
  const cache = new Cache({ maxEntries: 100_000, maxBytes: 1 << 30 }, () => {});
  const copies = Array.from({ length: count }, (_, i) => copy(`k${i}`, 'x'.repeat(size), 5, i));
  cache.setAside(holdingOf(copies), [epoch(5)], epoch(5));
  channels.up(1, LEADER, 'in');
  channels.up(2, LEADER, 'out');
  return { offering: new Offering(channels, cache), cache, pages: () => messagesOf(outbox, 'offer') };
}

describe('an offer', () => {
  it.each([
    ['nothing', 0, 1],
    ['one page', 1000, 1],
    ['many small copies', 2500, 1],
    ['few large ones', 7, 200_000],
  ])('page after page, each when the one before was taken, holds every copy once: %s', (_, count, size) => {
    const { offering, pages } = offeringOf(count, size);
    offering.start(E, 1);
    for (let page = 0; !pages()[page]!.last; page++) {
      expect(pages()).toHaveLength(page + 1);
      offering.offered(E, 1, page);
    }
    const all = pages();
    expect(all.map(({ page }) => page)).toEqual(all.map((__, index) => index));
    expect(all.every(({ labels, epoch: of, channel }) => labels[0] === 5n && of === 9n && channel === 1)).toBe(true);
    const keys = all.flatMap(({ copies }) => copies.map((each) => each.key));
    expect([keys.length, new Set(keys).size]).toEqual([count, count]);
    offering.offered(E, 1, all.length - 1);
    expect(pages()).toHaveLength(all.length);
  });

  it('pages are bounded in copies and in bytes', () => {
    const small = offeringOf(2500);
    small.offering.start(E, 1);
    expect(small.pages()[0]).toMatchObject({ last: false });
    expect(small.pages()[0]!.copies.length).toBeLessThanOrEqual(1000);
    const large = offeringOf(7, 200_000);
    large.offering.start(E, 1);
    expect(large.pages()[0]!.copies.length).toBeLessThanOrEqual(2);
  });

  it('goes on only for the page, channel and epoch that are due', () => {
    const { offering, pages } = offeringOf(2500);
    offering.start(E, 1);
    offering.offered(E, 1, 1);
    offering.offered(E, 2, 0);
    offering.offered(epoch(8), 1, 0);
    expect(pages()).toHaveLength(1);
    offering.offered(E, 1, 0);
    offering.offered(E, 1, 0);
    expect(pages()).toHaveLength(2);
  });

  it('a broken offer starts again from the first page on another channel', () => {
    const { offering, pages } = offeringOf(2500);
    offering.start(E, 1);
    offering.offered(E, 1, 0);
    offering.channelDown(1);
    offering.start(E, 2);
    offering.offered(E, 1, 1);
    offering.offered(E, 2, 0);
    expect(pages().map(({ channel, page }) => [channel, page])).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
    expect(pages()[2]!.copies[0]!.key).toBe(key('k0'));
  });

  it('on two channels at once: whichever first page came last, the pages after it come there', () => {
    const { offering, pages } = offeringOf(2500);
    offering.start(E, 1);
    offering.start(E, 2);
    offering.offered(E, 1, 0);
    offering.offered(E, 1, 1);
    expect(
      pages()
        .filter(({ channel }) => channel === 1)
        .map(({ page, last }) => [page, last]),
    ).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
  });

  it('ends when it is stopped or its channel is down', () => {
    for (const end of ['stop', 'channelDown'] as const) {
      const { offering, pages } = offeringOf(2500);
      offering.start(E, 1);
      offering[end](1);
      offering.offered(E, 1, 0);
      expect(pages()).toHaveLength(1);
    }
  });
});
