/**
 * A gate around a transport, for the shell's `rmi-down` and for tests (S14 S15): while it is closed, what peers ask of
 * this node is held, not answered. The node's own calls and their answers pass, and so do the connections' pings, which
 * are below the port.
 */
import type { Message } from '../core/messages.ts';
import type { ChannelId, Transport, TransportHandler } from '../ports.ts';

/** Messages and (roughly) bytes held; a channel that brings more is dropped, as an overloaded node would. */
const MAX_HELD_MESSAGES = 100_000;
const MAX_HELD_BYTES = 64 * 1024 * 1024;

export interface TransportGate {
  /** The same port, behind the gate. */
  readonly transport: Transport;
  readonly closed: boolean;
  /** From here on messages on inbound channels are held. Idempotent. */
  close(): void;
  /** Delivers what was held, in order, from a fresh stack, and then everything as it comes. Idempotent. */
  open(): void;
}

export function gated(transport: Transport): TransportGate {
  return new Gate(transport);
}

interface Held {
  readonly channel: ChannelId;
  readonly message: Message;
  readonly bytes: number;
}

class Gate implements TransportGate {
  readonly transport: Transport;
  readonly #inner: Transport;
  readonly #inbound = new Set<ChannelId>();
  #handler: TransportHandler | undefined;
  #held: Held[] = [];
  #heldBytes = 0;
  #closed = false;
  #releasing = false;

  constructor(inner: Transport) {
    this.#inner = inner;
    this.transport = {
      listen: (handler) => this.#listen(handler),
      identify: (self) => inner.identify(self),
      dial: (peer) => inner.dial(peer),
      hangup: (peer) => inner.hangup(peer),
      send: (channel, message) => inner.send(channel, message),
      drop: (channel, reason) => {
        // Nothing but `down` may follow a drop.
        this.#forget(channel);
        inner.drop(channel, reason);
      },
      close: () => {
        this.#held = [];
        return inner.close();
      },
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  open(): void {
    if (!this.#closed) return;
    this.#closed = false;
    if (this.#releasing) return;
    this.#releasing = true;
    queueMicrotask(() => this.#release());
  }

  #listen(handler: TransportHandler): ReturnType<Transport['listen']> {
    this.#handler = handler;
    return this.#inner.listen({
      up: (channel, peer, direction) => {
        if (direction === 'in') this.#inbound.add(channel);
        handler.up(channel, peer, direction);
      },
      down: (channel) => {
        this.#forget(channel);
        this.#inbound.delete(channel);
        handler.down(channel);
      },
      message: (channel, message) => {
        // While older ones are held a newer one must not overtake them, even if the gate is open again.
        if (this.#inbound.has(channel) && (this.#closed || this.#held.length > 0)) this.#hold(channel, message);
        else handler.message(channel, message);
      },
      refused: (peer, code, message) => handler.refused(peer, code, message),
    });
  }

  #hold(channel: ChannelId, message: Message): void {
    const bytes = weight(message);
    if (this.#held.length >= MAX_HELD_MESSAGES || this.#heldBytes + bytes > MAX_HELD_BYTES) {
      this.#forget(channel);
      this.#inner.drop(channel, 'the gate is closed and holds all that it can');
      return;
    }
    this.#held.push({ channel, message, bytes });
    this.#heldBytes += bytes;
  }

  #forget(channel: ChannelId): void {
    if (this.#held.length === 0) return;
    this.#held = this.#held.filter((held) => held.channel !== channel);
    this.#heldBytes = this.#held.reduce((sum, held) => sum + held.bytes, 0);
  }

  /** Stops in the middle when the owner closes the gate again, or drops a channel, while it is being told. */
  #release(): void {
    this.#releasing = false;
    while (!this.#closed) {
      const next = this.#held.shift();
      if (next === undefined) return;
      this.#heldBytes -= next.bytes;
      this.#handler?.message(next.channel, next.message);
    }
  }
}

const OVERHEAD_BYTES = 100;

/** Roughly what a message keeps in memory. */
function weight(message: Message): number {
  switch (message.type) {
    case 'write':
      return OVERHEAD_BYTES + (message.action.kind === 'set' ? message.action.value.length : 0);
    case 'value':
      return OVERHEAD_BYTES + (message.found?.value.length ?? 0);
    case 'offer':
      return message.copies.reduce((sum, copy) => sum + OVERHEAD_BYTES + copy.value.length, OVERHEAD_BYTES);
    case 'adopt':
      return OVERHEAD_BYTES * (1 + message.drop.length);
    default:
      return OVERHEAD_BYTES;
  }
}
