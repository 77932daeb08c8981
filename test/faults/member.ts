/** The parent's side of a worker: commands out, answers and events in, everything that it tells into the timeline. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { WriteOutcome } from '../../src/errors.ts';
import { GuardedProcess } from '../support/guarded-process.ts';
import { bundleWorker } from './bundle.ts';
import { monotonicNs, uptimeOffsetNs } from './clock.ts';
import type { Timeline } from './timeline.ts';
import type {
  Answer,
  ClockKind,
  Closed,
  Command,
  LoadShape,
  WorkerEvent,
  WorkerOptions,
  WorkerStatus,
} from './wire.ts';

/** Something that runs a worker: a process, or a container that is attached to. */
export interface WorkerStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when it has ended, in whatever way. */
  readonly ended: Promise<unknown>;
}

export interface StartOptions {
  /** `uptime` where the worker's own clocks are skewed. Default `monotonic`. */
  readonly clock?: ClockKind;
  /** As `uptimeOffsetNs` has measured it. Default: it is measured now, which blocks for 50 ms. */
  readonly clockOffsetNs?: number;
  /** What the worker says on events, beside what goes to the timeline. */
  readonly onEvent?: (event: WorkerEvent) => void;
}

/** An operation or a start that failed at the worker, with ZiStore's code. */
export class WorkerError extends Error {
  readonly code: string;
  readonly outcome: WriteOutcome | undefined;

  constructor(code: string, message: string, outcome?: WriteOutcome) {
    super(`${message} (${code})`);
    this.name = 'WorkerError';
    this.code = code;
    this.outcome = outcome;
  }
}

/** `code` of what was under way when the worker ended. */
export const WORKER_ENDED = 'WORKER_ENDED';

/** Longer than any operation of a load, or of a test, may last. */
const QUIET_LIMIT_MS = 45_000;
const ANSWER_LIMIT_MS = 5000;

type Waiting = (answer: Answer) => void;

export class Member {
  /** Who it is in the history. */
  readonly client: number;
  readonly timeline: Timeline;
  /** Under which peers reach it; undefined before it is ready. */
  address: string | undefined;
  /** As it last said. */
  role = 'joining';
  epoch = '0';
  /** Resolves when the worker has ended and all that it told is in the timeline. */
  readonly ended: Promise<void>;
  readonly #stdin: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #ready: { resolve: (address: string) => void; reject: (error: WorkerError) => void } | undefined;
  #onEvent: (event: WorkerEvent) => void = () => {};
  #lastId = 0;
  #started = false;
  /** A line that could not be understood, the last one so far. */
  #isGarbled = false;
  #isOver = false;

  /** `client`: of `timeline.newClient()`, where its number has to be known before. */
  constructor(streams: WorkerStreams, timeline: Timeline, client = timeline.newClient()) {
    this.client = client;
    this.timeline = timeline;
    this.#stdin = streams.stdin;
    // Of a worker that has just ended.
    this.#stdin.on('error', () => {});
    const lines = createInterface({ input: streams.stdout });
    lines.on('line', (line) => this.#line(line));
    this.ended = Promise.all([once(lines, 'close'), streams.ended.catch(() => {})]).then(() => this.#over());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens the node; resolves to its address. Once only. */
  start(options: WorkerOptions, { clock = 'monotonic', clockOffsetNs, onEvent }: StartOptions = {}): Promise<string> {
    if (onEvent !== undefined) this.#onEvent = onEvent;
    const offset = clockOffsetNs ?? (clock === 'uptime' ? uptimeOffsetNs() : 0);
    this.timeline.started(this.client, monotonicNs(), clock);
    this.#started = true;
    return new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
      if (this.#isOver) reject(new WorkerError(WORKER_ENDED, 'the worker has ended'));
      else this.#send({ do: 'start', client: this.client, options, clock, clockOffsetNs: offset });
    });
  }

  /** Starts or changes the steady load. */
  load(shape: LoadShape): void {
    this.timeline.loading(this.client, monotonicNs());
    this.#send({ do: 'load', ...shape });
  }

  /**
   * Ends the load; resolves when every operation has ended. Each has a timeout, so past the limit (milliseconds, longer
   * than any of those) it rejects and names those that have not.
   */
  async quiet(limitMs = QUIET_LIMIT_MS): Promise<void> {
    this.timeline.quieted(this.client, monotonicNs());
    const quiet = this.#ask((id) => ({ do: 'quiet', id }));
    if (await within(limitMs, quiet)) return;
    const status = this.status();
    const names = (await within(ANSWER_LIMIT_MS, status))
      ? (await status).underWay.join(', ')
      : 'its process is silent';
    throw new Error(`client ${this.client} has operations that do not end within ${limitMs} ms: ${names}`);
  }

  /** Null: the key is absent. */
  async get(k: string, timeoutMs?: number): Promise<string | null> {
    return (await this.#ask((id) => ({ do: 'get', id, k, ...bound(timeoutMs) }))) as string | null;
  }

  /** `v` must be written to this key only once in the whole run. */
  async put(k: string, v: string, timeoutMs?: number): Promise<void> {
    await this.#ask((id) => ({ do: 'put', id, k, v, ...bound(timeoutMs) }));
  }

  async del(k: string, timeoutMs?: number): Promise<boolean> {
    return (await this.#ask((id) => ({ do: 'del', id, k, ...bound(timeoutMs) }))) as boolean;
  }

  async status(): Promise<WorkerStatus> {
    return (await this.#ask((id) => ({ do: 'status', id }))) as WorkerStatus;
  }

  /** Leaves the cluster cleanly; resolves when the worker has ended. */
  async close(): Promise<Closed> {
    this.timeline.left(this.client, monotonicNs());
    this.timeline.quieted(this.client, monotonicNs());
    const closed = (await this.#ask((id) => ({ do: 'close', id }))) as Closed;
    this.timeline.closed(this.client, closed);
    await this.ended;
    return closed;
  }

  #ask(command: (id: number) => Command): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#isOver) {
        reject(new WorkerError(WORKER_ENDED, 'the worker has ended'));
        return;
      }
      this.#waiting.set(id, (answer) => {
        if (answer.ok) resolve(answer.r);
        else reject(new WorkerError(answer.code, answer.message, answer.outcome));
      });
      this.#send(command(id));
    });
  }

