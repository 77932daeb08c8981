/** A node without a cluster: a map that answers at once, and can be made to wait or fail. For tests of what stands on it. */
import type { Action } from '../../src/core/messages.ts';
import type { NodeStatus } from '../../src/core/status.ts';
import type { Key, Value } from '../../src/core/types.ts';
import type { CallOptions, Node, NodeEvents, NodeOptions, NodeParts } from '../../src/node.ts';
import type { Transport } from '../../src/ports.ts';

export interface Call {
  readonly operation: 'get' | 'write';
  readonly key: Key;
  readonly options: CallOptions;
}

const same = <T>(it: T): T => it;

export class FakeNode implements Node {
  readonly data = new Map<Key, Value>();
  readonly calls: Call[] = [];
  closes = 0;
  /** Runs before each operation; what it throws, the operation fails with. */
  before: (call: Call) => Promise<void> | void = () => {};
  options: NodeOptions | undefined;
  parts: NodeParts | undefined;
  private readonly listeners = new Map<string, ((...args: never[]) => void)[]>();

  async get<T = Value | undefined>(key: Key, options: CallOptions = {}, read = same<T>): Promise<T> {
    await this.enter({ operation: 'get', key, options });
    return read(this.data.get(key) as T);
  }

  /** Nothing is answered from memory: every read is a call. */
  recall(): undefined {}

  async write<T = boolean>(key: Key, action: Action, options: CallOptions = {}, read = same<T>): Promise<T> {
    await this.enter({ operation: 'write', key, options });
    const existed = this.data.has(key);
    if (action.kind === 'set') this.data.set(key, action.value);
    else this.data.delete(key);
    return read(existed as T);
  }

  peek(key: Key): Value | undefined {
    return this.data.get(key);
  }

  status(): NodeStatus {
    return { role: this.closes > 0 ? 'closed' : 'leader' } as NodeStatus;
  }

  async inspect(): Promise<[]> {
    return [];
  }

  on<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener as (...args: never[]) => void]);
  }

  off(): void {}

  emit<E extends keyof NodeEvents>(event: E, ...args: NodeEvents[E]): void {
    for (const listener of this.listeners.get(event) ?? []) listener(...(args as never[]));
  }

  async close(): Promise<void> {
    this.closes++;
    this.emit('role', 'closed', 'leader');
  }

  private async enter(call: Call): Promise<void> {
    this.calls.push(call);
    await this.before(call);
  }
}

/** A transport that connects nobody and counts how often it was closed. */
export class FakeTransport implements Transport {
  closes = 0;
  async listen(): Promise<{ host: string; port: number }> {
    return { host: '127.0.0.1', port: 1 };
  }
  identify(): void {}
  dial(): void {}
  hangup(): void {}
  send(): void {}
  drop(): void {}
  async close(): Promise<void> {
    this.closes++;
  }
}
