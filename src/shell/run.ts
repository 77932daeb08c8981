/** One shell from its start to its end, whatever ends it; nothing that it started outlives it. */
import { Cluster, type ClusterOptions } from './cluster.ts';
import { clientLaunch, coordinatorLaunch } from './entries.ts';
import { runScript } from './script.ts';
import { Terminal } from './terminal.ts';

export interface ShellOptions extends Omit<ClusterOptions, 'client' | 'coordinator' | 'onCrash'> {
  readonly clients: number;
  readonly json: boolean;
  readonly version: string;
  /** Default: ZiStore clients; tests bring others. */
  readonly launch?: Pick<ClusterOptions, 'client' | 'coordinator'>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Resolves to the exit code: 1 if a command failed (without a terminal) or a signal ended it.
 * @throws ZiStoreError when the clients cannot be started.
 */
export async function runShell(options: ShellOptions): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const interactive = stdin.isTTY && stdout.isTTY && !options.json;
  let notice = (text: string): void => {
    if (!options.json) stderr.write(`${text}\n`);
  };
  const cluster = new Cluster({
    ...options,
    ...(options.launch ?? { client: clientLaunch(), coordinator: coordinatorLaunch() }),
    onCrash: (id, words) => notice(`client ${id} has ended unexpectedly${words === '' ? '' : `: ${words}`}`),
  });
  const ending = new AbortController();
  const signals = watchSignals(ending, () => stdin.destroy());
  try {
    ending.signal.addEventListener('abort', () => void cluster.abortStart(), { once: true });
    if (interactive) {
      const context = { ...options, signal: ending.signal, env: process.env, modal: signals.modal };
      const terminal = new Terminal(cluster, { input: stdin, output: stdout }, context);
      notice = (text) => terminal.notice(text);
      await terminal.run();
      return ending.signal.aborted ? 1 : 0;
    }
    await cluster.start(options.clients);
    const succeeded = await runScript(
      cluster,
      { input: stdin, output: stdout, errors: stderr },
      { json: options.json, signal: ending.signal },
    );
    return succeeded && !ending.signal.aborted ? 0 : 1;
  } finally {
    await cluster.close();
    signals.stop();
    stdin.destroy();
  }
}

/** The first signal leaves cleanly, the second at once. A reader of our output that has gone counts as a signal. */
function watchSignals(ending: AbortController, onFirst: () => void): { modal(open: boolean): void; stop(): void } {
  let modal = false;
  const end = (): void => {
    if (ending.signal.aborted) process.exit(1);
    ending.abort();
    onFirst();
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (name !== 'SIGINT' || !modal) end();
  };
  const onOutputError = (): void => {
    if (!ending.signal.aborted) end();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  process.stdout.on('error', onOutputError);
  return {
    modal: (open) => {
      modal = open;
    },
    stop: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
