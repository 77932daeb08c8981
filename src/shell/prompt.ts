/** The line editor: Node's readline with history, completion, and lines queued while a command runs. */
import { clearScreenDown, createInterface, cursorTo, type Interface } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { MAX_HISTORY_LINES } from './history.ts';

export interface PromptOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly prompt: string;
  /** Newest first. */
  readonly history: readonly string[];
  readonly complete: (line: string) => [string[], string];
  /** Carries out one line; the next one waits for it. */
  readonly handle: (line: string) => Promise<void>;
  /** Ctrl-C: whether something was there to be interrupted. */
  readonly interrupt: () => boolean;
}

/** Lines typed or pasted ahead; what exceeds it is dropped with a bell. */
const MAX_AHEAD = 1000;

export class Prompt {
  history: readonly string[];
  readonly #options: PromptOptions;
  readonly #readline: Interface;
  readonly #ahead: string[] = [];
  readonly #closed: Promise<void>;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: PromptOptions) {
    this.#options = options;
    this.history = options.history;
    this.#readline = createInterface({
      input: options.input,
      output: options.output,
      terminal: true,
      prompt: options.prompt,
      history: [...options.history],
      historySize: MAX_HISTORY_LINES,
      removeHistoryDuplicates: true,
      completer: options.complete,
    });
    this.#readline.on('history', (lines: string[]) => {
      this.history = [...lines];
    });
    this.#readline.on('line', (line) => this.#take(line));
    this.#readline.on('SIGINT', () => this.#interrupted());
    this.#closed = new Promise((resolve) => {
      this.#readline.once('close', () => {
        this.#isClosed = true;
        resolve();
      });
    });
    this.#readline.prompt();
  }

  /** Until Ctrl-D, the end of the terminal, or `close`; and until the last command is done. */
  async done(): Promise<void> {
    await this.#closed;
    await this.#running;
  }

  close(): void {
    this.#ahead.length = 0;
    if (!this.#isClosed) this.#readline.close();
  }

  /** Prints above the line that is being typed. */
  print(text: string): void {
    const { output } = this.#options;
    const typing = !this.#isClosed && this.#running === undefined;
    if (typing) {
      cursorTo(output, 0);
      clearScreenDown(output);
    }
    output.write(`${text}\n`);
    if (typing) this.#readline.prompt(true);
  }

  /** Runs `ask` while the terminal is not read. */
  async suspended<T>(ask: () => Promise<T>): Promise<T> {
    const { input } = this.#options;
    if (this.#isClosed) return await ask();
    this.#readline.pause();
    input.setRawMode(false);
    try {
      return await ask();
    } finally {
      input.setRawMode(true);
      this.#readline.resume();
    }
  }

  #take(line: string): void {
    if (this.#ahead.length >= MAX_AHEAD) {
      this.#options.output.write('\u0007');
      return;
    }
    this.#ahead.push(line);
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (!this.#isClosed) this.#readline.prompt(true);
    });
  }

  async #drain(): Promise<void> {
    for (let first = true, line = this.#ahead.shift(); line !== undefined; line = this.#ahead.shift()) {
      // What was typed ahead was echoed long ago: show which answer belongs to what.
      if (!first && line !== '') this.#options.output.write(`${this.#options.prompt}${line}\n`);
      first = false;
      await this.#options.handle(line);
    }
  }

  #interrupted(): void {
    this.#ahead.length = 0;
    if (this.#options.interrupt()) return;
    const typed = this.#readline.line !== '';
    this.#options.output.write(typed ? '^C\n' : '\n(exit or Ctrl-D leaves)\n');
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
    this.#readline.prompt();
  }
}
