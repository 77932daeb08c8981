/** Commands of tests that end in time: asked to, and then with all that they have started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** For what a command that is asked to end takes down. */
const GRACE_MS = 20_000;

export interface Ended {
  /** −1: it was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** It did not end within the limit. */
  readonly late: boolean;
}

export interface CommandOptions {
  readonly limitMs: number;
  /** After the request to end. Default 20 s. */
  readonly graceMs?: number;
  /** Is told everything that it has printed on standard error so far, at each piece. */
  readonly onStderr?: (text: string, interrupt: () => void) => void;
}

/** Past the limit it gets a SIGINT; if it does not end of that, its whole process group a SIGKILL. */
export async function boundedCommand(
  command: string,
  args: readonly string[],
  { limitMs, graceMs = GRACE_MS, onStderr }: CommandOptions,
): Promise<Ended> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const killGroup = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // nothing is left of it
  };
  let [stdout, stderr, late] = ['', '', false];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    onStderr?.(stderr, () => child.kill('SIGINT'));
  });
  const asking = setTimeout(() => {
    late = true;
    child.kill('SIGINT');
  }, limitMs);
  const killing = setTimeout(killGroup, limitMs + graceMs);
  // A group of its own is not ended with whoever runs the tests.
  process.once('exit', killGroup);
  const [exited, closed] = [once(child, 'exit'), once(child, 'close')];
  try {
    const [code] = (await exited) as [number | null];
    killGroup();
    await closed;
    return { code: code ?? -1, stdout, stderr, late };
  } finally {
    clearTimeout(asking);
    clearTimeout(killing);
    process.off('exit', killGroup);
  }
}
