/** Every kind of message: its number on the wire and its fields, in their order. Kinds are only appended. */
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

export interface AnyLayout {
  readonly type: Kind;
  readonly number: number;
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[];
}

export const BY_TYPE = new Map<Kind, AnyLayout>();
export const BY_NUMBER = new Map<number, AnyLayout>();
for (const [name, { number, fields }] of Object.entries(LAYOUTS)) {
  const layout: AnyLayout = { type: name as Kind, number, fields: Object.entries(fields) as AnyLayout['fields'] };
  BY_TYPE.set(layout.type, layout);
  BY_NUMBER.set(number, layout);
}
