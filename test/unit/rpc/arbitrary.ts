/** Messages of every kind, for property tests. */
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import type { Message } from '../../../src/core/messages.ts';
import { type Epoch, type Key, toAddress, toEpoch, type Value } from '../../../src/core/types.ts';

export const anyEpoch: fc.Arbitrary<Epoch> = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(toEpoch);
const text = fc.string({ unit: 'binary', maxLength: 200 });
const binaryKey = fc
  .uint8Array({ minLength: 1, maxLength: 200 })
  .filter((bytes) => !isUtf8(bytes))
  .map((bytes) => `\ud800${Buffer.from(bytes).toString('latin1')}`);
export const anyKey = fc.oneof(text, binaryKey) as fc.Arbitrary<string> as fc.Arbitrary<Key>;
export const anyValue: fc.Arbitrary<Value> = fc.oneof(text, fc.uint8Array({ maxLength: 300 }));
const count = fc.maxSafeNat();
const version = fc.record({ epoch: anyEpoch, counter: count });
const copy = fc.record({ key: anyKey, value: anyValue, version, used: fc.constant(false) });
const shortText = fc.string({ unit: 'grapheme', maxLength: 20 });
const report = fc.record({
  address: shortText.map(toAddress),
  role: shortText,
  live: fc.boolean(),
  entries: count,
});
const action = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), value: anyValue }),
  fc.record({ kind: fc.constant('delete' as const) }),
);

const epoch = anyEpoch;
const of = <const T extends Message['type']>(type: T) => fc.constant(type);

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: of('get'), epoch, id: count, key: anyKey }),
  fc.record({ type: of('write'), epoch, id: count, settled: count, key: anyKey, action }),
  fc.record(
    { type: of('value'), epoch, id: count, found: fc.record({ value: anyValue, version }), holder: fc.boolean() },
    { requiredKeys: ['type', 'epoch', 'id', 'holder'] },
  ),
  fc.record({ type: of('written'), epoch, id: count, version, existed: fc.boolean(), holder: fc.boolean() }),
  fc.record(
    {
      type: of('refused'),
      epoch,
      id: count,
      reason: fc.constantFrom('epoch', 'notLeader', 'noLease', 'limit', 'busy'),
      detail: shortText,
    },
    { requiredKeys: ['type', 'epoch', 'id', 'reason'] },
  ),
  fc.record({ type: fc.constantFrom('invalidate', 'invalidated'), epoch, key: anyKey, version }),
  fc.record({ type: fc.constantFrom('fence', 'adopted', 'leading'), epoch }),
  fc.record({
    type: of('offer'),
    epoch,
    page: count,
    last: fc.boolean(),
    labels: fc.array(anyEpoch, { maxLength: 4 }),
    copies: fc.array(copy, { maxLength: 20 }),
  }),
  fc.record({ type: of('offered'), epoch, page: count }),
  fc.record({ type: of('adopt'), epoch, base: anyEpoch, drop: fc.array(anyKey, { maxLength: 20 }) }),
  fc.record({ type: of('inspect'), epoch, id: count }),
  fc.record({ type: of('report'), epoch, id: count, report }),
  fc.record({ type: of('settled'), epoch, ids: fc.array(count, { maxLength: 20 }) }),
) as fc.Arbitrary<Message>;
