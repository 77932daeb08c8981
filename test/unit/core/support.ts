/** Short words for the core's types, and a store of znodes that answers at once: what the tests of the core are built from. */
import { Holding } from '../../../src/core/cache.ts';
import type { Stat, ZkMultiStep, ZkOperation, ZkReply, ZkWatchKind } from '../../../src/core/coordination.ts';
import type { CallResult, Effect } from '../../../src/core/effects.ts';
import { formatServed } from '../../../src/core/election.ts';
import type { Message } from '../../../src/core/messages.ts';
import { pathsOf } from '../../../src/core/paths.ts';
import {
  type Address,
  type Copy,
  type Epoch,
  type Key,
  type Member,
  type MemberId,
  memberId,
  toAddress,
  toEpoch,
  toIncarnation,
  type Value,
  type Version,
} from '../../../src/core/types.ts';

export const CLUSTER = 'test';
export const paths = pathsOf(CLUSTER);

export const key = (text: string): Key => text as Key;
export const address = (text: string): Address => toAddress(text);
export const epoch = (n: number | bigint): Epoch => toEpoch(BigInt(n));
export const version = (e: number | bigint, counter: number): Version => ({ epoch: epoch(e), counter });
export const copy = (k: string, value: Value, e: number | bigint, counter: number): Copy => ({
  key: key(k),
  value,
  version: version(e, counter),
});
export function holdingOf(copies: Iterable<Copy>): Holding {
  const holding = new Holding();
  for (const each of copies) holding.add(each);
  return holding;
}
export const member = (text: string, incarnation: number | bigint): Member => ({
  address: address(text),
  incarnation: toIncarnation(BigInt(incarnation)),
});
export const idOf = (text: string, incarnation: number | bigint): MemberId => memberId(member(text, incarnation));

/** Effects of one type, in their order. */
export function effectsOf<T extends Effect['type']>(effects: readonly Effect[], type: T): (Effect & { type: T })[] {
  return effects.filter((effect): effect is Effect & { type: T } => effect.type === type);
}

export function messagesOf<T extends Message['type']>(
  effects: readonly Effect[],
  type: T,
): (Message & { type: T; channel: number })[] {
  return effectsOf(effects, 'send')
    .filter(({ message }) => message.type === type)
    .map(({ channel, message }) => ({ ...(message as Message & { type: T }), channel }));
}

/** What a call was settled with, each result once. */
export const resultsOf = (effects: readonly Effect[], call: number): CallResult[] =>
  effectsOf(effects, 'settle')
    .filter((effect) => effect.call === call)
    .map(({ result }) => result);

export const NO_OWNER = '0'.repeat(16);

interface Znode {
  data: string;
  czxid: bigint;
  version: number;
  owner: string;
}

export interface Fired {
  readonly path: string;
  readonly kind: ZkWatchKind;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
const fail = (code: (ZkReply & { ok: false })['code'], step?: number): ZkReply => ({
  ok: false,
  code,
  message: code,
  ...(step === undefined ? {} : { step }),
});

/** Znodes as one ZooKeeper server shows them, for one session that watches. */
export class Tree {
  zxid = 100n;
  readonly nodes = new Map<string, Znode>();
  /** Watch events that are not told yet. */
  readonly fired: Fired[] = [];
  private sequence = 0;
  private readonly watches = new Set<string>();

  apply(operation: ZkOperation, session: string): ZkReply {
    if (operation.op === 'multi') return this.multi(operation.steps, session);
    if (operation.op === 'get' || operation.op === 'exists' || operation.op === 'children') return this.look(operation);
    const failure = this.refusal(operation);
    if (failure !== undefined) return failure;
    this.zxid += 1n;
    return { ok: true, zxid: this.zxid, ...this.change(operation, session) };
  }

  /** Another member joins; a candidate with its election znode in the same transaction. */
  join(text: string, options: { candidate?: boolean; session?: string } = {}): Member {
    const session = options.session ?? `session-of-${text}`;
    const steps: ZkMultiStep[] = [{ op: 'create', path: paths.member(address(text)), data: '{}', mode: 'ephemeral' }];
    if (options.candidate ?? true) {
      const path = paths.candidate(`${text.replace(/\W/g, '')}-n-`);
      steps.push({ op: 'create', path, data: text, mode: 'ephemeralSequential' });
    }
    const reply = this.multi(steps, session);
    if (!reply.ok) throw new Error(`${text} cannot join: ${reply.message}`);
    return member(text, reply.zxid);
  }

