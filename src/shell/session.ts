/** One run of the shell, whatever its lines come from: foreground and background, time limits, what failed. */
import { ZiStoreError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { execute } from './execute.ts';
import { type Command, DEFAULT_SECONDS, type ParsedLine, parseLine } from './parser.ts';
import { type Result, toErrorObject } from './results.ts';

export interface SessionHooks {
  /** Shows a result; `line` is what was typed. */
  print(result: Result, line: string): void;
  /** Asked before an `exit` without --force; false keeps the shell. */
  mayExit(): Promise<boolean>;
}

/** Lines in the background at a time. */
const MAX_BACKGROUND = 1000;

export class Session {
  /** Whether `exit` was said and granted. */
  ended = false;
  /** Whether `exit --force` was. */
  forced = false;
  /** Whether any command has failed. */
  failed = false;
  readonly #cluster: Cluster;
  readonly #hooks: SessionHooks;
  readonly #background = new Set<Promise<void>>();
  readonly #abortBackground = new AbortController();
  #foreground: AbortController | undefined;
  #timeoutMs = DEFAULT_SECONDS * 1000;

  constructor(cluster: Cluster, hooks: SessionHooks) {
    this.#cluster = cluster;
    this.#hooks = hooks;
  }

  get busy(): boolean {
    return this.#foreground !== undefined;
  }

  get backgroundCount(): number {
    return this.#background.size;
  }

  /** Carries out one line; resolves when it is done, or has been put into the background. */
  async handle(line: string): Promise<void> {
    const parsed = parseLine(line);
    if (parsed === null) return;
    if (!parsed.ok) return this.#report(failure(parsed.name, parsed.error), parsed.background, line);
    if (parsed.background) return this.#startBackground(parsed, line);
    this.#foreground = new AbortController();
    try {
      this.#report(await this.#run(parsed.command, this.#foreground.signal), false, line);
    } finally {
      this.#foreground = undefined;
    }
  }

  /** Gives up the command in the foreground, if there is one. */
  interrupt(): void {
    this.#foreground?.abort();
  }

  /** Gives up everything; what is in the background reports itself. */
  async cancel(): Promise<void> {
    this.#abortBackground.abort();
    this.interrupt();
    await Promise.all(this.#background);
  }

  /** Until all background lines have ended; each is bounded by its own time limit. */
  async settle(): Promise<void> {
    await Promise.all(this.#background);
  }

  async #run(command: Command, signal: AbortSignal): Promise<Result> {
    switch (command.name) {
      case 'timeout':
        this.#timeoutMs = command.seconds * 1000;
        return { command: 'timeout', ok: true };
      case 'wait-all':
        return await this.#waitAll(command.seconds, signal);
      case 'exit':
        this.ended = command.force || (await this.#hooks.mayExit());
        this.forced = this.ended && command.force;
        if (this.ended) return { command: 'exit', ok: true };
        return failure('exit', new ZiStoreError('ZISTORE_ABORTED', 'not left'));
      default:
        return await execute(this.#cluster, command, { timeoutMs: this.#timeoutMs, signal });
    }
  }

  #startBackground(parsed: Extract<ParsedLine, { ok: true }>, line: string): void {
    if (this.#background.size >= MAX_BACKGROUND) {
      const error = new ZiStoreError('ZISTORE_LIMIT_EXCEEDED', `${MAX_BACKGROUND} lines are in the background already`);
      this.#report(failure(parsed.command.name, error), true, line);
      return;
    }
    const job = this.#run(parsed.command, this.#abortBackground.signal).then((result) => {
      this.#background.delete(job);
      this.#report(result, true, line);
    });
    this.#background.add(job);
  }

  async #waitAll(seconds: number, signal: AbortSignal): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('timeout'), seconds * 1000);
      signal.addEventListener('abort', () => resolve('abort'), { once: true });
    });
    const how = await Promise.race([given, this.settle()]);
    clearTimeout(timer);
    if (how === undefined) return { command: 'wait-all', ok: true };
    if (how === 'abort') return failure('wait-all', new ZiStoreError('ZISTORE_ABORTED', 'interrupted'));
    const left = `${this.#background.size} of the lines in the background did not end within ${seconds} s`;
    return failure('wait-all', new ZiStoreError('ZISTORE_TIMEOUT', left));
  }

  #report(result: Result, background: boolean, line: string): void {
    if (!result.ok) this.failed = true;
    this.#hooks.print(background ? { ...result, background: true } : result, line);
  }
}

function failure(command: string, error: unknown): Result {
  return { command, ok: false, error: toErrorObject(error) };
}
