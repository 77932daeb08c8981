/**
 * The Transport port in memory: links with latency that can be cut, one way or both, and connections that die without
 * a word. All of it moves by the clock's timers alone, so a virtual clock and a seeded random make every run repeat.
 *
 * Like TCP, a cut holds what is sent, in order, until it is healed or an end has heard nothing for 3 x keepaliveMs.
 */
import type { Message } from '../../src/core/messages.ts';
import { WIRE_VERSION } from '../../src/core/messages.ts';
import { type Address, type Member, type MemberId, memberId, sameMember } from '../../src/core/types.ts';
import { ZiStoreError } from '../../src/errors.ts';
import type { ChannelId, Clock, Random, Transport, TransportHandler } from '../../src/ports.ts';
import { Backoff } from '../../src/rpc/backoff.ts';
import { decode, encode } from '../../src/rpc/codec.ts';
import { End } from './transport-link.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Of each packet, evenly between the two. Default 0.1 to 1 ms. Order within a connection is kept. */
  readonly latencyMs?: readonly [least: number, most: number];
  /** Default 5000. */
  readonly helloTimeoutMs?: number;
  /** An end that hears nothing for three times this gives up. Default 1000. */
  readonly keepaliveMs?: number;
  /** Take every message through the real codec. Default false: messages are handed over as they are. */
  readonly wire?: boolean;
}

export interface MemoryTransportOptions {
  /** Default `default`. */
  readonly cluster?: string;
  readonly secret?: string;
  /** Default the real one. */
  readonly wireVersion?: number;
}

interface Refusal {
  /** Absent: another incarnation lives here, or nobody; dialled again without a word. */
  readonly code?: 'ZISTORE_INCOMPATIBLE' | 'ZISTORE_UNAUTHORIZED';
  readonly message: string;
}

interface Hello extends Required<Pick<MemoryTransportOptions, 'cluster' | 'wireVersion'>> {
  readonly secret: string | undefined;
  readonly from: Member;
  readonly to: Member;
}

export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new MemoryNetwork(options);
}

