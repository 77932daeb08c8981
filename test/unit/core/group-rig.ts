/** One Group with hand-made inputs: virtual time, a Tree that answers when told to, channels that are numbers. */
import type { ZkOperation, ZkReply } from '../../../src/core/coordination.ts';
import type { CallResult, Effect, Input } from '../../../src/core/effects.ts';
import { Group, type GroupOptions } from '../../../src/core/group.ts';
import type { Action, Message } from '../../../src/core/messages.ts';
import type { NodeStatus } from '../../../src/core/status.ts';
import { type Epoch, epochOf, type Member, type Version } from '../../../src/core/types.ts';
import { address, CLUSTER, epoch, key, messagesOf, paths, resultsOf, Tree } from './support.ts';

export const TIMEOUT_MS = 6000;
export const TICK_MS = 1000;
/** More than half a tick and 50 ms, so that a beat sent after it proves the one answered before. */
const PAIRING_MS = TICK_MS / 2 + 60;

export class GroupRig {
  now = 1000;
  readonly tree: Tree;
  readonly group: Group;
  /** Every effect so far. */
  readonly effects: Effect[] = [];
  /** ZooKeeper requests that have no reply yet. */
  readonly asked: { session: number; request: number; operation: ZkOperation }[] = [];
  session = 0;
  private readonly address: string;
  private taken = 0;
  private lastCall = 0;
  private lastChannel = 0;
  private guids = 0;

  constructor(options: Partial<GroupOptions> & { tree?: Tree; at?: string } = {}) {
    const { tree, at, ...rest } = options;
    this.tree = tree ?? new Tree();
    this.address = at ?? 'me:1';
    this.group = new Group({
      nodeId: 'node',
      cluster: CLUSTER,
      address: address(this.address),
      candidate: true,
      tickTimeMs: TICK_MS,
      closeTimeoutMs: 10_000,
      cache: { maxEntries: 1000, maxBytes: 1 << 20 },
      store: { maxBytes: 1 << 24 },
      maxPending: 1000,
      agreement: { wireVersion: 1 },
      guid: () => `guid${this.guids++}`,
      ...rest,
    });
  }

  get sessionId(): string {
    return `session-of-${this.address}-${this.session}`;
  }

  get self(): Member {
    const node = this.tree.nodes.get(paths.member(address(this.address)));
    return { address: address(this.address), incarnation: (node?.czxid ?? 0n) as Member['incarnation'] };
  }

  get epoch(): Epoch {
    return epochOf(this.self);
  }

  get status(): NodeStatus {
    return this.group.status(this.now);
  }

  /** Connects, joins, and proves its lease. */
  start(): this {
    this.step({ type: 'start' });
    return this.connect();
  }

  connect(): this {
    this.step({ type: 'zkConnected', session: this.session, info: { id: this.sessionId, timeoutMs: TIMEOUT_MS } });
    this.answerAll();
    return this.pass(PAIRING_MS);
  }

