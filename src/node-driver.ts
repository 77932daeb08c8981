/**
 * The driver: takes inputs from callers, transport, ZooKeeper and the clock, one at a time, lets the core make one
 * step of each, and carries out the effects in their order. The only file that knows several adapters, and the only
 * one through which anything reaches the core.
 */
import type { Effect, Input } from './core/effects.ts';
import { Group } from './core/group.ts';
import type { Action, Message, NodeReport } from './core/messages.ts';
import type { NodeStatus } from './core/status.ts';
import { type Key, type Member, toAddress, type Value } from './core/types.ts';
import { ZiStoreError } from './errors.ts';
import type { CallOptions, Node, NodeEvents, NodeOptions, NodeParts, OpenNode } from './node.ts';
import { PendingCalls, type Success, toError } from './node-calls.ts';
import { NodeListeners } from './node-listeners.ts';
import type { ChannelId, Direction, TransportHandler, ZooKeeperClient, ZooKeeperHandler } from './ports.ts';

/** Refusals that are remembered, so that each is logged once. */
const MAX_REFUSALS_SAID = 1000;

const same = <T>(it: T): T => it;
const pickValue = <T>(result: Success, read: (value: Value | undefined) => T): T => read(result.value);
const pickExisted = <T>(result: Success, read: (existed: boolean) => T): T => read(result.existed === true);
const pickReports = (result: Success): NodeReport[] => [...(result.reports ?? [])];

class Driver implements Node {
  private readonly parts: NodeParts;
  private readonly options: NodeOptions;
  private readonly listeners: NodeListeners;
  private readonly calls: PendingCalls;
  private group: Group | undefined;
  private client: ZooKeeperClient | undefined;
  private session = 0;
  private lastZxid = 0n;
  private readonly queue: Input[] = [];
  private running = false;
  private wakeAt = Number.POSITIVE_INFINITY;
  private cancelWake: (() => void) | undefined;
  private cancelConnectTimer: (() => void) | undefined;
  private cancelJoinTimer: (() => void) | undefined;
  /** As negotiated for the newest session. Milliseconds. */
  private sessionTimeoutMs = 0;
  private closing: Promise<void> | undefined;
  private readonly refusals = new Set<string>();
  private readonly clientClosing: Promise<void>[] = [];
  private left: () => void = () => {};
  private opened: { resolve: () => void; reject: (error: ZiStoreError) => void } | undefined;

  constructor(options: NodeOptions, parts: NodeParts) {
    this.options = options;
    this.parts = parts;
    this.listeners = new NodeListeners(parts.logger);
    this.calls = new PendingCalls(parts.clock, (input) => this.run(input));
  }

  async open(signal: AbortSignal | undefined): Promise<void> {
    const { advertise, agreement, cluster } = this.options;
    const bound = await this.parts.transport.listen(this.transportHandler());
    const { host } = advertise;
    const port = advertise.port === 0 ? bound.port : advertise.port;
    const address = toAddress(`${host}:${port}`);
    this.group = new Group({
      ...this.options,
      nodeId: this.parts.random.guid(),
      address,
      cluster,
      agreement,
      guid: () => this.parts.random.guid(),
    });
    const onAbort = (): void => {
      this.opened?.reject(new ZiStoreError('ZISTORE_ABORTED', 'Opening was aborted.', { cause: signal?.reason }));
    };
    await new Promise<void>((resolve, reject) => {
      this.opened = { resolve, reject };
      if (signal?.aborted) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.startConnectTimer();
      this.watchJoining(this.options.connectTimeoutMs);
      this.run({ type: 'start' });
    }).finally(() => {
      this.opened = undefined;
      signal?.removeEventListener('abort', onAbort);
      this.cancelConnectTimer?.();
      this.cancelJoinTimer?.();
    });
  }

  get(key: Key, options?: CallOptions): Promise<Value | undefined>;
  get<T>(key: Key, options: CallOptions, read: (value: Value | undefined) => T): Promise<T>;
  get(key: Key, options: CallOptions = {}, read: (value: Value | undefined) => unknown = same): Promise<unknown> {
    return this.calls.start({ type: 'get', call: this.calls.number(), key }, options, pickValue, read);
  }

  recall(key: Key): Value | undefined {
    const { group } = this;
    // The clock is read at every answer from memory: a timer may be late by as long as this process was stopped.
    return group?.mayAnswer(this.parts.clock.now()) ? group.lookup(key)?.value : undefined;
  }