export class MemoryNetwork {
  readonly clock: Clock;
  readonly random: Random;
  readonly helloTimeoutMs: number;
  readonly silenceMs: number;
  readonly wire: boolean;
  readonly #latency: readonly [number, number];
  readonly #linkLatency = new Map<string, readonly [number, number]>();
  readonly #cut = new Set<string>();
  readonly #listening = new Map<Address, MemoryTransport>();
  readonly #ends = new Set<End<MemoryTransport>>();

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.helloTimeoutMs = options.helloTimeoutMs ?? 5000;
    this.silenceMs = 3 * (options.keepaliveMs ?? 1000);
    this.wire = options.wire ?? false;
    this.#latency = options.latencyMs ?? [0.1, 1];
  }

  /** A node's transport. It is reached at `address` from `listen` until `close` or `crash`; then the address is free again. */
  transport(address: Address, options: MemoryTransportOptions = {}): Transport {
    return new MemoryTransport(this, address, options);
  }

  /** Of packets from one address to another from now on. */
  setLatency(from: Address, to: Address, leastMs: number, mostMs: number): void {
    this.#linkLatency.set(`${from} ${to}`, [leastMs, mostMs]);
  }

  /** Nothing gets from either to the other. */
  cut(a: Address, b: Address): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  cutOneWay(from: Address, to: Address): void {
    this.#cut.add(`${from} ${to}`);
    for (const end of this.#between(from, to)) end.expectSilence();
  }

  /** Both ways. What connections held that have survived the cut now arrives. */
  heal(a: Address, b: Address): void {
    this.#cut.delete(`${a} ${b}`);
    this.#cut.delete(`${b} ${a}`);
    for (const end of [...this.#between(a, b), ...this.#between(b, a)]) end.healed();
  }

  healAll(): void {
    this.#cut.clear();
    for (const end of [...this.#ends]) end.healed();
  }

  /** The present connections die without a word: `a` notices at once, `b` only by the silence. New ones work. */
  halfOpen(a: Address, b: Address): void {
    for (const end of this.#between(b, a)) end.vanish();
  }

  /** The present connections between the two end, and both learn of it. */
  reset(a: Address, b: Address): void {
    for (const end of [...this.#between(a, b), ...this.#between(b, a)]) end.lose();
  }

  /** The process at `address` ends: it is told nothing more; its peers are, unless the whole machine went (`silent`). */
  crash(address: Address, { silent = false } = {}): void {
    this.#listening.get(address)?.die();
    for (const end of [...this.#ends]) {
      if (end.local !== address) continue;
      if (silent) end.vanish();
      else end.lose();
    }
  }

  isCut(from: Address, to: Address): boolean {
    return this.#cut.has(`${from} ${to}`);
  }

  delay(from: Address, to: Address): number {
    const [least, most] = this.#linkLatency.get(`${from} ${to}`) ?? this.#latency;
    return least + (most - least) * this.random.fraction();
  }

  at(address: Address): MemoryTransport | undefined {
    return this.#listening.get(address);
  }

  bind(transport: MemoryTransport): boolean {
    if (this.#listening.has(transport.address)) return false;
    this.#listening.set(transport.address, transport);
    return true;
  }

  unbind(transport: MemoryTransport): void {
    if (this.#listening.get(transport.address) === transport) this.#listening.delete(transport.address);
  }

  add(end: End<MemoryTransport>): void {
    this.#ends.add(end);
  }

  remove(end: End<MemoryTransport>): void {
    this.#ends.delete(end);
  }

  /** The ends that hear from `from` at `to`. */
  #between(from: Address, to: Address): End<MemoryTransport>[] {
    return [...this.#ends].filter((end) => end.local === to && end.remote === from);
  }
}

interface Dial {
  readonly peer: Member;
  readonly backoff: Backoff;
  end?: End<MemoryTransport>;
  /** Cancels the timer of the attempt, or of the wait for the next one. */
  cancel?: () => void;
}

class MemoryTransport implements Transport {
  readonly address: Address;
  readonly #network: MemoryNetwork;
  readonly #options: MemoryTransportOptions;
  readonly #dials = new Map<MemberId, Dial>();
  readonly #channels = new Map<ChannelId, End<MemoryTransport>>();
  readonly #pending = new Set<End<MemoryTransport>>();
  #held: { readonly end: End<MemoryTransport>; readonly hello: Hello }[] = [];
  readonly #events: (() => void)[] = [];
  #handler: TransportHandler | undefined;
  #self: Member | null = null;
  #lastChannel = 0;
  #closed = false;

  constructor(network: MemoryNetwork, address: Address, options: MemoryTransportOptions) {
    this.#network = network;
    this.address = address;
    this.#options = options;
  }

  async listen(handler: TransportHandler): Promise<{ readonly host: string; readonly port: number }> {
    if (this.#closed) throw new ZiStoreError('ZISTORE_CLOSED', 'the transport is closed; create another one');
    if (!this.#network.bind(this)) {
      throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `${this.address} is in use; choose another address`);
    }
    this.#handler = handler;
    const colon = this.address.lastIndexOf(':');
    return { host: this.address.slice(0, colon), port: Number(this.address.slice(colon + 1)) };
  }

  identify(self: Member | null): void {
    const before = this.#self;
    if (this.#closed || (self !== null && before !== null && sameMember(self, before))) return;
    this.#self = self;
    if (before !== null || self === null) this.#forgetAll();
    if (self === null) return;
    for (const { end, hello } of this.#held.splice(0)) this.#later(() => this.#accept(end, hello));
    for (const dial of this.#dials.values()) this.#attempt(dial);
  }

  dial(peer: Member): void {
    if (this.#closed || this.#dials.has(memberId(peer))) return;
    const dial: Dial = { peer, backoff: new Backoff(this.#network.clock, this.#network.random) };
    this.#dials.set(memberId(peer), dial);
    this.#attempt(dial);
  }

  hangup(peer: Member): void {
    const dial = this.#dials.get(memberId(peer));
    if (dial === undefined) return;
    this.#dials.delete(memberId(peer));
    dial.cancel?.();
    dial.end?.lose();
  }

  send(channel: ChannelId, message: Message): void {
    const sent = this.#network.wire ? (decode(encode([message]))[0] as Message) : message;
    this.#channels.get(channel)?.send((end) => end.owner?.arrived(end, sent));
  }

  drop(channel: ChannelId, _reason: string): void {
    this.#channels.get(channel)?.lose();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#forgetAll();
    this.#closed = true;
    this.#network.unbind(this);
    while (this.#events.length > 0) await new Promise<void>((resolve) => this.#later(resolve));
    this.#handler = undefined;
  }

  /** The end of the process: no further word to its owner. */
  die(): void {
    this.#handler = undefined;
    for (const dial of this.#dials.values()) dial.cancel?.();
    this.#dials.clear();
    this.#closed = true;
    this.#network.unbind(this);
  }

  arrived(end: End<MemoryTransport>, message: Message): void {
    const { channel } = end;
    if (channel === undefined || !end.open) return;
    this.#now(() => {
      if (this.#channels.get(channel) === end) this.#handler?.message(channel, message);
    });
  }

  /** A dialled connection has reached us. */
  #incoming(end: End<MemoryTransport>, hello: Hello): void {
    if (!end.open) return;
    this.#pending.add(end);
    const refusal = this.#refusal(hello);
    if (refusal !== undefined) this.#refuse(end, refusal);
    else if (this.#self === null) this.#held.push({ end, hello });
    else this.#accept(end, hello);
  }

  #refusal(hello: Hello): Refusal | undefined {
    const { cluster = 'default', wireVersion = WIRE_VERSION } = this.#options;
    if (hello.wireVersion !== wireVersion) {
      return { code: 'ZISTORE_INCOMPATIBLE', message: `wire version ${wireVersion} here, ${hello.wireVersion} there` };
    }
    if (hello.cluster !== cluster) return { code: 'ZISTORE_INCOMPATIBLE', message: 'another cluster' };
    return undefined;
  }

  #accept(end: End<MemoryTransport>, hello: Hello): void {
    if (!end.open || this.#self === null) return;
    if (!sameMember(hello.to, this.#self)) {
      this.#refuse(end, { message: 'another incarnation' });
    } else if (hello.secret !== this.#options.secret) {
      this.#refuse(end, { code: 'ZISTORE_UNAUTHORIZED', message: 'the secrets differ' });
    } else {
      for (const older of [...this.#channels.values()]) {
        if (older.direction === 'in' && older.peer && sameMember(older.peer, hello.from)) older.lose();
      }
      end.send((dialler) => dialler.owner?.welcomed(dialler));
      this.#up(end, hello.from);
    }
  }

  #refuse(end: End<MemoryTransport>, refusal: Refusal): void {
    end.send((dialler) => dialler.owner?.refused(dialler, refusal));
    end.lose();
  }

  welcomed(end: End<MemoryTransport>): void {
    const dial = this.#dialOf(end);
    if (!end.open || dial === undefined) return;
    dial.cancel?.();
    dial.backoff.up();
    this.#up(end, dial.peer);
  }

  refused(end: End<MemoryTransport>, { code, message }: Refusal): void {
    const peer = this.#dialOf(end)?.peer;
    if (!end.open || peer === undefined) return;
    if (code !== undefined) this.#now(() => this.#handler?.refused(peer, code, message));
    end.lose();
  }

  #up(end: End<MemoryTransport>, peer: Member): void {
    end.peer = peer;
    this.#pending.delete(end);
    const channel = ++this.#lastChannel;
    end.channel = channel;
    this.#channels.set(channel, end);
    this.#now(() => this.#handler?.up(channel, peer, end.direction));
  }

  gone(end: End<MemoryTransport>): void {
    this.#pending.delete(end);
    this.#held = this.#held.filter((held) => held.end !== end);
    const { channel } = end;
    if (channel !== undefined) {
      this.#channels.delete(channel);
      this.#later(() => this.#handler?.down(channel));
    }
    const dial = this.#dialOf(end);
    if (dial !== undefined) this.#redial(dial);
  }

  #dialOf(end: End<MemoryTransport>): Dial | undefined {
    const dial = end.peer && this.#dials.get(memberId(end.peer));
    return dial?.end === end ? dial : undefined;
  }

  #attempt(dial: Dial): void {
    if (this.#self === null || dial.end !== undefined) return;
    const { cluster = 'default', wireVersion = WIRE_VERSION, secret } = this.#options;
    const hello: Hello = { cluster, wireVersion, secret, from: this.#self, to: dial.peer };
    const end = End.dial<MemoryTransport>(this.#network, this, this.address, dial.peer);
    dial.end = end;
    dial.cancel = this.#network.clock.setTimer(this.#network.helloTimeoutMs, () => end.lose());
    this.#pending.add(end);
    end.send((far) => MemoryTransport.#connected(this.#network, far, hello));
  }

  /** The hello has arrived at its address, whoever is there now. */
  static #connected(network: MemoryNetwork, far: End<MemoryTransport>, hello: Hello): void {
    const target = network.at(hello.to.address);
    if (target === undefined) {
      far.lose();
      return;
    }
    far.owner = target;
    target.#incoming(far, hello);
  }

  #redial(dial: Dial): void {
    dial.cancel?.();
    delete dial.end;
    dial.cancel = this.#network.clock.setTimer(dial.backoff.next(), () => this.#attempt(dial));
  }

  #forgetAll(): void {
    for (const dial of this.#dials.values()) dial.cancel?.();
    this.#dials.clear();
    for (const end of [...this.#pending, ...this.#channels.values()]) end.lose();
  }

  /** From a fresh stack already: at once, unless something has to come before it. */
  #now(event: () => void): void {
    if (this.#events.length === 0) event();
    else this.#later(event);
  }

  #later(event: () => void): void {
    this.#events.push(event);
    this.#network.clock.setTimer(0, () => this.#events.shift()?.());
  }
}
