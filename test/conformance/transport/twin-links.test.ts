/** What the in-memory network adds to the port: latency, cuts, half-open connections and crashes, all in virtual time. */
import { describe, expect, it } from '@jest/globals';
import { type Address, toAddress } from '../../../src/core/types.ts';
import type { Clock } from '../../../src/ports.ts';
import { createMemoryNetwork } from '../../sim/transport-twin.ts';
import { numbered, numbers, Owner } from './harness.ts';

/** Runs timers in the order of their times, and of their setting where those are equal. */
class VirtualClock implements Clock {
  #now = 0;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.reduce<{ at: number; run: () => void } | undefined>(
        (first, timer) => (timer.at <= until && (first === undefined || timer.at < first.at) ? timer : first),
        undefined,
      );
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }
}

/** Repeats itself. */
function seeded(seed: number) {
  let state = seed;
  const fraction = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  return { fraction, guid: () => fraction().toString(16).slice(2).padEnd(32, '0') };
}

const [A, B] = [toAddress('a:1'), toAddress('b:1')];

function world(seed = 1) {
  const clock = new VirtualClock();
  const network = createMemoryNetwork({ clock, random: seeded(seed), latencyMs: [1, 5] });
  const node = (address: Address, incarnation: number): Owner => {
    const owner = new Owner(network.transport(address));
    void owner.transport.listen(owner);
    owner.address = address;
    owner.identify(incarnation);
    return owner;
  };
  const a = node(A, 1);
  const b = node(B, 2);
  a.transport.dial(b.member(2));
  clock.advance(20);
  const say = (id: number): void => a.transport.send(a.live('out')[0] as number, numbered(id));
  return { clock, network, node, a, b, say };
}

describe('the in-memory network', () => {
  it('keeps order in spite of latency, and moves by the clock alone', () => {
    const { clock, b, say } = world();
    for (let id = 0; id < 100; id++) say(id);
    expect(numbers(b)).toEqual([]);
    clock.advance(10);
    expect(numbers(b)).toEqual(Array.from({ length: 100 }, (_, id) => id));
  });

  it('repeats itself with the same seed', () => {
    const run = (seed: number) => {
      const { clock, network, a, b, say } = world(seed);
      say(1);
      clock.advance(2);
      network.reset(A, B);
      clock.advance(2000);
      return [a.events, b.events, clock.now()];
    };
    expect(run(7)).toEqual(run(7));
  });

  it('holds what is sent across a short cut and delivers it, in order, when it is healed', () => {
    const { clock, network, a, b, say } = world();
    network.cut(A, B);
    say(1);
    clock.advance(2000);
    say(2);
    expect(b.of('message')).toEqual([]);
    network.heal(A, B);
    clock.advance(20);
    expect(numbers(b)).toEqual([1, 2]);
    expect([a.of('down'), b.of('down')]).toEqual([[], []]);
  });

  it('ends at both sides connections that a cut outlasts, and connects again after it', () => {
    const { clock, network, a, b, say } = world();
    network.cut(A, B);
    say(1);
    clock.advance(2999);
    expect([a.of('down'), b.of('down')]).toEqual([[], []]);
    clock.advance(2);
    expect([a.of('down').length, b.of('down').length]).toEqual([1, 1]);
    clock.advance(30_000);
    expect(a.live('out')).toEqual([]);
    network.heal(A, B);
    clock.advance(1500);
    expect([a.live('out').length, b.live('in').length]).toEqual([1, 1]);
    expect(numbers(b)).toEqual([]);
  });

  it('cuts one way: who hears nothing gives up, and the other one learns of it', () => {
    const { clock, network, a, b, say } = world();
    network.cutOneWay(A, B);
    say(1);
    b.transport.send(b.live('in')[0] as number, numbered(2));
    clock.advance(10);
    expect([numbers(a), numbers(b)]).toEqual([[2], []]);
    clock.advance(3010);
    expect([a.of('down').length, b.of('down').length]).toEqual([1, 1]);
  });

  it('lets a connection be half-open: one end knows at once, the other one only after three keepalives', () => {
    const { clock, network, a, b } = world();
    network.halfOpen(A, B);
    clock.advance(1);
    expect([a.of('down').length, b.of('down').length]).toEqual([1, 0]);
    clock.advance(100);
    // The new connection of the same member takes the place of the dead one.
    expect(a.live('out')).toHaveLength(1);
    expect(b.events.map(({ type }) => type)).toEqual(['up', 'down', 'up']);
  });

  it('lets the other end of a half-open connection notice by itself where nobody dials again', () => {
    const { clock, network, a, b } = world();
    network.halfOpen(A, B);
    a.transport.hangup(b.member(2));
    clock.advance(2990);
    expect(b.of('down')).toHaveLength(0);
    clock.advance(20);
    expect(b.of('down')).toHaveLength(1);
  });

  it.each([false, true])(
    'tells a crashed process nothing more, and its peers at the latest by its silence (%s)',
    (silent) => {
      const { clock, network, node, a, b } = world();
      network.crash(B, { silent });
      const told = b.events.length;
      clock.advance(silent ? 2990 : 10);
      expect(a.of('down')).toHaveLength(silent ? 0 : 1);
      clock.advance(20);
      expect(a.of('down')).toHaveLength(1);
      expect(b.events).toHaveLength(told);
      const again = node(B, 3);
      clock.advance(2000);
      expect(again.events).toEqual([]);
      a.transport.dial(again.member(3));
      clock.advance(20);
      expect(again.of('up')).toHaveLength(1);
    },
  );
});
