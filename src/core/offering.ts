/**
 * A member's side of a takeover: offering its hidden copies to whoever takes over, a page at a time, each page after
 * the one before was taken. The copies are frozen while hidden, so a page can be made when it is asked for, and an
 * offer that broke off starts again from the first page on another connection.
 */
import { type Cache, sizeOfCopy } from './cache.ts';
import type { ChannelId, Channels } from './channels.ts';
import type { Copy, Epoch } from './types.ts';

/** A page ends with the copy that reaches either bound. */
const PAGE_COPIES = 1000;
const PAGE_BYTES = 256 * 1024;

interface Offer {
  readonly epoch: Epoch;
  readonly channel: ChannelId;
  readonly copies: Iterator<Copy>;
  readonly labels: readonly Epoch[];
  page: number;
  /** One copy of look-ahead, to know which page is the last. */
  ahead: IteratorResult<Copy>;
}

export class Offering {
  /**
   * One for each connection with whoever takes over: only it knows which first page reached it last, and asks for the
   * next one there.
   */
  private readonly offers = new Map<ChannelId, Offer>();
  private readonly channels: Channels;
  private readonly cache: Cache;

  constructor(channels: Channels, cache: Cache) {
    this.channels = channels;
    this.cache = cache;
  }

  /** Starts, or starts over, on this channel. */
  start(epoch: Epoch, channel: ChannelId): void {
    const copies = this.cache.copies().values();
    const offer = { epoch, channel, copies, labels: this.cache.labels, page: 0, ahead: copies.next() };
    this.offers.set(channel, offer);
    this.sendPage(offer);
  }

  /** The page was taken: on to the next. */
  offered(epoch: Epoch, channel: ChannelId, page: number): void {
    const offer = this.offers.get(channel);
    if (offer === undefined || offer.epoch !== epoch || offer.page !== page) return;
    offer.page += 1;
    if (offer.ahead.done) this.offers.delete(channel);
    else this.sendPage(offer);
  }

  stop(): void {
    this.offers.clear();
  }

  channelDown(channel: ChannelId): void {
    this.offers.delete(channel);
  }

  private sendPage(offer: Offer): void {
    const copies: Copy[] = [];
    let bytes = 0;
    while (!offer.ahead.done && copies.length < PAGE_COPIES && bytes < PAGE_BYTES) {
      const copy = offer.ahead.value;
      copies.push(copy);
      bytes += sizeOfCopy(copy.key, copy.value);
      offer.ahead = offer.copies.next();
    }
    const { epoch, channel, page, labels } = offer;
    this.channels.send(channel, { type: 'offer', epoch, page, last: offer.ahead.done === true, labels, copies });
  }
}
