/**
 * Taking over (Z30 Z31, docs/protocol.md): fence every member, collect what they hold, let them adopt it, write
 * `served`, lead. Nothing is answered as a leader before the last step, and the last step needs the own election
 * znode, so two would-be leaders can never both get through it.
 */
import { type Cache, Holding } from './cache.ts';
import type { ChannelId, Channels } from './channels.ts';
import { Directory } from './directory.ts';
import { formatServed, parseServed } from './election.ts';
import type { Lease } from './lease.ts';
import type { Takeover as TakeoverMessage } from './messages.ts';
import type { Paths } from './paths.ts';
import {
  type Copy,
  compareVersions,
  type Epoch,
  type Key,
  type Member,
  type MemberId,
  memberId,
  NO_EPOCH,
} from './types.ts';
import type { ZkRequests } from './zk.ts';

/** Keys that one `adopt` names at the most. */
const MAX_DROPS = 1000;

/**
 * `collecting`: fenced, or to be fenced once there is a channel · `collected`: its last page is here · `adopting`:
 * told to adopt · `adopted`: acknowledged.
 */
type Progress = 'collecting' | 'collected' | 'adopting' | 'adopted';

interface Collection {
  readonly member: Member;
  progress: Progress;
  channel: ChannelId | undefined;
  nextPage: number;
}

export interface TakeoverEvents {
  /** `served` is written: this node leads. */
  finished(now: number): void;
  /** It cannot be finished: the own election znode is gone, or somebody else has served meanwhile. */
  failed(why: string, now: number): void;
  /** Two values for one key: the protocol rules this out. The newer one is kept. */
  conflict(): void;
}

export interface TakeoverOptions {
  readonly epoch: Epoch;
  readonly self: Member;
  /** Name of the own election znode. */
  readonly znode: string;
  readonly paths: Paths;
}

export class Takeover {
  readonly epoch: Epoch;
  /** What survives, as far as it has been collected. */
  holding = new Holding();
  /** Whether the last step has been sent, so that this epoch may be the one in `served`. */
  committing = false;
  base: Epoch = NO_EPOCH;
  private servedVersion: number | undefined;
  private servedRead = false;
  private membersRead = false;
  private adopting = false;
  private abandoned = false;
  readonly directory = new Directory();
  private readonly collections = new Map<MemberId, Collection>();
  private readonly drops = new Map<MemberId, Key[]>();
  private readonly options: TakeoverOptions;
  private readonly zk: ZkRequests;
  private readonly channels: Channels;
  private readonly lease: Lease;
  private readonly cache: Cache;
  private readonly events: TakeoverEvents;

  constructor(
    options: TakeoverOptions,
    zk: ZkRequests,
    channels: Channels,
    lease: Lease,
    cache: Cache,
    events: TakeoverEvents,
  ) {
    this.epoch = options.epoch;
    this.options = options;
    this.zk = zk;
    this.channels = channels;
    this.lease = lease;
    this.cache = cache;
    this.events = events;
  }

  /** Step 1. `onServed` runs once `served` is read: only after that may the members be read. */
  start(onServed: () => void): void {
    const read = (): void => {
      if (this.abandoned) return;
      this.zk.submit({ op: 'get', path: this.options.paths.served }, (reply, now) => {
        if (this.abandoned) return;
        if (reply.ok) {
          this.base = parseServed(reply.data ?? '')?.epoch ?? NO_EPOCH;
          this.servedVersion = reply.stat?.version;
        } else if (reply.code !== 'NO_NODE') {
          this.zk.retry(read, now);
          return;
        }
        this.servedRead = true;
        this.takeOwn();
        onServed();
      });
    };
    read();
  }

  /** The member list, read after `served`. Whoever is new while collecting is waited for too; later ones come empty. */
  members(list: readonly Member[], isGone: (member: Member) => boolean, now: number): void {
    if (this.abandoned || !this.servedRead) return;
    this.membersRead = true;
    if (!this.adopting) for (const member of list) this.expect(member);
    for (const [id, collection] of [...this.collections]) {
      if (!isGone(collection.member)) continue;
      // What it offered stays: no write has happened since. But it holds nothing any more.
      this.collections.delete(id);
      this.directory.removeMember(id);
    }
    this.proceed(now);
  }

  /** A channel with this member opened: say again what it has not answered. One that dialled us offers unasked. */
  channelUp(member: MemberId, channel: ChannelId, dialledByUs: boolean): void {
    const collection = this.collections.get(member);
    if (collection?.progress === 'collecting' && dialledByUs) {
      this.channels.send(channel, { type: 'fence', epoch: this.epoch });
    } else if (collection?.progress === 'adopting') this.sendAdopt(member, channel);
  }

  message(member: MemberId, channel: ChannelId, message: TakeoverMessage, now: number): void {
    if (this.abandoned) return;
    if (message.type === 'offer') this.offer(member, channel, message, now);
    else if (message.type === 'adopted') {
      const collection = this.collections.get(member);
      if (collection?.progress === 'adopting') collection.progress = 'adopted';
      this.proceed(now);
    }
  }

  /** The lease may have been what was missing. */
  wake(now: number): void {
    this.proceed(now);
  }

  abandon(): void {
    this.abandoned = true;
  }

  /** Everybody who takes part and is not gone. */
  get participants(): Member[] {
    return [...this.collections.values()].map((collection) => collection.member);
  }