  write(key: Key, action: Action, options?: CallOptions): Promise<boolean>;
  write<T>(key: Key, action: Action, options: CallOptions, read: (existed: boolean) => T): Promise<T>;
  write(
    key: Key,
    action: Action,
    options: CallOptions = {},
    read: (existed: boolean) => unknown = same,
  ): Promise<unknown> {
    return this.calls.start({ type: 'write', call: this.calls.number(), key, action }, options, pickExisted, read);
  }

  peek(key: Key): Value | undefined {
    if (this.closing !== undefined || this.group === undefined)
      throw new ZiStoreError('ZISTORE_CLOSED', 'This store is closed.');
    if (!this.group.mayAnswer(this.parts.clock.now())) {
      const message = 'This node cannot prove that its ZooKeeper session lives; it answers again once it can.';
      throw new ZiStoreError('ZISTORE_SESSION_LOST', message);
    }
    return this.group.lookup(key)?.value;
  }

  status(): NodeStatus {
    return this.assertGroup().status(this.parts.clock.now());
  }

  inspect(options: CallOptions = {}): Promise<NodeReport[]> {
    return this.calls.start({ type: 'inspect', call: this.calls.number() }, options, pickReports, undefined);
  }

  on<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void {
    this.listeners.on(event, listener);
  }

