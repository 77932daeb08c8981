/**
 * Messages to bytes and back (Z36 Z37 Z39). Knows no socket.
 *
 * A frame is one or more messages, one behind the other, each a MessagePack list: its kind's number, then its fields in
 * the order below. Kinds are only appended. Whatever else is in a frame makes all of it malformed.
 */
import { Packr } from 'msgpackr/pack';
import type { Message } from '../core/messages.ts';
import {
  action,
  copy,
  count,
  detail,
  epoch,
  type Field,
  flag,
  found,
  key,
  labels,
  list,
  reason,
  report,
  version,
} from './fields.ts';
import { FrameReader, MalformedFrameError, type Raw } from './reader.ts';

export { MalformedFrameError } from './reader.ts';

type Kind = Message['type'];
type MessageOf<K extends Kind> = Extract<Message, { type: K }>;
type Layout<M> = { readonly [Name in Exclude<keyof M, 'type'>]-?: Field<M[Name]> };
type Layouts = { readonly [K in Kind]: { readonly number: number; readonly fields: Layout<MessageOf<K>> } };

const LAYOUTS: Layouts = {
  get: { number: 1, fields: { epoch, id: count, key } },
  write: { number: 2, fields: { epoch, id: count, settled: count, key, action } },
  value: { number: 3, fields: { epoch, id: count, found, holder: flag } },
  written: { number: 4, fields: { epoch, id: count, version, existed: flag, holder: flag } },
  refused: { number: 5, fields: { epoch, id: count, reason, detail } },
  invalidate: { number: 6, fields: { epoch, key, version } },
  invalidated: { number: 7, fields: { epoch, key, version } },
  fence: { number: 8, fields: { epoch } },
  offer: { number: 9, fields: { epoch, page: count, last: flag, labels, copies: list(copy) } },
  offered: { number: 10, fields: { epoch, page: count } },
  adopt: { number: 11, fields: { epoch, base: epoch, drop: list(key) } },
  adopted: { number: 12, fields: { epoch } },
  leading: { number: 13, fields: { epoch } },
  inspect: { number: 14, fields: { epoch, id: count } },
  report: { number: 15, fields: { epoch, id: count, report } },
  settled: { number: 16, fields: { epoch, ids: list(count) } },
};

interface AnyLayout {
  readonly type: Kind;
  readonly number: number;
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[];
}

const BY_TYPE = new Map<Kind, AnyLayout>();
const BY_NUMBER = new Map<number, AnyLayout>();
for (const [name, { number, fields }] of Object.entries(LAYOUTS)) {
  const layout: AnyLayout = { type: name as Kind, number, fields: Object.entries(fields) as AnyLayout['fields'] };
  BY_TYPE.set(layout.type, layout);
  BY_NUMBER.set(number, layout);
}

const packr = new Packr({ useRecords: false, moreTypes: false });

/** The bytes of one message. A frame is any number of them, concatenated. */
export function encodeMessage(message: Message): Uint8Array {
  const layout = BY_TYPE.get(message.type) as AnyLayout;
  const record = message as unknown as Record<string, unknown>;
  const out: unknown[] = [layout.number];
  for (const [name, field] of layout.fields) out.push(field.write(record[name]));
  return packr.pack(out);
}

/** One frame of one or more messages. */
export function encode(messages: readonly Message[]): Uint8Array {
  if (messages.length === 0) throw new RangeError('a frame carries at least one message');
  return messages.length === 1 ? encodeMessage(messages[0] as Message) : Buffer.concat(messages.map(encodeMessage));
}

/** The messages of a frame. Throws MalformedFrameError for anything but what `encode` makes of valid messages. */
export function decode(frame: Uint8Array): Message[] {
  const reader = new FrameReader(frame);
  if (reader.done) throw new MalformedFrameError('an empty frame');
  const messages: Message[] = [];
  while (!reader.done) messages.push(toMessage(reader.read()));
  return messages;
}

function toMessage(raw: Raw): Message {
  if (!Array.isArray(raw)) throw new MalformedFrameError('expected a message');
  const layout = BY_NUMBER.get(raw[0]);
  if (layout === undefined) throw new MalformedFrameError('a message of an unknown kind');
  if (raw.length !== layout.fields.length + 1) throw new MalformedFrameError(`${layout.type}: wrong number of fields`);
  const message: Record<string, unknown> = { type: layout.type };
  for (let i = 0; i < layout.fields.length; i++) {
    const [name, field] = layout.fields[i] as AnyLayout['fields'][number];
    const read = readField(layout, name, field, raw[i + 1]);
    if (read !== undefined) message[name] = read;
  }
  return message as unknown as Message;
}

function readField(layout: AnyLayout, name: string, field: Field<unknown>, raw: Raw | undefined): unknown {
  try {
    return field.read(raw);
  } catch (error) {
    if (error instanceof MalformedFrameError) throw new MalformedFrameError(`${layout.type}.${name}: ${error.message}`);
    throw error;
  }
}
