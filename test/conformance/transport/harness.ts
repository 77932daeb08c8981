/** Recording owners of transports, for the conformance suite and the bad input tests. */
import type { Message } from '../../../src/core/messages.ts';
import { type Address, type Member, toAddress, toEpoch, toIncarnation } from '../../../src/core/types.ts';
import type { ChannelId, Direction, Transport, TransportHandler } from '../../../src/ports.ts';

export interface TransportOptions {
  readonly cluster?: string;
  readonly secret?: string;
  /** Where to listen; default: a free address. */
  readonly at?: Address;
}

/** Makes transports that can reach each other. Not listening yet; `at` says where the transport will be. */
export type TransportFactory = (options?: TransportOptions) => Transport;

export type Event =
  | { readonly type: 'up'; readonly channel: ChannelId; readonly peer: Member; readonly direction: Direction }
  | { readonly type: 'down'; readonly channel: ChannelId }
  | { readonly type: 'message'; readonly channel: ChannelId; readonly message: Message }
  | { readonly type: 'refused'; readonly peer: Member; readonly code: string; readonly message: string };

/** A transport with its owner, which writes down what it is told. */
export class Owner implements TransportHandler {
  readonly transport: Transport;
  readonly events: Event[] = [];
  /** Runs inside each callback, before it is written down. */
  react: (event: Event) => void = () => {};
  address: Address = toAddress('nowhere:0');

  constructor(transport: Transport) {
    this.transport = transport;
  }

  async listen(): Promise<this> {
    const { host, port } = await this.transport.listen(this);
    this.address = toAddress(`${host}:${port}`);
    return this;
  }

  member(incarnation: number): Member {
    return { address: this.address, incarnation: toIncarnation(BigInt(incarnation)) };
  }

  identify(incarnation: number): Member {
    const self = this.member(incarnation);
    this.transport.identify(self);
    return self;
  }

  up(channel: ChannelId, peer: Member, direction: Direction): void {
    this.#note({ type: 'up', channel, peer, direction });
  }

  down(channel: ChannelId): void {
    this.#note({ type: 'down', channel });
  }

  message(channel: ChannelId, message: Message): void {
    this.#note({ type: 'message', channel, message });
  }

  refused(peer: Member, code: string, message: string): void {
    this.#note({ type: 'refused', peer, code, message });
  }

  of<T extends Event['type']>(type: T): Extract<Event, { type: T }>[] {
    return this.events.filter((event): event is Extract<Event, { type: T }> => event.type === type);
  }

  /** The channels that are up, oldest first. */
  live(direction: Direction): ChannelId[] {
    const down = new Set(this.of('down').map((event) => event.channel));
    return this.of('up')
      .filter((event) => event.direction === direction && !down.has(event.channel))
      .map((event) => event.channel);
  }

  #note(event: Event): void {
    this.react(event);
    this.events.push(event);
  }
}

/** A message that is told apart by its number. */
export const numbered = (id: number): Message => ({ type: 'inspect', epoch: toEpoch(1n), id });
export const numbers = (owner: Owner, channel?: ChannelId): number[] =>
  owner
    .of('message')
    .filter((event) => channel === undefined || event.channel === channel)
    .map(({ message }) => ('id' in message ? message.id : -1));
