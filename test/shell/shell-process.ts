/** A shell in JSON mode as a process of its own, driven line by line through its standard input. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ClientRow, Result } from '../../src/shell/results.ts';
import { scaled, until } from '../support/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export class ShellProcess {
  readonly results: Result[] = [];
  stderr = '';
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  #rest = '';
  #taken = 0;

  /** `module` from the project's root, `args` for it. */
  constructor(module: string, args: readonly string[]) {
    this.#process = spawn(process.execPath, ['--import', 'tsx', module, ...args], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
      // Without jest's own: its options for this process are not for that one.
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#process.stdin.on('error', () => {});
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** null while it runs, or when a signal ended it. */
  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  write(...lines: readonly string[]): void {
    this.#process.stdin.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Sends one foreground line and resolves to its object; objects of background lines may come before it. */
  async run(line: string, timeoutMs = 40_000): Promise<Result> {
    const from = this.results.length;
    this.write(line);
    return await until(
      `an answer to: ${line}`,
      () => {
        const answer = this.results.slice(from).find((result) => !result.background);
        if (answer === undefined && this.#ended) throw new Error(`the shell has ended: ${this.stderr}`);
        return answer;
      },
      { timeoutMs },
    );
  }

  /** `run` for commands whose answer is one row. */
  async row(line: string): Promise<ClientRow> {
    const result = await this.run(line);
    if (typeof result.client !== 'object') throw new Error(`no row: ${JSON.stringify(result)}`);
    return result.client;
  }

  async list(): Promise<readonly ClientRow[]> {
    return (await this.run('list')).clients ?? [];
  }

  /** The next object of a background line. */
  async background(): Promise<Result> {
    return await until('a background line ends', () => {
      const ended = this.results.filter((result) => result.background);
      const next = ended[this.#taken];
      if (next !== undefined) this.#taken += 1;
      return next;
    });
  }

  get backgroundEnded(): number {
    return this.results.filter((result) => result.background).length;
  }

  /** Closes its standard input and resolves to its exit code. */
  async end(...lastLines: readonly string[]): Promise<number | null> {
    this.write(...lastLines);
    this.#process.stdin.end();
    return await this.exit();
  }

  /** Nobody reads what it prints any more. */
  closeOutput(): void {
    this.#process.stdout.destroy();
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async exit(): Promise<number | null> {
    if (!this.#ended) await once(this.#process, 'exit', { signal: AbortSignal.timeout(scaled(40_000)) });
    return this.#process.exitCode;
  }

  /** For the end of a test: leaves nothing behind. */
  async dispose(): Promise<void> {
    if (this.#ended) return;
    this.#process.kill('SIGKILL');
    await this.exit();
  }

  get #ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    // Only JSON may come on standard output: anything else throws here and fails the test.
    for (const line of lines) this.results.push(JSON.parse(line) as Result);
  }
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The children of a process, as the system knows them. */
export async function childrenOf(pid: number): Promise<number[]> {
  const ps = spawn('ps', ['-o', 'pid=', '--ppid', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  ps.stdout.on('data', (data) => {
    text += data;
  });
  await once(ps, 'close');
  return text.split('\n').map(Number).filter(Boolean);
}
