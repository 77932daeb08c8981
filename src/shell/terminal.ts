/** The shell on a terminal: banner, prompt, colours, the question before data is dropped. */
import type { ReadStream, WriteStream } from 'node:tty';
import type { Cluster } from './cluster.ts';
import { complete } from './completion.ts';
import { historyFile, loadHistory, saveHistory } from './history.ts';
import { Prompt } from './prompt.ts';
import { askYesNo } from './question.ts';
import { type Colors, colorsFor, prettyTable, renderResult } from './render.ts';
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
    if ((await cluster.list()).some((row) => row.role === 'leader')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function banner(cluster: Cluster, version: string, colors: Colors): string {
  const kind = cluster.embedded ? 'embedded coordinator: for trying out, all in memory' : 'on your ZooKeeper';
  const last = Math.max(...cluster.ids);
  const tries: [string, string][] = [
    ['put 1 greeting hello', 'write at client 1'],
    [`get ${last} greeting`, 'read at another client; from then on it answers from its own memory'],
    ['list', 'who leads, who holds what'],
    ['kill 1', 'end a process, then read again'],
    ['help', 'all commands; Tab completes'],
  ];
  const lines = tries.map(([command, effect]) => `  ${colors.cyan(command.padEnd(20))}  ${colors.dim(effect)}`);
  return [`${colors.bold('ZiStore')} ${version}  ${colors.dim(kind)}`, '', ...lines, ''].join('\n');
}

/** Starts the clients and talks to the user until `exit`, Ctrl-D or `signal`. */
export async function runTerminal(
  cluster: Cluster,
  { input, output }: TerminalStreams,
  options: {
    readonly clients: number;
    readonly version: string;
    readonly signal: AbortSignal;
    readonly env: NodeJS.ProcessEnv;
    /** Called with true while somebody else reads the terminal, whose Ctrl-C is not ours. */
    readonly modal: (open: boolean) => void;
    /** Where the end of a client that nobody asked for is to be shown. */
    readonly onNotice: (show: (text: string) => void) => void;
  },
): Promise<void> {
  const colors = colorsFor(output);
  await startClients(cluster, output, options.clients, options.signal);
  output.write(`${banner(cluster, options.version, colors)}${prettyTable(await cluster.list(), colors)}\n\n`);

  const file = historyFile(options.env);
  let history: readonly string[] = loadHistory(file);
  let prompt: Prompt | undefined;
  const show = (text: string): void => {
    if (prompt === undefined) output.write(`${text}\n`);
    else prompt.print(text);
  };
  options.onNotice((text) => show(colors.red(text)));

  const mayExit = async (): Promise<boolean> => {
    if (!(await cluster.holdsOnlyCopy())) return true;
    options.modal(true);
    const ask = (): Promise<boolean> => askYesNo('These clients hold the only copy of the data. Leave and drop it?');
    try {
      return await (prompt === undefined ? ask() : prompt.suspended(ask));
    } finally {
      options.modal(false);
    }
  };
  const print = (result: Result, line: string): void => {
    const text = renderResult(result, colors, true);
    show(result.background ? `${colors.dim(`[${line.trim().replace(/[ \t]+&$/, '')}]`)} ${text}` : text);
  };
  const session = new Session(cluster, {
    print: (result, line) => {
      if (result.command !== 'exit') print(result, line);
      else if (!result.ok) show(colors.dim('not left'));
    },
    mayExit,
  });
  options.signal.addEventListener('abort', () => prompt?.close(), { once: true });

  while (!session.ended && !options.signal.aborted) {
    prompt = new Prompt({
      input,
      output,
      prompt: `${colors.bold('zistore')}${colors.green('>')} `,
      history,
      complete: (line) => complete(line, cluster.ids),
      handle: async (line) => {
        if (session.ended) return;
        await session.handle(line);
        if (session.ended) prompt?.close();
      },
      interrupt: () => {
        const busy = session.busy;
        session.interrupt();
        return busy;
      },
    });
    await prompt.done();
    history = prompt.history;
    saveHistory(file, history);
    prompt = undefined;
    if (session.ended || options.signal.aborted || input.destroyed || input.readableEnded) break;
    output.write('\n');
    await session.handle('exit'); // Ctrl-D
  }
  const leaving = startProgress(output, 'closing the clients');
  try {
    await session.cancel();
    await cluster.close();
  } finally {
    leaving.stop();
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
