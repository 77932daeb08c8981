/**
 * A process that can be stopped: its timers, messages and replies wait, while time goes on. When it goes on, they run
 * one at a time, each source in its own order but the sources in any: the first thing to run may be a timer or a
 * message, an old one or a new one. Or it ends, and nothing of it ever runs again.
 */
import { memberId } from '../../src/core/types.ts';
import type { Clock, OpenZooKeeper, Transport, TransportHandler, ZooKeeperHandler } from '../../src/ports.ts';

type Held = Map<string, (() => void)[]>;

export class SimProcess {
  readonly #base: Clock;
  readonly #fraction: () => number;
  #held: Held | undefined;
  #paused = false;
  #dead = false;

  /** `fraction`: draws the order in which what was held back runs. */
  constructor(base: Clock, fraction: () => number) {
    this.#base = base;
    this.#fraction = fraction;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get dead(): boolean {
    return this.#dead;
  }

  pause(): void {
    this.#paused = true;
    this.#held ??= new Map();
  }

  resume(): void {
    if (!this.#paused || this.#dead) return;
    this.#paused = false;
    this.#drain();
  }

  /** The end of the process. */
  kill(): void {
    this.#dead = true;
    this.#held = undefined;
  }

  /** What `clock` measures, as this process's timers see it. `source`: what is kept in order among itself. */
  clock(clock: Clock, source = 'timers'): Clock {
    return {
      now: () => clock.now(),
      setTimer: (delayMs, callback) => {
        let cancelled = false;
        const cancel = clock.setTimer(delayMs, () =>
          this.enter(source, () => {
            if (!cancelled) callback();
          }),
        );
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
  }

  transport(transport: Transport): Transport {
    // A transport lets the newer of two channels of one member and direction replace the older; so they come in order.
    const sources = new Map<number, string>();
    const on = (channel: number, run: () => void): void => this.enter(sources.get(channel) ?? '', run);
    const wrap = (handler: TransportHandler): TransportHandler => ({
      up: (channel, peer, direction) => {
        sources.set(channel, `${direction} ${memberId(peer)}`);
        on(channel, () => handler.up(channel, peer, direction));
      },
      down: (channel) => {
        on(channel, () => handler.down(channel));
        sources.delete(channel);
      },
      message: (channel, message) => on(channel, () => handler.message(channel, message)),
      refused: (...args) => this.enter('refused', () => handler.refused(...args)),
    });
    return {
      listen: (handler) => transport.listen(wrap(handler)),
      identify: (self) => transport.identify(self),
      dial: (peer) => transport.dial(peer),
      hangup: (peer) => transport.hangup(peer),
      send: (channel, message) => transport.send(channel, message),
      drop: (channel, reason) => transport.drop(channel, reason),
      close: () => transport.close(),
    };
  }

  zooKeeper(open: OpenZooKeeper): OpenZooKeeper {
    return (handler, options) => {
      const enter = (run: () => void): void => this.enter('zookeeper', run);
      const wrapped: ZooKeeperHandler = {
        connected: (...args) => enter(() => handler.connected(...args)),
        disconnected: () => enter(() => handler.disconnected()),
        ended: (...args) => enter(() => handler.ended(...args)),
        reply: (...args) => enter(() => handler.reply(...args)),
        watch: (...args) => enter(() => handler.watch(...args)),
      };
      return open(wrapped, options);
    };
  }

  enter(source: string, run: () => void): void {
    if (this.#dead) return;
    if (this.#held === undefined) {
      run();
      return;
    }
    const waiting = this.#held.get(source);
    if (waiting === undefined) this.#held.set(source, [run]);
    else waiting.push(run);
  }

  /** One a turn: what a callback causes comes before the next one, and what arrives meanwhile waits behind its like. */
  #drain(): void {
    const held = this.#held;
    if (held === undefined || this.#paused || this.#dead) return;
    const sources = [...held.keys()];
    const source = sources[Math.floor(this.#fraction() * sources.length)];
    if (source === undefined) {
      this.#held = undefined;
      return;
    }
    const waiting = held.get(source)!;
    const run = waiting.shift();
    if (waiting.length === 0) held.delete(source);
    run?.();
    this.#base.setTimer(0, () => this.#drain());
  }
}
