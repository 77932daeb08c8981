/** The gate of `rmi-down` (S14 S15): requests wait, everything else passes. */
import { describe, expect, it } from '@jest/globals';
import type { Message } from '../../../src/core/messages.ts';
import { type Key, toAddress, toEpoch, toIncarnation } from '../../../src/core/types.ts';
import type { Transport, TransportHandler } from '../../../src/ports.ts';
import { gated } from '../../../src/rpc/gate.ts';
import { numbered, numbers, Owner } from '../../conformance/transport/harness.ts';

const peer = { address: toAddress('node:1'), incarnation: toIncarnation(1n) };

async function setUp() {
  const calls: string[] = [];
  let told: TransportHandler | undefined;
  const inner: Transport = {
    listen: async (handler) => {
      told = handler;
      return { host: 'node', port: 2 };
    },
    identify: () => void calls.push('identify'),
    dial: () => void calls.push('dial'),
    hangup: () => void calls.push('hangup'),
    send: (channel) => void calls.push(`send ${channel}`),
    drop: (channel) => void calls.push(`drop ${channel}`),
    close: async () => void calls.push('close'),
  };
  const gate = gated(inner);
  const owner = await new Owner(gate.transport).listen();
  const wire = told as unknown as TransportHandler;
  wire.up(1, peer, 'in');
  wire.up(2, peer, 'out');
  return { gate, owner, wire, calls };
}

describe('a gate around a transport', () => {
  it('lets everything through while it is open', async () => {
    const { gate, owner, wire } = await setUp();
    wire.message(1, numbered(1));
    wire.message(2, numbered(2));
    expect(gate.closed).toBe(false);
    expect(numbers(owner)).toEqual([1, 2]);
  });

  it('holds what peers ask, but not the answers to what the node asked', async () => {
    const { gate, owner, wire, calls } = await setUp();
    gate.close();
    wire.message(1, numbered(1));
    wire.message(2, numbered(2));
    gate.transport.send(2, numbered(3));
    expect(gate.closed).toBe(true);
    expect(numbers(owner)).toEqual([2]);
    expect(calls).toEqual(['send 2']);
  });

  it('delivers what it held in order, from a fresh stack, and nothing overtakes it', async () => {
    const { gate, owner, wire } = await setUp();
    gate.close();
    wire.message(1, numbered(1));
    wire.message(1, numbered(2));
    gate.open();
    expect(numbers(owner)).toEqual([]);
    wire.message(1, numbered(3));
    await Promise.resolve();
    wire.message(1, numbered(4));
    expect(numbers(owner)).toEqual([1, 2, 3, 4]);
  });

  it('can be closed again while it delivers', async () => {
    const { gate, owner, wire } = await setUp();
    gate.close();
    for (let id = 0; id < 4; id++) wire.message(1, numbered(id));
    owner.react = (event) => event.type === 'message' && numbers(owner).length === 1 && gate.close();
    gate.open();
    await Promise.resolve();
    expect(numbers(owner)).toEqual([0, 1]);
    gate.open();
    await Promise.resolve();
    expect(numbers(owner)).toEqual([0, 1, 2, 3]);
  });

  it.each(['down', 'drop'])('forgets what it held of a channel at its %s', async (how) => {
    const { gate, owner, wire } = await setUp();
    wire.up(3, peer, 'in');
    gate.close();
    wire.message(1, numbered(1));
    wire.message(3, numbered(3));
    if (how === 'down') wire.down(1);
    else gate.transport.drop(1, 'a fault');
    gate.open();
    await Promise.resolve();
    expect(numbers(owner)).toEqual([3]);
  });

  it('tells of connections while it is closed', async () => {
    const { gate, owner, wire } = await setUp();
    gate.close();
    wire.up(5, peer, 'in');
    wire.down(5);
    wire.refused(peer, 'ZISTORE_UNAUTHORIZED', 'no');
    expect(owner.events.slice(-3).map(({ type }) => type)).toEqual(['up', 'down', 'refused']);
  });

  it('drops a channel that brings more than it holds', async () => {
    const { gate, owner, wire, calls } = await setUp();
    gate.close();
    const large: Message = {
      type: 'write',
      epoch: toEpoch(1n),
      id: 1,
      settled: 0,
      key: 'k' as Key,
      action: { kind: 'set', value: 'x'.repeat(1024 * 1024) },
    };
    for (let i = 0; i < 64; i++) wire.message(1, large);
    expect(calls).toEqual(['drop 1']);
    gate.open();
    await Promise.resolve();
    expect(numbers(owner)).toEqual([]);
  });

  it('passes every call on', async () => {
    const { gate, calls } = await setUp();
    gate.transport.identify(null);
    gate.transport.dial(peer);
    gate.transport.hangup(peer);
    await gate.transport.close();
    expect(calls).toEqual(['identify', 'dial', 'hangup', 'close']);
  });
});