  off<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void {
    this.listeners.off(event, listener);
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  private async leave(): Promise<void> {
    this.opened?.reject(new ZiStoreError('ZISTORE_CLOSED', 'Closed while opening.'));
    if (this.group !== undefined) {
      await new Promise<void>((resolve) => {
        this.left = resolve;
        this.run({ type: 'close' });
      });
    }
    this.cancelWake?.();
    await Promise.all([...this.clientClosing, this.parts.transport.close()]);
  }

  // ---------------------------------------------------------------------------------------------- inputs and effects

  /** One input at a time: what comes while effects are carried out waits until they are. */
  private run(input: Input): void {
    if (this.running) {
      this.queue.push(input);
      return;
    }
    this.running = true;
    try {
      for (let next: Input | undefined = input; next !== undefined; next = this.queue.shift()) {
        const effects = this.assertGroup().step(next, this.parts.clock.now());
        for (const effect of effects) this.carryOut(effect);
      }
    } finally {
      this.running = false;
    }
    this.armWake();
  }

  private carryOut(effect: Effect): void {
    const { transport, logger } = this.parts;
    switch (effect.type) {
      case 'send':
        transport.send(effect.channel, effect.message);
        return;
      case 'settle':
        this.calls.settle(effect.call, effect.result);
        return;
      case 'dial':
        transport.dial(effect.peer);
        return;
      case 'hangup':
        transport.hangup(effect.peer);
        return;
      case 'drop':
        transport.drop(effect.channel, effect.reason);
        return;
      case 'identify':
        transport.identify(effect.self);
        return;
      case 'openSession':
        this.openSession(effect.session);
        return;
      case 'closeSession':
        this.closeSession();
        return;
      case 'zk':
        if (effect.session === this.session) this.client?.submit(effect.request, effect.operation);
        return;
      case 'log':
        logger[effect.level](effect.message, effect.fields);
        return;
      case 'fatal':
        logger.error('this node cannot join', { code: effect.failure.code, reason: effect.failure.message });
        this.opened?.reject(toError(effect.failure));
        return;
      case 'closed':
        this.left();
        return;
      default:
        this.tell(effect);
    }
  }

  private tell(effect: Effect & { type: 'role' | 'leader' | 'session' }): void {
    if (effect.type === 'role') {
      const { role, previous } = effect;
      if (role === 'leader' || role === 'follower') this.opened?.resolve();
      this.parts.logger[role === 'suspended' || role === 'lost' ? 'warn' : 'info']('role', { role, previous });
      this.listeners.emit('role', role, previous);
    } else if (effect.type === 'leader') {
      const { leader } = effect;
      this.parts.logger.info('leader', { address: leader?.address ?? null, epoch: String(leader?.epoch ?? 0) });
      this.listeners.emit('leader', leader === null ? null : { address: leader.address, epoch: String(leader.epoch) });
    } else this.listeners.emit(effect.event);
  }

  private armWake(): void {
    const { clock } = this.parts;
    const due = this.assertGroup().wakeAt;
    // A timer that is too early costs one look; setting one anew at each step would cost more.
    if (due >= this.wakeAt) return;
    this.cancelWake?.();
    this.wakeAt = due;
    this.cancelWake = clock.setTimer(Math.max(0, due - clock.now()), () => {
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.cancelWake = undefined;
      this.run({ type: 'wake' });
    });
  }

  private assertGroup(): Group {
    if (this.group === undefined) throw new ZiStoreError('ZISTORE_CLOSED', 'This store is not open.');
    return this.group;
  }

  // ------------------------------------------------------------------------------------------------------- adapters

  private transportHandler(): TransportHandler {
    const heard = (input: Input): void => {
      if (this.group !== undefined) this.run(input);
    };
    return {
      up: (channel: ChannelId, peer: Member, direction: Direction) => heard({ type: 'up', channel, peer, direction }),
      down: (channel: ChannelId) => heard({ type: 'down', channel }),
      message: (channel: ChannelId, message: Message) => heard({ type: 'message', channel, message }),
      refused: (peer, code, message) => {
        // Dialling goes on, and so would the same words.
        const said = `${peer.address} ${code}`;
        if (this.refusals.has(said)) return;
        if (this.refusals.size < MAX_REFUSALS_SAID) this.refusals.add(said);
        this.parts.logger.warn('a member refuses this node, or is refused', {
          peer: peer.address,
          code,
          reason: message,
        });
      },
    };
  }

  private openSession(session: number): void {
    this.session = session;
    const handler: ZooKeeperHandler = {
      connected: (info) => {
        this.cancelConnectTimer?.();
        this.sessionTimeoutMs = info.timeoutMs;
        this.run({ type: 'zkConnected', session, info });
      },
      disconnected: () => {
        if (this.opened !== undefined) this.startConnectTimer();
        this.run({ type: 'zkDisconnected', session });
      },
      ended: (reason) => this.run({ type: 'zkEnded', session, reason }),
      reply: (request, reply) => this.run({ type: 'zkReply', session, request, reply }),
      watch: (path, kind) => this.run({ type: 'zkWatch', session, path, kind }),
    };
    this.client = this.parts.openZooKeeper(handler, { lastZxid: this.lastZxid });
  }

  private closeSession(): void {
    const { client } = this;
    if (client === undefined) return;
    this.client = undefined;
    // A new session starts from here, or it might attach to a server that lags behind what this node has seen.
    if (client.lastZxid > this.lastZxid) this.lastZxid = client.lastZxid;
    const closing = client.close().catch((error: unknown) => {
      this.parts.logger.warn('closing a ZooKeeper session failed', { reason: String(error) });
    });
    this.clientClosing.push(closing);
    void closing.then(() => this.clientClosing.splice(this.clientClosing.indexOf(closing), 1));
  }

  /** ZooKeeper is there, but what joining waits for may never come. `waitedMs`: since opening began, when it is looked at. */
  private watchJoining(waitedMs: number, waitMs = waitedMs): void {
    const { clock } = this.parts;
    this.cancelJoinTimer = clock.setTimer(waitMs, () => {
      const { waitingFor } = this.assertGroup();
      const { cluster, connectTimeoutMs } = this.options;
      // An earlier life of this address goes when its session does; sessions of nodes alike last about as long as ours.
      const patienceMs = waitingFor === 'address' ? Math.max(connectTimeoutMs, 2 * this.sessionTimeoutMs) : waitedMs;
      if (waitingFor === undefined) this.watchJoining(waitedMs + connectTimeoutMs, connectTimeoutMs);
      else if (waitedMs < patienceMs) this.watchJoining(patienceMs, patienceMs - waitedMs);
      else if (waitingFor === 'cluster') {
        const message = `There is no cluster '${cluster}': no candidate of that name has ever started. Check the name.`;
        this.opened?.reject(new ZiStoreError('ZISTORE_TIMEOUT', message));
      } else {
        const message = `advertise: a live member of cluster '${cluster}' has this address; each node needs one of its own.`;
        this.opened?.reject(new ZiStoreError('ZISTORE_INVALID_ARGUMENT', message));
      }
    });
  }

  private startConnectTimer(): void {
    const { clock } = this.parts;
    this.cancelConnectTimer?.();
    this.cancelConnectTimer = clock.setTimer(this.options.connectTimeoutMs, () => {
      const message = `ZooKeeper was not reached within ${this.options.connectTimeoutMs} ms; check the connect string and that the ensemble is up.`;
      this.opened?.reject(new ZiStoreError('ZISTORE_COORDINATION_UNAVAILABLE', message));
    });
  }
}

export const openNode: OpenNode = async (options, parts, call = {}) => {
  const driver = new Driver(options, parts);
  try {
    await driver.open(call.signal);
    return driver;
  } catch (error) {
    await driver.close();
    throw error;
  }
};
