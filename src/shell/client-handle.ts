/** One client as the shell drives it: its process, its proxies, and what was last known of it. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ZiStoreError } from '../errors.ts';
import { Child, type Launch } from './child.ts';
import type { ClientOptions, ClientProtocol, ClientStatus } from './client-protocol.ts';
import type { FreezingProxy } from './proxy.ts';
import type { ClientRow } from './results.ts';
import { guardStopped } from './resume-guard.ts';

export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** How long a client may take to answer for a row before what was last known is shown. Milliseconds. */
const ROW_TIMEOUT_MS = 1000;
/** The client's own time limit runs first; the shell's is for a client that is stopped or hangs. Milliseconds. */
const GRACE_MS = 1000;
/** Opening has a bound of its own in the store (its connect timeout); this one is for a process that hangs. */
const OPEN_TIMEOUT_MS = 60_000;

const NOTHING_KNOWN: ClientStatus = {
  address: '-',
  role: 'joining',
  epoch: '0',
  live: false,
  entries: 0,
  members: [],
  rmi: 'up',
};

export class ClientHandle {
  readonly id: number;
  readonly #child: Child<ClientProtocol>;
  readonly #proxies: readonly FreezingProxy[];
  #known: ClientStatus = NOTHING_KNOWN;
  #calledOff: (() => void) | undefined;

  constructor(id: number, launch: Launch, proxies: readonly FreezingProxy[]) {
    this.id = id;
    this.#proxies = proxies;
    this.#child = new Child(`client ${id}`, launch);
    void this.#child.exited.then(() => this.#onExit());
  }

  get ended(): boolean {
    return this.#child.ended;
  }

  get exited(): Promise<void> {
    return this.#child.exited;
  }

  get paused(): boolean {
    return this.#calledOff !== undefined;
  }

  get lastWords(): string {
    return this.#child.lastWords;
  }

  /** What it said last. */
  get known(): ClientStatus {
    return this.#known;
  }

  async open(options: ClientOptions, signal?: AbortSignal): Promise<void> {
    this.#known = await this.#child.ask('open', options, { timeoutMs: OPEN_TIMEOUT_MS, signal });
  }

  async get(key: string, limits: CallLimits): Promise<string | null> {
    const { timeoutMs } = limits;
    return await this.#child.ask('get', { key, timeoutMs }, { ...limits, timeoutMs: timeoutMs + GRACE_MS });
  }

  async put(key: string, value: string, limits: CallLimits): Promise<void> {
    const { timeoutMs } = limits;
    const options = { ...limits, timeoutMs: timeoutMs + GRACE_MS, write: true };
    await this.#child.ask('put', { key, value, timeoutMs }, options);
  }

  async delete(key: string, limits: CallLimits): Promise<boolean> {
    const { timeoutMs } = limits;
    return await this.#child.ask(
      'delete',
      { key, timeoutMs },
      { ...limits, timeoutMs: timeoutMs + GRACE_MS, write: true },
    );
  }

  zookeeper(position: 'up' | 'down'): void {
    for (const proxy of this.#proxies) {
      if (position === 'up') proxy.thaw();
      else proxy.freeze();
    }
  }

  async rmi(position: 'up' | 'down', limits: CallLimits): Promise<void> {
    this.#known = await this.#child.ask('rmi', position, limits);
  }

  async pause(): Promise<void> {
    if (this.paused || this.ended) return;
    await this.row(); // what will be known of it while it stands still
    if (this.paused || this.ended) return;
    this.#calledOff = guardStopped(this.#child.pid);
    this.#child.signal('SIGSTOP');
    await this.#stopped();
  }

  resume(): void {
    this.#calledOff?.();
    this.#calledOff = undefined;
    this.#child.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#child.kill();
  }

  /** Its row, asked for where it can answer; never waits for long. */
  async row(): Promise<ClientRow> {
    if (this.ended || this.paused) return this.#toRow(!this.ended);
    try {
      this.#known = await this.#child.ask('status', null, { timeoutMs: ROW_TIMEOUT_MS });
      return this.#toRow(false);
    } catch {
      return this.#toRow(!this.ended);
    }
  }

  /** Leaves cleanly within `boundMs`, else it is killed. */
  async close(boundMs: number): Promise<void> {
    if (this.ended) return;
    this.resume();
    try {
      await this.#child.ask('close', null, { timeoutMs: boundMs });
      await Promise.race([this.exited, delay(ROW_TIMEOUT_MS, undefined, { ref: false })]);
    } catch {
      // It ended meanwhile, or hangs: killing it does no harm in either case.
    }
    await this.kill();
  }

  #toRow(stale: boolean): ClientRow {
    const { address, role, epoch, live, entries, rmi } = this.#known;
    const zookeeper = this.#proxies.some((proxy) => proxy.frozen) ? 'down' : 'up';
    const row: ClientRow = { id: this.id, address, role, epoch, zookeeper, rmi, live, entries, pid: this.#child.pid };
    if (this.ended) return { ...row, role: 'closed', live: false, entries: 0 };
    return { ...row, ...(this.paused ? { paused: true } : {}), ...(stale ? { stale: true } : {}) };
  }

  #onExit(): void {
    this.#calledOff?.();
    this.#calledOff = undefined;
    for (const proxy of this.#proxies) void proxy.close();
  }

  /** The signal is delivered a moment after it was sent; where the system tells, wait for it. */
  async #stopped(): Promise<void> {
    if (process.platform !== 'linux') return;
    for (let tries = 0; tries < 100 && !this.ended; tries++) {
      try {
        const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
        if (/\) [Tt] /.test(stat)) return;
      } catch {
        return;
      }
      await delay(2);
    }
  }
}

/** The error of an operation at a client that has ended. */
export function clientEnded(id: number): ZiStoreError {
  return new ZiStoreError('ZISTORE_INVALID_ARGUMENT', `client ${id} has been closed; use another one, or new-client`);
}