  #send(command: Command): void {
    this.#stdin.write(`${JSON.stringify(command)}\n`);
  }

  #line(line: string): void {
    // Not the last one after all.
    if (this.#isGarbled && this.#started) this.timeline.garbled(this.client);
    this.#isGarbled = false;
    let event: WorkerEvent;
    try {
      event = JSON.parse(line) as WorkerEvent;
    } catch {
      this.#isGarbled = true;
      return;
    }
    this.timeline.heard(this.client, event, monotonicNs());
    if (event.ev === 'ready') {
      this.address = event.address;
      this.#ready?.resolve(event.address);
    } else if (event.ev === 'failed') this.#ready?.reject(new WorkerError(event.code, event.message));
    else if (event.ev === 'role') {
      this.role = event.role;
      this.epoch = event.epoch;
    } else if (event.ev === 'answer') {
      this.#waiting.get(event.id)?.(event);
      this.#waiting.delete(event.id);
    }
    this.#onEvent(event);
  }

  #over(): void {
    this.#isOver = true;
    this.role = 'closed';
    if (this.#started) {
      // A worker that is killed may be in the middle of a line.
      if (this.#isGarbled && !this.timeline.wasKilled(this.client)) this.timeline.garbled(this.client);
      this.timeline.ended(this.client, monotonicNs());
    }
    this.#ready?.reject(new WorkerError(WORKER_ENDED, 'the worker has ended before it was ready'));
    for (const [id, settle] of this.#waiting) {
      settle({ ev: 'answer', id, ok: false, code: WORKER_ENDED, message: 'the worker has ended', outcome: 'unknown' });
    }
    this.#waiting.clear();
  }
}

/** Whether it resolved in time; rejects as it does. */
async function within(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

const bound = (timeoutMs: number | undefined): { timeoutMs?: number } => (timeoutMs === undefined ? {} : { timeoutMs });

export interface SpawnOptions {
  readonly timeline: Timeline;
  /** What stands before the command line: `['ip', 'netns', 'exec', 'ns1']`, `['env', 'LD_PRELOAD=…']`. */
  readonly prefix?: readonly string[];
  /** A file for its log, or what becomes of it. Default `ignore`. */
  readonly stderr?: number | 'inherit' | 'ignore';
  /** Default: bundled now, or before. */
  readonly worker?: string;
}

/** A worker in a process of its own. It ends with this process, even if that is killed. */
export class ProcessMember extends Member {
  readonly #process: GuardedProcess;

  constructor(process: GuardedProcess, timeline: Timeline) {
    const { stdin, stdout } = process.child;
    super({ stdin: stdin as Writable, stdout: stdout as Readable, ended: once(process.child, 'exit') }, timeline);
    this.#process = process;
  }

  get pid(): number {
    return this.#process.child.pid as number;
  }

  /** SIGKILL; resolves when it has ended and what it told has been heard. */
  async kill(): Promise<void> {
    if (!this.isOver) this.timeline.killed(this.client, monotonicNs());
    await this.#process.kill();
    await this.ended;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.signal(signal);
  }
}

/** Starts the process; `start` opens its node. */
export async function spawnMember({ timeline, prefix = [], stderr, worker }: SpawnOptions): Promise<ProcessMember> {
  const path = worker ?? (await bundleWorker());
  const [command, ...args] = [...prefix, process.execPath, '--enable-source-maps', path];
  const child = await GuardedProcess.start(command as string, args, {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: stderr ?? 'ignore',
  });
  return new ProcessMember(child, timeline);
}
