/** Child processes of tests that never outlive them, however the test ends and even while they are stopped. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * File 3 closes when the test's process ends in whatever way, and the child is killed. A word on it says that the
 * child is gone already, so that nothing is killed that has its id by now. (File 4 may be the child's own channel.)
 */
const GUARD = '(exec 4<&-; read -r gone <&3 || kill -9 $$) >/dev/null 2>&1 & exec "$@"';

export interface GuardedOptions {
  readonly cwd?: string;
  /** Files 0, 1, 2 and 4 of the child. Default: none. */
  readonly stdin?: 'pipe' | 'ignore';
  readonly stdout?: number | 'pipe' | 'inherit' | 'ignore';
  readonly stderr?: number | 'inherit' | 'ignore';
  readonly ipc?: boolean;
}

export class GuardedProcess {
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
    const guard = child.stdio[3] as Writable;
    guard.on('error', () => {});
    child.once('exit', () => guard.end('gone\n'));
  }

  static async start(
    command: string,
    args: readonly string[],
    { cwd, stdin = 'ignore', stdout = 'ignore', stderr = 'ignore', ipc = false }: GuardedOptions = {},
  ): Promise<GuardedProcess> {
    const stdio: StdioOptions = [stdin, stdout, stderr, 'pipe', ...(ipc ? (['ipc'] as const) : [])];
    const child = spawn('/bin/sh', ['-c', GUARD, 'guard', command, ...args], {
      stdio,
      ...(cwd === undefined ? {} : { cwd }),
    });
    const guarded = new GuardedProcess(child);
    await once(child, 'spawn');
    return guarded;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  /** Resolves when the process has ended, by whatever it was ended. */
  async ended(): Promise<void> {
    if (this.running) await once(this.child, 'exit');
  }

  /** Resolves when the process has ended. Idempotent. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }
}
