/** The shell on a terminal: banner, prompt, colours, the question before data is dropped. */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Cluster } from './cluster.ts';
import { complete } from './completion.ts';
import { historyFile, loadHistory, saveHistory } from './history.ts';
import { Prompt } from './prompt.ts';
import { askYesNo } from './question.ts';
import { type Colors, colorsFor, prettyTable, printable, renderResult } from './render.ts';
import type { Result } from './results.ts';
import { Session } from './session.ts';

export interface TerminalStreams {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** How long the start waits for the first leader, so that the first table shows one. Milliseconds. */
const LEADER_TIMEOUT_MS = 5000;

/** A line that moves while something is going on. */
export function startProgress(output: WriteStream, text: string): { update(text: string): void; stop(): void } {
  const colors = colorsFor(output);
  let frame = 0;
  let shown = text;
  const draw = (): void => {
    output.write(`\r\u001b[K${colors.cyan(SPINNER[frame++ % SPINNER.length] ?? '')} ${shown}`);
  };
  draw();
  const timer = setInterval(draw, 80);
  return {
    update: (next) => {
      shown = next;
      draw();
    },
    stop: () => {
      clearInterval(timer);
      output.write('\r\u001b[K');
    },
  };
}

async function waitForLeader(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + LEADER_TIMEOUT_MS;
  while (!signal.aborted && performance.now() < deadline) {
    // Whom a client follows may be a node that is none of the shell's clients.
    if ((await cluster.list()).some((row) => row.role === 'leader' || row.role === 'follower')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function banner(cluster: Cluster, version: string, colors: Colors): string {
  const kind = cluster.embedded ? 'embedded coordinator: for trying out, all in memory' : 'on your ZooKeeper';
  const last = Math.max(...cluster.ids);
  const tries: [string, string][] = [
    ['put 1 greeting hello', 'write at client 1'],
    [`get ${last} greeting`, 'read it at another; cached there from now on'],
    ['list', 'who leads, who holds what'],
    ['kill 1', 'end a process, then read again'],
    ['help', 'all commands; Tab completes'],
  ];
  const lines = tries.map(([command, effect]) => `  ${colors.cyan(command.padEnd(20))}  ${colors.dim(effect)}`);
  return [`${colors.bold('ZiStore')} ${version}  ${colors.dim(kind)}`, '', ...lines, '', ''].join('\n');
}

export interface TerminalOptions {
  readonly clients: number;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  /** Called with true while somebody else reads the terminal, whose Ctrl-C is not ours. */
  readonly modal: (open: boolean) => void;
}

export class Terminal {
  readonly #cluster: Cluster;
  readonly #streams: TerminalStreams;
  readonly #options: TerminalOptions;
  readonly #colors: Colors;
  readonly #session: Session;
  #prompt: Prompt | undefined;

  constructor(cluster: Cluster, streams: TerminalStreams, options: TerminalOptions) {
    this.#cluster = cluster;
    this.#streams = streams;
    this.#options = options;
    this.#colors = colorsFor(streams.output);
    this.#session = new Session(cluster, {
      print: (result, line) => this.#print(result, line),
      mayExit: () => this.#mayExit(),
    });
  }

  /** Starts the clients and talks to the user until `exit`, Ctrl-D or the signal; then closes the clients. */
  async run(): Promise<void> {
    const { output } = this.#streams;
    const { signal, clients, version } = this.#options;
    await startClients(this.#cluster, output, clients, signal);
    if (!signal.aborted) {
      const table = prettyTable(await this.#cluster.list(), this.#colors, output.columns);
      output.write(`${banner(this.#cluster, version, this.#colors)}${table}\n\n`);
      signal.addEventListener('abort', () => this.#prompt?.close(), { once: true });
      await this.#talk();
    }
    const leaving = startProgress(output, 'closing the clients');
    try {
      await this.#session.cancel();
      await this.#cluster.close();
    } finally {
      leaving.stop();
    }
  }

  /** Shows what nobody asked for just now. */
  notice(text: string): void {
    this.#show(this.#colors.red(text));
  }

  async #talk(): Promise<void> {
    const { input, output } = this.#streams;
    const file = historyFile(this.#options.env);
    let history: readonly string[] = loadHistory(file);
    while (!this.#over) {
      this.#prompt = this.#newPrompt(history);
      await this.#prompt.done();
      history = this.#prompt.history;
      this.#prompt = undefined;
      saveHistory(file, history);
      if (this.#over || input.destroyed || input.readableEnded) return;
      output.write('\n');
      await this.#session.handle('exit'); // Ctrl-D
    }
  }

  get #over(): boolean {
    return this.#session.ended || this.#options.signal.aborted;
  }

  #newPrompt(history: readonly string[]): Prompt {
    return new Prompt({
      ...this.#streams,
      prompt: `${this.#colors.bold('zistore')}${this.#colors.green('>')} `,
      history,
      complete: (line) => complete(line, this.#cluster.ids),
      handle: async (line) => {
        if (!this.#over) await this.#session.handle(line);
        if (this.#over) this.#prompt?.close();
      },
      interrupt: () => {
        const { busy } = this.#session;
        this.#session.interrupt();
        return busy;
      },
    });
  }

  async #mayExit(): Promise<boolean> {
    if (!(await this.#cluster.holdsOnlyCopy())) return true;
    const ask = (): Promise<boolean> => askYesNo('These clients hold the only copy of the data. Leave and drop it?');
    this.#options.modal(true);
    try {
      return await (this.#prompt === undefined ? ask() : this.#prompt.suspended(ask));
    } finally {
      this.#options.modal(false);
    }
  }

  #print(result: Result, line: string): void {
    if (result.command === 'exit' && result.error?.code !== 'ZISTORE_INVALID_ARGUMENT') {
      if (!result.ok) this.#show(this.#colors.dim('not left'));
      return;
    }
    const text = renderResult(result, this.#colors, this.#streams.output.columns);
    const label = result.background
      ? `${this.#colors.dim(`[${printable(line.trim().replace(/[ \t]+&$/, ''))}]`)} `
      : '';
    this.#show(label + text);
  }

  #show(text: string): void {
    if (this.#prompt === undefined) this.#streams.output.write(`${text}\n`);
    else this.#prompt.print(text);
  }
}

async function startClients(cluster: Cluster, output: WriteStream, count: number, signal: AbortSignal): Promise<void> {
  const progress = startProgress(output, `starting ${count} ${count === 1 ? 'client' : 'clients'}`);
  try {
    await cluster.start(count, (ready) => progress.update(`${ready} of ${count} clients have joined`));
    await waitForLeader(cluster, signal);
  } finally {
    progress.stop();
  }
}
