/**
 * Messages to bytes and back (Z36 Z37 Z39). Knows no socket.
 *
 * A frame is one or more messages, one behind the other, each a MessagePack list: its kind's number, then its fields in
 * the order below. Kinds are only appended. Whatever else is in a frame makes all of it malformed.
 */
import type { Message } from '../core/messages.ts';
import { TrafficReader } from './decoding.ts';
import { writeMessage } from './encoding.ts';
import type { Field } from './fields.ts';
import { type AnyLayout, BY_NUMBER } from './layouts.ts';
import { FrameReader, MalformedFrameError, type Raw } from './reader.ts';
import { FrameWriter } from './writer.ts';

export { MalformedFrameError } from './reader.ts';

const writer = new FrameWriter();

/** The bytes of one message. A frame is any number of them, concatenated. */
export function encodeMessage(message: Message): Uint8Array {
  writer.begin(0);
  writeMessage(writer, message);
  const { bytes, start, end } = writer.frame;
  return bytes.subarray(start, end);
}

/** One frame of one or more messages. */
export function encode(messages: readonly Message[]): Uint8Array {
  if (messages.length === 0) throw new RangeError('a frame carries at least one message');
  return messages.length === 1 ? encodeMessage(messages[0] as Message) : Buffer.concat(messages.map(encodeMessage));
}

/** The messages of a frame. Throws MalformedFrameError for anything but what `encode` makes of valid messages. */
export function decode(frame: Uint8Array): Message[] {
  const bytes = Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length === 0) throw new MalformedFrameError('an empty frame');
  const reader = new TrafficReader(bytes);
  const messages: Message[] = [];
  while (reader.at < bytes.length) messages.push(reader.read() ?? readAny(bytes, reader));
  return messages;
}

/** What the traffic's reader does not know: another kind of message, or what is wrong. */
function readAny(bytes: Buffer, traffic: TrafficReader): Message {
  const reader = new FrameReader(bytes, traffic.at);
  const message = toMessage(reader.read());
  traffic.at = reader.at;
  return message;
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
