/** A process that can be stopped: its timers, messages and replies wait, while time goes on. */
import type { Clock, OpenZooKeeper, Transport, TransportHandler, ZooKeeperHandler } from '../../src/ports.ts';

export class SimProcess {
  #held: (() => void)[] | undefined;

  get paused(): boolean {
    return this.#held !== undefined;
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) this.#enter(run);
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      setTimer: (delayMs, callback) => {
        let cancelled = false;
        const cancel = clock.setTimer(delayMs, () => this.#enter(() => (cancelled ? undefined : callback())));
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
  }

  transport(transport: Transport): Transport {
    const wrap = (handler: TransportHandler): TransportHandler => ({
      up: (...args) => this.#enter(() => handler.up(...args)),
      down: (...args) => this.#enter(() => handler.down(...args)),
      message: (...args) => this.#enter(() => handler.message(...args)),
      refused: (...args) => this.#enter(() => handler.refused(...args)),
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
      const wrapped: ZooKeeperHandler = {
        connected: (...args) => this.#enter(() => handler.connected(...args)),
        disconnected: () => this.#enter(() => handler.disconnected()),
        ended: (...args) => this.#enter(() => handler.ended(...args)),
        reply: (...args) => this.#enter(() => handler.reply(...args)),
        watch: (...args) => this.#enter(() => handler.watch(...args)),
      };
      return open(wrapped, options);
    };
  }

  #enter(run: () => void): void {
    if (this.#held === undefined) run();
    else this.#held.push(run);
  }
}
