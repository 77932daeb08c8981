/** Messages to bytes (Z36 Z37 Z39): the kinds that traffic is made of by hand, the others through msgpackr. */
import { Packr } from 'msgpackr/pack';
import type { Action, Message } from '../core/messages.ts';
import type { Key, Value } from '../core/types.ts';
import { isBinaryKey } from './fields.ts';
import { type AnyLayout, BY_TYPE } from './layouts.ts';
import { FrameWriter } from './writer.ts';

type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;

/** More than all fields of fixed size take, of whichever kind. */
const FIXED_ROOM = 64;
/** A whole number takes at most this. */
const COUNT_ROOM = 9;

const packr = new Packr({ useRecords: false, moreTypes: false });

/** Adds a message to the frame; false if there may be no room for it. Into an empty frame any message goes. */
export function writeMessage(out: FrameWriter, message: Message): boolean {
  switch (message.type) {
    case 'get':
      return get(out, message);
    case 'write':
      return write(out, message);
    case 'value':
      return value(out, message);
    case 'written':
      return written(out, message);
    case 'invalidate':
      return invalidation(out, 6, message);
    case 'invalidated':
      return invalidation(out, 7, message);
    case 'settled':
      return settled(out, message);
    default:
      return rare(out, message);
  }
}

function get(out: FrameWriter, message: MessageOf<'get'>): boolean {
  if (!out.fits(FIXED_ROOM + FrameWriter.roomOf(message.key))) return false;
  out.byte(0x94);
  out.byte(1);
  out.epoch(message.epoch);
  out.count(message.id);
  key(out, message.key);
  return true;
}

function write(out: FrameWriter, message: MessageOf<'write'>): boolean {
  const { action } = message;
  const room = action.kind === 'set' ? roomOf(action.value) : 0;
  if (!out.fits(FIXED_ROOM + FrameWriter.roomOf(message.key) + room)) return false;
  out.byte(0x96);
  out.byte(2);
  out.epoch(message.epoch);
  out.count(message.id);
  out.count(message.settled);
  key(out, message.key);
  actionOf(out, action);
  return true;
}

function actionOf(out: FrameWriter, action: Action): void {
  if (action.kind === 'set') {
    out.byte(0x92);
    out.byte(0);
    content(out, action.value);
  } else {
    out.byte(0x91);
    out.byte(1);
  }
}

function value(out: FrameWriter, message: MessageOf<'value'>): boolean {
  const { found } = message;
  if (!out.fits(FIXED_ROOM + (found === undefined ? 0 : roomOf(found.value)))) return false;
  out.byte(0x95);
  out.byte(3);
  out.epoch(message.epoch);
  out.count(message.id);
  if (found === undefined) out.byte(0xc0);
  else {
    out.byte(0x93);
    content(out, found.value);
    out.version(found.version.epoch, found.version.counter);
  }
  out.flag(message.holder);
  return true;
}

function written(out: FrameWriter, message: MessageOf<'written'>): boolean {
  if (!out.fits(FIXED_ROOM)) return false;
  out.byte(0x96);
  out.byte(4);
  out.epoch(message.epoch);
  out.count(message.id);
  out.byte(0x92);
  out.version(message.version.epoch, message.version.counter);
  out.flag(message.existed);
  out.flag(message.holder);
  return true;
}

function invalidation(out: FrameWriter, kind: 6 | 7, message: MessageOf<'invalidate' | 'invalidated'>): boolean {
  if (!out.fits(FIXED_ROOM + FrameWriter.roomOf(message.key))) return false;
  out.byte(0x94);
  out.byte(kind);
  out.epoch(message.epoch);
  key(out, message.key);
  out.byte(0x92);
  out.version(message.version.epoch, message.version.counter);
  return true;
}

function settled(out: FrameWriter, { epoch, ids }: MessageOf<'settled'>): boolean {
  if (!out.fits(FIXED_ROOM + COUNT_ROOM * ids.length)) return false;
  out.byte(0x93);
  out.byte(16);
  out.epoch(epoch);
  out.list(ids.length);
  for (const id of ids) out.count(id);
  return true;
}

function rare(out: FrameWriter, message: Message): boolean {
  const layout = BY_TYPE.get(message.type) as AnyLayout;
  const record = message as unknown as Record<string, unknown>;
  const fields: unknown[] = [layout.number];
  for (const [name, field] of layout.fields) fields.push(field.write(record[name]));
  const bytes = packr.pack(fields);
  if (!out.fits(bytes.length)) return false;
  out.raw(bytes);
  return true;
}

const roomOf = (it: Value): number => (typeof it === 'string' ? FrameWriter.roomOf(it) : 5 + it.length);

function content(out: FrameWriter, it: Value): void {
  if (typeof it === 'string') out.text(it);
  else out.binary(it);
}

function key(out: FrameWriter, it: Key): void {
  if (isBinaryKey(it)) out.latin1(it.slice(1));
  else out.text(it);
}
