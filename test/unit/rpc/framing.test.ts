/** Frames of every length form, masked and not, bare and through TLS, between the pings of the connection. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import * as ws from 'ws';
import type { Message } from '../../../src/core/messages.ts';
import { type Key, toEpoch } from '../../../src/core/types.ts';
import { scaled, until } from '../../support/wait.ts';
import { Rig } from './rig.ts';

/** A part of ws that its types leave out. */
const { Receiver } = ws as unknown as { Receiver: { prototype: { _write(): void } } };

const pem = (name: string) => readFileSync(new URL(`certificates/cluster-${name}.pem`, import.meta.url));
const key = readFileSync(new URL('certificates/cluster-node.key', import.meta.url));
const tls = { key, cert: pem('node'), ca: pem('ca') };

/** With what is around it, it takes each length around 125 and 65,535, where the forms of a header change. */
const LENGTHS = [0, 1, ...range(80, 130), ...range(65_480, 65_540), 1_000_000, 3_000_000];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_none, index) => from + index);
}

function message(length: number): Message {
  const found = { value: new Uint8Array(length).fill(length), version: { epoch: toEpoch(1n), counter: 1 } };
  return { type: 'value', epoch: toEpoch(1n), id: length, found, holder: true };
}

describe('frames', () => {
  const rig = new Rig();
  afterEach(() => rig.close());

  it.each([
    ['bare', undefined],
    ['through TLS', tls],
  ])('of all lengths arrive %s in both directions, each alone and all at once, between pings', async (_how, files) => {
    const options = { tls: files, keepaliveMs: scaled(50) };
    const [a, b] = [await rig.node(1, options), await rig.node(2, options)];
    await rig.connect(a, b, 2);
    const [out, into] = [a.live('out')[0] as number, b.live('in')[0] as number];
    const expected: Message[] = [];
    for (const alone of [true, false]) {
      for (const length of LENGTHS) {
        expected.push(message(length));
        a.transport.send(out, message(length));
        b.transport.send(into, message(length));
        if (alone) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await until('all of them', () => [a, b].every((it) => it.of('message').length === expected.length));
    for (const it of [a, b]) {
      const wrong = it.of('message').filter(({ message: got }, index) => !same(got, expected[index]));
      expect(wrong).toEqual([]);
      expect(it.of('down')).toEqual([]);
    }
  });

  it('do not pass through ws at either end, once the hello is done', async () => {
    const [a, b] = [await rig.node(1), await rig.node(2)];
    await rig.connect(a, b, 2);
    const [out, into] = [a.live('out')[0] as number, b.live('in')[0] as number];
    const pieces = jest.spyOn(Receiver.prototype, '_write');
    try {
      for (let i = 0; i < 100; i++) {
        a.transport.send(out, message(100 + i));
        b.transport.send(into, message(100 + i));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until('all of them', () => [a, b].every((it) => it.of('message').length === 100));
      // Pings and pongs, should it take long.
      expect(pieces.mock.calls.length).toBeLessThan(20);
    } finally {
      pieces.mockRestore();
    }
  });

  it('of many small messages arrive whole and in order, however many are sent in one turn', async () => {
    const [a, b] = [await rig.node(1), await rig.node(2)];
    await rig.connect(a, b, 2);
    const channel = a.live('out')[0] as number;
    const total = 20_000;
    const get = (id: number): Message => ({ type: 'get', epoch: toEpoch(1n), id, key: `key ${id}` as Key });
    for (let id = 0; id < total; id++) {
      a.transport.send(channel, get(id));
      if (id % 997 === 0) await Promise.resolve();
    }
    await until('all of them', () => b.of('message').length === total);
    expect(b.of('message').map(({ message: it }) => it)).toEqual(Array.from({ length: total }, (_none, id) => get(id)));
  });
});

/** Not by a matcher, which takes seconds for large values. */
function same(got: Message, expected: Message | undefined): boolean {
  if (got.type !== 'value' || expected?.type !== 'value') return false;
  const [value, wanted] = [got.found?.value, expected.found?.value];
  return got.id === expected.id && Buffer.compare(value as Uint8Array, wanted as Uint8Array) === 0;
}
