/** The shell's end of a child process: started, asked, signalled, and never left behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { ZiStoreError } from '../errors.ts';
import type { AnswerMessage, Protocol } from './ipc.ts';
import { fromErrorObject } from './results.ts';

/** What to run, so that tests can run something simpler. */
export interface Launch {
  /** Path of a JavaScript module (TypeScript where the process itself runs TypeScript). */
  readonly entry: string;
  /** Default: those of this process. */
  readonly execArgv?: readonly string[];
}

export interface AskOptions {
  /** After this the answer is no longer waited for: ZISTORE_TIMEOUT. */
  readonly timeoutMs: number;
  /** Ends the wait with ZISTORE_ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** A write that has been sent may happen although nobody waits for it any more. */
  readonly write?: boolean;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly write: boolean;
}

/** Requests without an answer; more fail with ZISTORE_LIMIT_EXCEEDED. */
const MAX_WAITING = 1000;
const MAX_STDERR = 4096;

export class Child<P extends Protocol> {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  ended = false;
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #stderr = '';

  constructor(name: string, { entry, execArgv }: Launch) {
    this.#name = name;
    this.#process = fork(entry, [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    });
    this.pid = this.#process.pid ?? -1;
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR);
    });
    this.#process.on('message', (message) => this.#answered(message as AnswerMessage));
    this.#process.on('error', () => {}); // a failed start or send; 'exit' or the time limit tells the callers
    this.exited = new Promise((resolve) => {
      const ended = (): void => {
        this.#onExit();
        resolve();
      };
      this.#process.once('exit', ended);
      if (this.#process.pid === undefined) this.#process.once('error', ended);
    });
  }

  /** The last thing it wrote to standard error, for messages about its end. */
  get lastWords(): string {
    return this.#stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  }

  async ask<K extends keyof P & string>(kind: K, args: P[K]['args'], options: AskOptions): Promise<P[K]['result']> {
    const write = options.write === true;
    if (this.ended) throw this.#gone(false);
    if (this.#waiting.size >= MAX_WAITING) {
      throw new ZiStoreError('ZISTORE_LIMIT_EXCEEDED', `${this.#name} has ${MAX_WAITING} requests waiting already`, {
        ...(write ? { outcome: 'notApplied' as const } : {}),
      });
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const outcome = write ? { outcome: 'unknown' as const } : {};
    return await new Promise<P[K]['result']>((resolve, reject) => {
      const giveUp = (error: ZiStoreError): void => {
        this.#send({ cancel: id });
        this.#waiting.get(id)?.reject(error);
      };
      const timer = setTimeout(() => {
        const seconds = Number((options.timeoutMs / 1000).toFixed(1));
        giveUp(new ZiStoreError('ZISTORE_TIMEOUT', `${this.#name} did not answer within ${seconds} s`, outcome));
      }, options.timeoutMs);
      const aborted = (): void => giveUp(new ZiStoreError('ZISTORE_ABORTED', 'interrupted', outcome));
      const settle = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', aborted);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, {
        write,
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      options.signal?.addEventListener('abort', aborted, { once: true });
      this.#send({ id, kind, args });
      if (options.signal?.aborted) aborted();
    });
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.ended) this.#process.kill(name);
  }

  /** Ends it at once and resolves when it has ended. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  #send(message: unknown): void {
    // Failures are reported to the callback only; they mean that the process is ending, which 'exit' reports.
    if (this.#process.connected) this.#process.send(message as object, () => {});
  }

  #answered(message: AnswerMessage): void {
    const waiting = this.#waiting.get(message.id);
    if (message.ok) waiting?.resolve(message.result);
    else waiting?.reject(fromErrorObject(message.error));
  }

  #onExit(): void {
    this.ended = true;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#gone(waiting.write));
  }

  #gone(write: boolean): ZiStoreError {
    if (!write) return new ZiStoreError('ZISTORE_CLOSED', `the process of ${this.#name} has ended`);
    return new ZiStoreError(
      'ZISTORE_OUTCOME_UNKNOWN',
      `the process of ${this.#name} ended during the write, which may or may not have happened`,
      { outcome: 'unknown' },
    );
  }
}
