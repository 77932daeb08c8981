/** ZooKeeper's wire protocol, server side: requests from bytes, answers to bytes. Knows no socket. */
import { JuteReader, JuteWriter, MalformedFrame } from './jute.ts';
import type { Acl, Answer, ChangeOperation, EventKind, NodeStat, Operation, StepResult } from './operations.ts';
import type { ConnectRequest } from './state.ts';

const OpCode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  auth: 100,
  setWatches: 101,
  setWatches2: 105,
  closeSession: -11,
  error: -1,
} as const;

const Xid = { notification: -1, ping: -2, auth: -4 } as const;

const EVENT_TYPES: Record<EventKind, number> = { created: 1, deleted: 2, changed: 3, children: 4 };
const SYNC_CONNECTED = 3;
const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const MAX_STEPS = 10_000;

export type Request =
  | { readonly kind: 'operation'; readonly xid: number; readonly operation: Operation }
  | { readonly kind: 'ping' | 'auth' | 'close' | 'unsupported'; readonly xid: number };

export interface Handshake extends ConnectRequest {
  /** Newer clients send, and expect back, one more byte. */
  readonly readOnlyFlag: boolean;
}

/** Throws MalformedFrame. */
export function readHandshake(frame: Buffer): Handshake {
  const reader = new JuteReader(frame);
  reader.int();
  const lastZxid = reader.long();
  const timeoutMs = reader.int();
  const sessionId = reader.unsignedLong();
  const password = reader.buffer() ?? Buffer.alloc(16);
  return { lastZxid, timeoutMs, sessionId, password, readOnlyFlag: reader.remaining > 0 };
}

/** Throws MalformedFrame. */
export function readRequest(frame: Buffer): Request {
  const reader = new JuteReader(frame);
  const xid = reader.int();
  const type = reader.int();
  switch (type) {
    case OpCode.ping:
      return { kind: 'ping', xid: Xid.ping };
    case OpCode.auth:
      return { kind: 'auth', xid: Xid.auth };
    case OpCode.closeSession:
      return { kind: 'close', xid };
    default: {
      const operation = readOperation(type, reader);
      return operation === undefined ? { kind: 'unsupported', xid } : { kind: 'operation', xid, operation };
    }
  }
}

function readOperation(type: number, reader: JuteReader): Operation | undefined {
  switch (type) {
    case OpCode.exists:
      return { op: 'exists', path: reader.string(), watch: reader.boolean() };
    case OpCode.getData:
      return { op: 'getData', path: reader.string(), watch: reader.boolean() };
    case OpCode.getChildren:
    case OpCode.getChildren2: {
      const withStat = type === OpCode.getChildren2;
      return { op: 'getChildren', path: reader.string(), watch: reader.boolean(), withStat };
    }
    case OpCode.getAcl:
      return { op: 'getAcl', path: reader.string() };
    case OpCode.setAcl:
      return { op: 'setAcl', path: reader.string(), acl: reader.vector(readAcl), version: reader.int() };
    case OpCode.sync:
      return { op: 'sync', path: reader.string() };
    case OpCode.multi:
      return { op: 'multi', steps: readSteps(reader) };
    case OpCode.setWatches:
    case OpCode.setWatches2:
      return readSetWatches(reader);
    case OpCode.create2: {
      const create = readCreate(reader);
      return create && { ...create, withStat: true };
    }
    default:
      return readChange(type, reader);
  }
}

/** create2 is a plain create within a multi, as it is in ZooKeeper. */
function readChange(type: number, reader: JuteReader): ChangeOperation | undefined {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
      return readCreate(reader);
    case OpCode.delete:
      return { op: 'delete', path: reader.string(), version: reader.int() };
    case OpCode.setData:
      return { op: 'setData', path: reader.string(), data: reader.buffer(), version: reader.int() };
    case OpCode.check:
      return { op: 'check', path: reader.string(), version: reader.int() };
    default:
      return undefined;
  }
}

