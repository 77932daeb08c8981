/** Says what a node hears and sends, for whoever reads a replay. */
import type { Transport } from '../../src/ports.ts';

type Say = (what: string) => void;

const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
export const inWords = (value: unknown): string => JSON.stringify(value, plain);

export function traced(transport: Transport, say: Say): Transport {
  return {
    listen: (handler) =>
      transport.listen({
        up: (channel, peer, direction) => {
          say(`up ${channel} ${direction} ${peer.address}#${peer.incarnation}`);
          handler.up(channel, peer, direction);
        },
        down: (channel) => {
          say(`down ${channel}`);
          handler.down(channel);
        },
        message: (channel, message) => {
          say(`heard on ${channel} ${inWords(message)}`);
          handler.message(channel, message);
        },
        refused: (...args) => handler.refused(...args),
      }),
    identify: (self) => {
      say(`identify ${self?.incarnation ?? 'nobody'}`);
      transport.identify(self);
    },
    dial: (peer) => {
      say(`dial ${peer.address}#${peer.incarnation}`);
      transport.dial(peer);
    },
    hangup: (peer) => {
      say(`hangup ${peer.address}#${peer.incarnation}`);
      transport.hangup(peer);
    },
    send: (channel, message) => {
      say(`send on ${channel} ${inWords(message)}`);
      transport.send(channel, message);
    },
    drop: (channel, reason) => transport.drop(channel, reason),
    close: () => transport.close(),
  };
}