  step(input: Input): readonly Effect[] {
    const effects = this.group.step(input, this.now);
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.type === 'zk') this.asked.push(effect);
      else if (effect.type === 'openSession') this.session = effect.session;
      else if (effect.type === 'closeSession') this.asked.length = 0;
    }
    return effects;
  }

  /** Answers the oldest ZooKeeper request: from the tree, or with this reply. */
  answer(reply?: ZkReply): ZkOperation | undefined {
    const next = this.asked.shift();
    if (next === undefined) return undefined;
    const { session, request, operation } = next;
    this.step({ type: 'zkReply', session, request, reply: reply ?? this.tree.apply(operation, this.sessionId) });
    return operation;
  }

  /** Answers every ZooKeeper request and tells every watch, until there is nothing more. */
  answerAll(): this {
    for (let turns = 0; turns < 1000; turns++) {
      const fired = this.tree.fired.shift();
      if (fired !== undefined) this.step({ type: 'zkWatch', session: this.session, ...fired });
      else if (this.answer() === undefined) return this;
    }
    throw new Error('ZooKeeper requests without end');
  }

  /** Time passes; wakes at the times asked for. With `silent`, ZooKeeper does not answer meanwhile. */
  pass(ms: number, options: { silent?: boolean } = {}): this {
    const until = this.now + ms;
    for (let turns = 0; turns < 1000; turns++) {
      if (options.silent !== true) this.answerAll();
      const due = this.group.wakeAt;
      if (due > until) break;
      this.now = Math.max(this.now, due);
      this.step({ type: 'wake' });
      if (options.silent === true && this.group.wakeAt <= this.now) break;
    }
    this.now = until;
    return this;
  }

  /** Time passes in a stopped process: no timer runs. */
  stopFor(ms: number): this {
    this.now += ms;
    return this;
  }

  get(k: string): number {
    this.lastCall += 1;
    this.step({ type: 'get', call: this.lastCall, key: key(k) });
    return this.lastCall;
  }

  write(k: string, action: Action): number {
    this.lastCall += 1;
    this.step({ type: 'write', call: this.lastCall, key: key(k), action });
    return this.lastCall;
  }

  set(k: string, value: string): number {
    return this.write(k, { kind: 'set', value });
  }

  delete(k: string): number {
    return this.write(k, { kind: 'delete' });
  }

  /** What a call was settled with; undefined while it is open. Fails when it was settled twice. */
  result(call: number): CallResult | undefined {
    const results = resultsOf(this.effects, call);
    if (results.length > 1) throw new Error(`call ${call} was settled ${results.length} times`);
    return results[0];
  }

  up(peer: Member, direction: 'in' | 'out'): number {
    this.lastChannel += 1;
    this.step({ type: 'up', channel: this.lastChannel, peer, direction });
    return this.lastChannel;
  }

  /** Both connections with a peer, as they are when nothing is broken. */
  link(peer: Member): { in: number; out: number } {
    return { in: this.up(peer, 'in'), out: this.up(peer, 'out') };
  }

  down(channel: number): void {
    this.step({ type: 'down', channel });
  }

  say(channel: number, message: Message): readonly Effect[] {
    return this.step({ type: 'message', channel, message });
  }

  /** Messages of one type since `take` was last called for any. */
  take<T extends Message['type']>(type: T): (Message & { type: T; channel: number })[] {
    const fresh = this.effects.slice(this.taken);
    this.taken = this.effects.length;
    return messagesOf(fresh, type);
  }

  /** All messages of one type so far. */
  sent<T extends Message['type']>(type: T): (Message & { type: T; channel: number })[] {
    return messagesOf(this.effects, type);
  }

  /** What is answered from memory right now. */
  cached(k: string): unknown {
    return this.group.mayAnswer(this.now) ? this.group.lookup(key(k))?.value : undefined;
  }
}

/** A node that follows `leader`, with an open channel to it. */
export function followerRig(options: Partial<GroupOptions> = {}): { rig: GroupRig; leader: Member; channel: number } {
  const tree = new Tree();
  // The first one to join makes the persistent znodes, like everybody does.
  new GroupRig({ tree, at: 'first:1' }).start();
  tree.expire('session-of-first:1-1');
  const leader = tree.join('leader:1');
  tree.serve(leader);
  const rig = new GroupRig({ ...options, tree }).start();
  return { rig, leader, channel: rig.up(leader, 'out') };
}

/** A node that leads, and members that joined after it. */
export function leaderRig(
  names: readonly string[] = [],
  options: Partial<GroupOptions> = {},
): { rig: GroupRig; peers: Member[]; links: { in: number; out: number }[] } {
  const rig = new GroupRig(options).start();
  const peers = names.map((name) => rig.tree.join(name));
  rig.answerAll();
  return { rig, peers, links: peers.map((peer) => rig.link(peer)) };
}

/** The leader answers a follower's read, listing it as holder, so that it caches. */
export function fill(rig: GroupRig, channel: number, k: string, value: string, at: Version): void {
  const call = rig.get(k);
  const request = rig.sent('get').at(-1)!;
  rig.say(channel, { type: 'value', epoch: at.epoch, id: request.id, found: { value, version: at }, holder: true });
  if (rig.result(call)?.ok !== true) throw new Error('not filled');
}

export const ofLeader = (leader: Member, counter: number): Version => ({ epoch: epochOf(leader), counter });
export const later = (e: Epoch, by = 1000n): Epoch => epoch(e + by);
