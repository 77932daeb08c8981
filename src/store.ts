/** The library's face: keys and values as users have them, arguments checked, errors complete. */
import { agreementOf } from './agreement.ts';
import { checkCallOptions, checkEntry, checkIterable, checkSignal, NO_OPTIONS } from './arguments.ts';
import { type BatchLimits, runBatch } from './batch.ts';
import { checkObject } from './check.ts';
import { type Composition, compose, type StoreParts } from './compose.ts';
import { readOptions, type Settings } from './config.ts';
import type { Action, NodeReport } from './core/messages.ts';
import type { NodeStatus } from './core/status.ts';
import type { Key, Value } from './core/types.ts';
import { withOutcome, ZiStoreError } from './errors.ts';
import { isText, toKey, type ZiStoreKey } from './keys.ts';
import { Listeners } from './listeners.ts';
import type { CallOptions, Node, NodeEvents, NodeParts } from './node.ts';
import type { ZiStoreOptions } from './options.ts';
import { createValueCodec, type ValueCodec } from './values.ts';

export interface OpenOptions {
  /** Ends opening with ZISTORE_ABORTED; whatever was opened is closed again. */
  readonly signal?: AbortSignal;
}

const EVENTS: readonly (keyof NodeEvents)[] = ['role', 'leader', 'suspended', 'lost', 'rejoined'];

const DELETE: Action = { kind: 'delete' };
const nothing = (): void => {};
const isThere = (value: Value | undefined): boolean => value !== undefined;

/** Whatever is wrong with the arguments of a write, nothing was written. */
const notApplied = (error: unknown): unknown =>
  error instanceof ZiStoreError ? withOutcome(error, 'notApplied') : error;

/** The private constructor, for openStore alone. */
let construct: (node: Node, parts: NodeParts, settings: Settings) => ZiStore<never, never>;

/**
 * One node of a cluster, and the way to its data. `V` is what is read, `In` what is written, as `valueEncoding` has it.
 *
 * Every asynchronous method rejects with a ZiStoreError and never throws: ZISTORE_INVALID_ARGUMENT for wrong
 * arguments, ZISTORE_SESSION_LOST without a live ZooKeeper session, ZISTORE_TIMEOUT and ZISTORE_ABORTED as the call's
 * options ask for, ZISTORE_LIMIT_EXCEEDED, ZISTORE_CLOSED after close. Every error of a write says in `outcome`
 * whether it may have happened (Z08). Without a timeout or signal, reads and writes wait for a leader as long as this
 * node's session lives (Z20 Z21 Z25 Z28).
 */
export class ZiStore<V = string, In = V> {
  readonly #node: Node;
  readonly #transport: NodeParts['transport'];
  readonly #codec: ValueCodec;
  readonly #decode: (value: Value | undefined) => V | undefined;
  readonly #maxKeyBytes: number;
  readonly #batch: BatchLimits;
  readonly #listeners: Listeners<NodeEvents>;
  #closing: Promise<void> | undefined;

  private constructor(node: Node, parts: NodeParts, settings: Settings) {
    if (parts === undefined) throw new ZiStoreError('ZISTORE_INVALID_ARGUMENT', 'Use ZiStore.open().');
    this.#node = node;
    this.#transport = parts.transport;
    this.#codec = createValueCodec(settings.valueEncoding, settings.maxValueBytes);
    this.#decode = (value) => (value === undefined ? undefined : (this.#codec.decode(value) as V));
    this.#maxKeyBytes = settings.maxKeyBytes;
    this.#batch = { clock: parts.clock, maxPending: settings.node.maxPending };
    this.#listeners = new Listeners<NodeEvents>(EVENTS, parts.logger);
    this.#forward('role');
    this.#forward('leader');
    this.#forward('suspended');
    this.#forward('lost');
    this.#forward('rejoined');
  }

  static {
    construct = (node, parts, settings) => new ZiStore(node, parts, settings);
  }

