/** One connection of the in-memory network: two ends, each with the packets that are on their way to it. */
import type { Address, Member } from '../../src/core/types.ts';
import type { ChannelId, Clock, Direction } from '../../src/ports.ts';

/** What an end needs of its network. */
export interface Links {
  readonly clock: Clock;
  /** An end that has heard nothing for so long, because of a cut, gives up. */
  readonly silenceMs: number;
  isCut(from: Address, to: Address): boolean;
  delay(from: Address, to: Address): number;
  add(end: End): void;
  remove(end: End): void;
}

/** Whoever is told when an end goes. */
export interface EndOwner {
  gone(end: End): void;
}

interface Packet {
  ripe: boolean;
  readonly arrive: (end: End) => void;
}

export class End<Owner extends EndOwner = EndOwner> {
  readonly local: Address;
  readonly remote: Address;
  readonly direction: Direction;
  /** Nobody's, at the far end, until the hello has arrived. */
  owner: Owner | undefined;
  peer: Member | undefined;
  /** Set once the hello went through. */
  channel: ChannelId | undefined;
  open = true;
  #other: End<Owner> | undefined;
  readonly #links: Links;
  readonly #incoming: Packet[] = [];
  #vanished = false;
  #lastDue = 0;
  #silence: (() => void) | undefined;

  private constructor(links: Links, local: Address, remote: Address, direction: Direction) {
    this.#links = links;
    this.local = local;
    this.remote = remote;
    this.direction = direction;
  }

  /** A connection dialled by `owner`: its own end, whose far end belongs to nobody yet. */
  static dial<Owner extends EndOwner>(links: Links, owner: Owner, local: Address, peer: Member): End<Owner> {
    const near = new End<Owner>(links, local, peer.address, 'out');
    const far = new End<Owner>(links, peer.address, local, 'in');
    near.owner = owner;
    near.peer = peer;
    near.#other = far;
    far.#other = near;
    for (const end of [near, far]) {
      links.add(end);
      if (links.isCut(end.remote, end.local)) end.expectSilence();
    }
    return near;
  }

  /** Runs `arrive` at the other end when it gets there, in the order of sending. */
  send(arrive: (end: End<Owner>) => void): void {
    const other = this.#other;
    if (other !== undefined) other.#receive(arrive as (end: End) => void);
  }

  /** Closes this end and tells the other, if anything still gets there. */
  lose(): void {
    if (!this.open) return;
    this.open = false;
    this.#silence?.();
    this.#links.remove(this);
    this.send((other) => other.lose());
    this.owner?.gone(this);
  }

  /** This end goes down; the other one hears nothing any more. */
  vanish(): void {
    this.#vanished = true;
    if (this.#other !== undefined) {
      this.#other.#vanished = true;
      this.#other.expectSilence();
    }
    this.lose();
  }

  expectSilence(): void {
    if (this.open) this.#silence ??= this.#links.clock.setTimer(this.#links.silenceMs, () => this.lose());
  }

  healed(): void {
    if (this.#deaf()) return;
    this.#silence?.();
    this.#silence = undefined;
    this.#links.clock.setTimer(this.#links.delay(this.remote, this.local), () => this.#pump());
  }

  #receive(arrive: (end: End) => void): void {
    const { clock } = this.#links;
    const packet: Packet = { ripe: false, arrive };
    this.#incoming.push(packet);
    // Ripeness, not the clock, decides: a timer may fire a rounding error early, and order must not depend on timers.
    const due = Math.max(this.#lastDue, clock.now() + this.#links.delay(this.remote, this.local));
    this.#lastDue = due;
    clock.setTimer(Math.max(0, due - clock.now()), () => {
      packet.ripe = true;
      this.#pump();
    });
  }

  #deaf(): boolean {
    return this.#vanished || this.#links.isCut(this.remote, this.local);
  }

  #pump(): void {
    while (!this.#deaf() && this.#incoming[0]?.ripe) this.#incoming.shift()?.arrive(this as End);
  }
}