  private expect(member: Member): void {
    const id = memberId(member);
    if (id === memberId(this.options.self) || this.collections.has(id)) return;
    this.collections.set(id, { member, progress: 'collecting', channel: undefined, nextPage: 0 });
    // What it offered before it was expected was not heard; on its own channel it can be asked even if none leads to it.
    for (const channel of this.channels.of(id)) this.channels.send(channel, { type: 'fence', epoch: this.epoch });
  }

  /**
   * The own copies are not copied: what the others offer is added to them. Should nothing come of this takeover, the
   * cache drops them all, or, if they were set aside (Z41), keeps those of the others as well. These count with the
   * same label then: only while `served` still names the base, and so nobody can have written since.
   */
  private takeOwn(): void {
    if (this.cache.labels.includes(this.base)) this.holding = this.cache.holding();
  }

  private offer(member: MemberId, channel: ChannelId, message: TakeoverMessage & { type: 'offer' }, now: number): void {
    const collection = this.collections.get(member);
    // Before `served` is read it is not known what counts; the fence will ask again.
    if (!this.servedRead || collection === undefined || collection.progress !== 'collecting') return;
    if (message.page === 0) {
      collection.channel = channel;
      collection.nextPage = 0;
    }
    if (collection.channel !== channel || collection.nextPage !== message.page) return;
    collection.nextPage += 1;
    // A copy counts only with a label of the last leader that finished takeover: then nobody wrote without its holder.
    if (message.labels.includes(this.base)) this.collect(member, message.copies);
    if (message.last) collection.progress = 'collected';
    this.channels.send(channel, { type: 'offered', epoch: this.epoch, page: message.page });
    this.proceed(now);
  }

  private collect(member: MemberId, copies: readonly Copy[]): void {
    for (const copy of copies) {
      if (this.merge(copy)) this.directory.add(copy.key, member);
      else this.drop(copy.key, member);
    }
  }

  /** False: an older value than the one that is there already. */
  private merge(copy: Copy): boolean {
    const present = this.holding.copies.get(copy.key);
    if (present === undefined) {
      this.holding.add(copy);
      return true;
    }
    const order = compareVersions(copy.version, present.version);
    if (order !== 0) this.events.conflict();
    if (order > 0) {
      for (const holder of [...this.directory.holders(copy.key)]) this.drop(copy.key, holder);
      this.holding.remove(present);
      this.holding.add(copy);
    }
    return order >= 0;
  }

  private drop(key: Key, member: MemberId): void {
    this.directory.remove(key, member);
    const keys = this.drops.get(member);
    if (keys === undefined) this.drops.set(member, [key]);
    else keys.push(key);
  }

  private proceed(now: number): void {
    if (this.abandoned || !this.membersRead || this.committing) return;
    const collections = [...this.collections.values()];
    if (!this.adopting && collections.every((collection) => collection.progress === 'collected')) {
      this.adopting = true;
      for (const [id, collection] of this.collections) {
        collection.progress = 'adopting';
        for (const channel of this.channels.of(id)) this.sendAdopt(id, channel);
      }
    }
    if (!this.adopting || collections.some((collection) => collection.progress !== 'adopted')) return;
    if (now < this.lease.end) this.commit();
  }

  private sendAdopt(member: MemberId, channel: ChannelId): void {
    const drop = this.drops.get(member) ?? [];
    const { epoch } = this;
    if (drop.length <= MAX_DROPS) this.channels.send(channel, { type: 'adopt', epoch, base: this.base, drop });
    // More than fit into a message: it keeps nothing, which is always allowed.
    else this.channels.send(channel, { type: 'adopt', epoch, base: NO_EPOCH, drop: [] });
  }

  private commit(): void {
    this.committing = true;
    const { paths, znode, self } = this.options;
    const data = formatServed({ epoch: this.epoch, address: self.address });
    const serve =
      this.servedVersion === undefined
        ? ({ op: 'create', path: paths.served, data, mode: 'persistent' } as const)
        : ({ op: 'set', path: paths.served, data, version: this.servedVersion } as const);
    this.zk.submit({ op: 'multi', steps: [{ op: 'check', path: paths.candidate(znode) }, serve] }, (reply, now) => {
      if (this.abandoned) return;
      if (reply.ok) this.events.finished(now);
      // Perhaps an earlier attempt went through and only its answer was lost.
      else this.confirm(now);
    });
  }

  private readonly confirm = (now: number): void => {
    this.zk.retry(this.readBack, now);
  };

  private readonly readBack = (): void => {
    if (this.abandoned) return;
    this.zk.submit({ op: 'get', path: this.options.paths.served }, (reply, now) => {
      if (this.abandoned) return;
      const epoch = reply.ok ? parseServed(reply.data ?? '')?.epoch : undefined;
      if (reply.ok && epoch === this.epoch) this.events.finished(now);
      else if (reply.ok && reply.stat?.version !== this.servedVersion)
        this.events.failed('another leader has served', now);
      else if (reply.ok || reply.code === 'NO_NODE') this.confirmZnode();
      else this.confirm(now);
    });
  };

  private confirmZnode(): void {
    this.zk.submit({ op: 'exists', path: this.options.paths.candidate(this.options.znode) }, (reply, now) => {
      if (this.abandoned) return;
      if (reply.ok && reply.stat == null) this.events.failed('the own election znode is gone', now);
      else if (reply.ok) this.commit();
      else this.confirm(now);
    });
  }
}
