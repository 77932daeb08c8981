/** What waits to be sent: in order, writes that nobody waits for any more left out, and memory let go of (Z08). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '../../../src/core/messages.ts';
import { type Key, toEpoch } from '../../../src/core/types.ts';
import { decode } from '../../../src/rpc/codec.ts';
import { Outgoing, OversizedMessageError } from '../../../src/rpc/outgoing.ts';
import { FrameWriter } from '../../../src/rpc/writer.ts';

const epoch = toEpoch(1n);
const key = 'k' as Key;
const version = { epoch, counter: 1 };
const MAX_FRAME_BYTES = 200;
const frame = new FrameWriter();

function next(outgoing: Outgoing): Message[] {
  outgoing.fill(frame);
  const { bytes, start, end } = frame.frame;
  expect(end - start).toBeLessThanOrEqual(MAX_FRAME_BYTES);
  return decode(bytes.subarray(start, end));
}

type Step =
  | { readonly do: 'write'; readonly ago: number; readonly size: number }
  | { readonly do: 'settled'; readonly ago: readonly number[] }
  | { readonly do: 'value'; readonly size: number }
  | { readonly do: 'get' }
  | { readonly do: 'fill' };

const size = fc.nat({ max: 120 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), ago: fc.nat({ max: 40 }), size }) },
  fc.record({ do: fc.constant('settled' as const), ago: fc.array(fc.nat({ max: 40 }), { maxLength: 5 }) }),
  fc.record({ do: fc.constant('value' as const), size }),
  fc.constantFrom<Step>({ do: 'get' }, { do: 'fill' }),
);

/** The same by the book: a list, from which is taken what a later message says to be settled. */
class Model {
  readonly #outgoing = new Outgoing(MAX_FRAME_BYTES);
  #waiting: Message[] = [];
  #id = 0;
  #settled = 0;

  run(it: Step): void {
    const id = ++this.#id;
    if (it.do === 'fill') this.#fill();
    else if (it.do === 'get') this.#add({ type: 'get', epoch, id, key });
    else if (it.do === 'value') {
      this.#add({ type: 'value', epoch, id, found: { value: 'x'.repeat(it.size), version }, holder: true });
    } else if (it.do === 'settled') {
      const ids = it.ago.map((ago) => Math.max(0, id - ago));
      this.#withdraw((write) => ids.includes(write));
      this.#add({ type: 'settled', epoch, ids });
    } else {
      this.#settled = Math.max(this.#settled, id - it.ago);
      this.#withdraw((write) => write < this.#settled);
      const action = { kind: 'set', value: 'x'.repeat(it.size) } as const;
      this.#add({ type: 'write', epoch, id, settled: this.#settled, key, action });
    }
    this.#compare();
  }

  drain(): void {
    while (this.#waiting.length > 0) this.#fill();
    this.#compare();
  }

  #add(message: Message): void {
    this.#waiting.push(message);
    this.#outgoing.add(message);
  }

  #withdraw(isSettled: (id: number) => boolean): void {
    this.#waiting = this.#waiting.filter((it) => it.type !== 'write' || !isSettled(it.id));
  }

  #fill(): void {
    if (this.#waiting.length === 0) return;
    const sent = next(this.#outgoing);
    expect(sent).toEqual(this.#waiting.splice(0, sent.length));
  }

  #compare(): void {
    const values = this.#waiting.map((it) => (it.type === 'value' ? (it.found?.value.length ?? 0) : 0));
    expect(this.#outgoing.size).toBe(this.#waiting.length);
    expect(this.#outgoing.bytes).toBe(values.reduce((sum, bytes) => sum + bytes, 0));
  }
}

describe('messages that wait to be sent', () => {
  it('are sent in order, but for writes that a later message says to be settled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const model = new Model();
        for (const it of steps) model.run(it);
        model.drain();
      }),
    );
  });

  it('are let go of when they are gone, while others go on waiting', () => {
    const model = new Model();
    for (let round = 0; round < 3000; round++) {
      model.run({ do: 'write', ago: 20, size: 1 });
      if (round % 100 === 0) model.run({ do: 'settled', ago: [1, 5] });
      if (round % 500 === 0) model.run({ do: 'fill' });
      if (round % 3 === 0) model.run({ do: 'get' });
    }
    model.drain();
  });

  it('a message that is larger than a frame may be is an error, one that is as large is not', () => {
    const value = (bytes: number): Message => ({
      type: 'value',
      epoch,
      id: 1,
      found: { value: new Uint8Array(bytes), version },
      holder: true,
    });
    const sizeOfNone = 26;
    for (const bytes of [MAX_FRAME_BYTES - sizeOfNone, MAX_FRAME_BYTES - sizeOfNone + 1]) {
      const outgoing = new Outgoing(MAX_FRAME_BYTES);
      outgoing.add(value(bytes));
      outgoing.add(value(1));
      if (bytes + sizeOfNone > MAX_FRAME_BYTES) expect(() => next(outgoing)).toThrow(OversizedMessageError);
      else expect([next(outgoing), next(outgoing)]).toEqual([[value(bytes)], [value(1)]]);
    }
  });
});