  /** A session ends: its ephemeral znodes go. */
  expire(session: string): void {
    for (const [path, node] of [...this.nodes]) if (node.owner === session) this.remove(path);
  }

  leave(text: string): void {
    this.expire(`session-of-${text}`);
  }

  /** A leader has finished takeover. */
  serve(leader: Member): void {
    this.write(paths.served, formatServed({ epoch: epoch(leader.incarnation), address: leader.address }));
  }

  write(path: string, data: string): void {
    const exists = this.nodes.has(path);
    const step = exists
      ? ({ op: 'set', path, data } as const)
      : ({ op: 'create', path, data, mode: 'persistent' } as const);
    this.apply(step, NO_OWNER);
  }

  remove(path: string): void {
    this.apply({ op: 'delete', path }, NO_OWNER);
  }

  private look(operation: ZkOperation & { op: 'get' | 'exists' | 'children' }): ZkReply {
    const { op, path } = operation;
    const node = this.nodes.get(path);
    if (operation.watch === true && (node !== undefined || op === 'exists')) this.watches.add(path);
    const zxid = this.zxid;
    if (node === undefined) return op === 'exists' ? { ok: true, zxid, stat: null } : fail('NO_NODE');
    if (op === 'get') return { ok: true, zxid, data: node.data, stat: this.stat(node) };
    if (op === 'exists') return { ok: true, zxid, stat: this.stat(node) };
    const names = [...this.nodes.keys()].filter((other) => parentOf(other) === path);
    return { ok: true, zxid, names: names.map((name) => name.slice(path.length + 1)), stat: this.stat(node) };
  }

  private multi(steps: readonly ZkMultiStep[], session: string): ZkReply {
    for (const [index, step] of steps.entries()) {
      const failure = this.refusal(step);
      if (failure !== undefined) return { ...failure, step: index } as ZkReply;
    }
    this.zxid += 1n;
    return { ok: true, zxid: this.zxid, paths: steps.map((step) => this.change(step, session).path) };
  }

  private refusal(step: ZkMultiStep): ZkReply | undefined {
    const node = this.nodes.get(step.path);
    if (step.op === 'create') {
      if (parentOf(step.path) !== '' && !this.nodes.has(parentOf(step.path))) return fail('NO_NODE');
      return node !== undefined && step.mode !== 'ephemeralSequential' ? fail('NODE_EXISTS') : undefined;
    }
    if (node === undefined) return fail('NO_NODE');
    const bad = step.version !== undefined && step.version !== -1 && step.version !== node.version;
    return bad ? fail('BAD_VERSION') : undefined;
  }

  private change(step: ZkMultiStep, session: string): { path?: string } {
    if (step.op === 'check') return {};
    const { path } = step;
    if (step.op === 'create') {
      const full = step.mode === 'ephemeralSequential' ? path + String(this.sequence++).padStart(10, '0') : path;
      const owner = step.mode === 'persistent' ? NO_OWNER : session;
      this.nodes.set(full, { data: step.data, czxid: this.zxid, version: 0, owner });
      this.fire(full, 'created');
      this.fire(parentOf(full), 'children');
      return { path: full };
    }
    if (step.op === 'set') {
      const node = this.nodes.get(path)!;
      this.nodes.set(path, { ...node, data: step.data, version: node.version + 1 });
      this.fire(path, 'changed');
    } else {
      this.nodes.delete(path);
      this.fire(path, 'deleted');
      this.fire(parentOf(path), 'children');
    }
    return {};
  }

  private fire(path: string, kind: ZkWatchKind): void {
    if (this.watches.delete(path)) this.fired.push({ path, kind });
  }

  private stat(node: Znode): Stat {
    return {
      czxid: node.czxid,
      mzxid: node.czxid,
      pzxid: node.czxid,
      version: node.version,
      ephemeralOwner: node.owner,
    };
  }
}