function readCreate(reader: JuteReader): Extract<ChangeOperation, { op: 'create' }> | undefined {
  const path = reader.string();
  const data = reader.buffer();
  const acl = reader.vector(readAcl);
  const flags = reader.int();
  // Containers and znodes with a time to live have higher flags.
  if ((flags & ~(EPHEMERAL | SEQUENTIAL)) !== 0) return undefined;
  const [ephemeral, sequential] = [(flags & EPHEMERAL) !== 0, (flags & SEQUENTIAL) !== 0];
  return { op: 'create', path, data, acl, ephemeral, sequential };
}

function readSteps(reader: JuteReader): ChangeOperation[] {
  const steps: ChangeOperation[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.boolean();
    reader.int();
    if (done) return steps;
    const step = steps.length < MAX_STEPS ? readChange(type, reader) : undefined;
    if (step === undefined) throw new MalformedFrame('a multi with an unknown step, or with too many');
    steps.push(step);
  }
}

function readSetWatches(reader: JuteReader): Operation {
  const relativeZxid = reader.long();
  const paths = () => reader.vector((r) => r.string());
  return {
    op: 'setWatches',
    relativeZxid,
    dataWatches: paths(),
    existWatches: paths(),
    childWatches: paths(),
  };
}

const readAcl = (reader: JuteReader): Acl => ({
  permissions: reader.int(),
  scheme: reader.string(),
  id: reader.string(),
});

// ------------------------------------------------------------------------------------------------------- answers

export interface Accepted {
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
}

/** null: that session is over. */
export function handshakeFrame(accepted: Accepted | null, readOnlyFlag: boolean): Buffer {
  const writer = new JuteWriter()
    .int(0)
    .int(accepted?.timeoutMs ?? 0)
    .long(accepted?.sessionId ?? 0n)
    .buffer(accepted?.password ?? new Uint8Array(16));
  if (readOnlyFlag) writer.boolean(false);
  return writer.frame();
}

/** Without a body: for pings, auth, close and errors. */
export function statusFrame(xid: number, zxid: bigint, code = 0): Buffer {
  return new JuteWriter().int(xid).long(zxid).int(code).frame();
}

export function eventFrame(kind: EventKind, path: string): Buffer {
  const writer = new JuteWriter().int(Xid.notification).long(-1n).int(0);
  return writer.int(EVENT_TYPES[kind]).int(SYNC_CONNECTED).string(path).frame();
}

/** What is there of it, in the order in which the protocol wants it. */
export function answerFrame(xid: number, zxid: bigint, answer: Answer): Buffer {
  if (answer.code !== 0) return statusFrame(xid, zxid, answer.code);
  const writer = new JuteWriter().int(xid).long(zxid).int(0);
  if (answer.steps !== undefined) writeSteps(writer, answer.steps);
  if (answer.path !== undefined) writer.string(answer.path);
  if (answer.data !== undefined) writer.buffer(answer.data);
  if (answer.names !== undefined) writer.vector(answer.names, (w, name) => w.string(name));
  if (answer.acl !== undefined) writer.vector(answer.acl, writeAcl);
  if (answer.stat !== undefined) writeStat(writer, answer.stat);
  return writer.frame();
}

function writeSteps(writer: JuteWriter, steps: readonly StepResult[]): void {
  for (const { op, code, path, stat } of steps) {
    writer.int(OpCode[op]).boolean(false).int(code);
    if (op === 'error') writer.int(code);
    if (path !== undefined) writer.string(path);
    if (stat !== undefined) writeStat(writer, stat);
  }
  writer.int(-1).boolean(true).int(-1);
}

function writeAcl(writer: JuteWriter, acl: Acl): void {
  writer.int(acl.permissions).string(acl.scheme).string(acl.id);
}

function writeStat(writer: JuteWriter, stat: NodeStat): void {
  writer.long(stat.czxid).long(stat.mzxid).long(BigInt(stat.ctime)).long(BigInt(stat.mtime));
  writer.int(stat.version).int(stat.cversion).int(stat.aversion).long(stat.ephemeralOwner);
  writer.int(stat.dataLength).int(stat.numChildren).long(stat.pzxid);
}