  /**
   * Starts a node and joins the cluster. Resolves when the node may answer; otherwise everything is closed again.
   * @throws ZISTORE_INVALID_ARGUMENT (says which option and why), ZISTORE_COORDINATION_UNAVAILABLE when ZooKeeper is
   * not reached within `connectTimeoutMs`, ZISTORE_INCOMPATIBLE, ZISTORE_UNAUTHORIZED, ZISTORE_ABORTED.
   */
  static open<J = unknown>(
    options: ZiStoreOptions & { readonly valueEncoding: 'json' },
    call?: OpenOptions,
  ): Promise<ZiStore<J>>;
  static open(
    options: ZiStoreOptions & { readonly valueEncoding: 'buffer' },
    call?: OpenOptions,
  ): Promise<ZiStore<Buffer, Uint8Array>>;
  static open(
    options: ZiStoreOptions & { readonly valueEncoding?: 'utf8' },
    call?: OpenOptions,
  ): Promise<ZiStore<string>>;
  static open(options: ZiStoreOptions, call?: OpenOptions): Promise<ZiStore<unknown>>;
  static open(options: ZiStoreOptions, call?: OpenOptions): Promise<unknown> {
    return openStore(options, {}, call);
  }

  /** The value, or undefined if the key has none. A cached value is answered from memory alone (Z17). */
  get(key: ZiStoreKey, options?: CallOptions): Promise<V | undefined> {
    // Not an async function: what is in memory takes one promise, what is not takes the node's.
    try {
      this.#assertOpen();
      if (options !== undefined || !isText(key)) return this.#read(key, options, this.#decode);
      const known = this.#node.recall(key);
      if (known !== undefined) return Promise.resolve(this.#codec.decode(known) as V);
      return this.#node.get(toKey(key, this.#maxKeyBytes), NO_OPTIONS, this.#decode);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async has(key: ZiStoreKey, options?: CallOptions): Promise<boolean> {
    this.#assertOpen();
    return this.#read(key, options, isThere);
  }

  /** Resolves once no node can read the value before it any more (Z22). */
  set(key: ZiStoreKey, value: In, options?: CallOptions): Promise<void> {
    try {
      this.#assertOpen();
      const canonical = toKey(key, this.#maxKeyBytes);
      const action = { kind: 'set', value: this.#codec.encode(value) } as const;
      return this.#node.write(canonical, action, checkCallOptions(options), nothing);
    } catch (error) {
      return Promise.reject(notApplied(error));
    }
  }

  /** Resolves to whether the key had a value. */
  delete(key: ZiStoreKey, options?: CallOptions): Promise<boolean> {
    try {
      this.#assertOpen();
      return this.#node.write(toKey(key, this.#maxKeyBytes), DELETE, checkCallOptions(options));
    } catch (error) {
      return Promise.reject(notApplied(error));
    }
  }

  /**
   * Reads many keys at once, each on its own: not a snapshot. The map has every key as it was given, in that order;
   * undefined for those without a value. `timeoutMs` is for all of them together.
   * @throws ZiStoreBatchError if a key failed: `errors` by key, and in `results` what was read.
   */
  async getMany<K extends ZiStoreKey>(keys: Iterable<K>, options?: CallOptions): Promise<Map<K, V | undefined>> {
    this.#assertOpen();
    const call = checkCallOptions(options);
    const distinct = new Set(checkIterable('keys', keys) as K[]);
    const items = Array.from(distinct, (key) => ({ key }));
    return runBatch(items, ({ key }, remaining) => this.get(key, remaining), call, this.#batch);
  }

  /**
   * Writes many keys at once, each on its own: not atomic, in no order. Of several entries for one key the last
   * counts. `timeoutMs` is for all of them together.
   * @throws ZiStoreBatchError if a key failed: `errors` by key, each with its `outcome`, and in `results` what was written.
   */
  async setMany<K extends ZiStoreKey>(entries: Iterable<readonly [K, In]>, options?: CallOptions): Promise<void> {
    const { items, call } = this.#argument(() => {
      this.#assertOpen();
      return { items: this.#lastOfEach<K>(entries), call: checkCallOptions(options) };
    });
    const write = async ({ key, value }: { key: K; value: In }, remaining: CallOptions): Promise<true> => {
      await this.set(key, value, remaining);
      return true;
    };
    await runBatch(items, write, call, this.#batch);
  }

  /**
   * The cached value, at once and without asking anyone; undefined if this node has no copy (the key may have a value).
   * Throws what other methods reject with.
   */
  peek(key: ZiStoreKey): V | undefined {
    this.#assertOpen();
    const known = isText(key) ? this.#node.recall(key) : undefined;
    if (known !== undefined) return this.#codec.decode(known) as V;
    const value = this.#node.peek(toKey(key, this.#maxKeyBytes));
    return value === undefined ? undefined : (this.#codec.decode(value) as V);
  }

  /** What this node knows of itself and its cluster right now. Works in every state, also after close. */
  status(): NodeStatus {
    return this.#node.status();
  }

  /** Asks every other member of the cluster for its state; one that does not answer in time is `live: false`, role `unknown`. */
  async inspect(options?: CallOptions): Promise<NodeReport[]> {
    this.#assertOpen();
    return this.#node.inspect(checkCallOptions(options));
  }

  /** What a listener throws is logged and harms neither the node nor other listeners. */
  on<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => unknown): this {
    this.#listeners.add(event, listener, false);
    return this;
  }

  /** As `on`, for the next event of its kind only. */
  once<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => unknown): this {
    this.#listeners.add(event, listener, true);
    return this;
  }

  off<E extends keyof NodeEvents>(event: E, listener: (...args: NodeEvents[E]) => unknown): this {
    this.#listeners.remove(event, listener);
    return this;
  }

  /**
   * Leaves the cluster cleanly: a leader hands its data over first, within `closeTimeoutMs`. Every call returns the
   * same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#node.close();
    } finally {
      await this.#transport.close();
      this.#listeners.clear();
    }
  }

  #read<T>(key: ZiStoreKey, options: CallOptions | undefined, as: (value: Value | undefined) => T): Promise<T> {
    const canonical = toKey(key, this.#maxKeyBytes);
    const call = checkCallOptions(options);
    const known = call.signal?.aborted === true ? undefined : this.#node.recall(canonical);
    return known === undefined ? this.#node.get(canonical, call, as) : Promise.resolve(as(known));
  }

  /** Whatever is wrong with the arguments of a write, nothing was written. */
  #argument<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      throw notApplied(error);
    }
  }

  /** Of entries for the same key, however written, the last; keys that are none are left for `set` to refuse. */
  #lastOfEach<K extends ZiStoreKey>(entries: Iterable<readonly [K, In]>): { key: K; value: In }[] {
    const last = new Map<Key | unknown, { key: K; value: In }>();
    for (const entry of checkIterable('entries', entries)) {
      const [key, value] = checkEntry(entry) as [K, In];
      const same = this.#keyIfValid(key) ?? { none: key };
      last.set(same, { key, value });
    }
    return [...last.values()];
  }

  #keyIfValid(key: ZiStoreKey): Key | undefined {
    try {
      return toKey(key, this.#maxKeyBytes);
    } catch {
      return undefined;
    }
  }

  #forward<E extends keyof NodeEvents>(event: E): void {
    this.#node.on(event, (...args) => this.#listeners.emit(event, args));
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new ZiStoreError('ZISTORE_CLOSED', 'this store was closed; open another one');
    }
  }
}

/**
 * As ZiStore.open, with parts of the caller's choice instead of the real ones; for tests and for the shell's clients.
 * The caller says what `V` and `In` are for its `valueEncoding`.
 */
export async function openStore<V = string, In = V>(
  options: ZiStoreOptions,
  given: StoreParts = {},
  call: OpenOptions = {},
): Promise<ZiStore<V, In>> {
  const settings = readOptions(options);
  const { signal } = checkOpenOptions(call);
  const agreement = await agreementOf(settings);
  if (signal?.aborted) throw new ZiStoreError('ZISTORE_ABORTED', 'opening was aborted', { cause: signal.reason });
  const { parts, openNode }: Composition = compose(settings, given);
  try {
    const node = await openNode({ ...settings.node, agreement }, parts, signal === undefined ? {} : { signal });
    return construct(node, parts, settings) as ZiStore<unknown, unknown> as ZiStore<V, In>;
  } catch (error) {
    // The driver closes what it has opened; the transport was made here.
    await parts.transport.close();
    throw error;
  }
}

function checkOpenOptions(call: OpenOptions): OpenOptions {
  checkSignal(checkObject('options', call, ['signal']).signal);
  return call;
}
