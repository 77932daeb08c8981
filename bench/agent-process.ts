/** A benchmark's process, as its parent sees it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GuardedProcess } from '../test/support/guarded-process.ts';
import type { JobArgument, JobName, JobResult, Reply, Request } from './agent/jobs.ts';
import type { Target } from './stores/store.ts';

export interface Program {
  /** ZiStore's folder. */
  readonly root: string;
  /** The agent's bundle. */
  readonly agent: string;
  /** Where processes leave a CPU profile when they are closed. */
  readonly profiles?: string | undefined;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Agent {
  readonly name: string;
  readonly #process: GuardedProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(name: string, process: GuardedProcess) {
    this.name = name;
    this.#process = process;
    process.child.on('message', (message) => {
      if (message === 'ready') return;
      const reply = message as Reply;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.ok) waiting?.resolve(reply.result);
      else waiting?.reject(new Error(`${name}: ${reply.message}`));
    });
    process.child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${name}: its process has ended`));
      this.#waiting.clear();
    });
  }

  /** Resolves when the process can be asked. */
  static async start(name: string, { root, agent, profiles }: Program): Promise<Agent> {
    const profiling =
      profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${fileName(name)}`];
    const dist = pathToFileURL(join(root, 'dist', 'index.js')).href;
    const words = ['env', `ZISTORE_BENCH_DIST=${dist}`, process.execPath, ...profiling, agent];
    const guarded = await GuardedProcess.start(words[0]!, words.slice(1), { ipc: true, stderr: 'inherit' });
    const started = new Agent(name, guarded);
    await once(guarded.child, 'message');
    return started;
  }

  get pid(): number {
    return this.#process.child.pid!;
  }

  ask<N extends JobName>(job: N, argument: JobArgument<N>): Promise<Awaited<JobResult<N>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      const request: Request = { id, job, argument };
      this.#process.child.send(request, (error) => {
        if (error !== null && this.#waiting.delete(id)) reject(error);
      });
    });
  }

  open(target: Target): Promise<number> {
    return this.ask('open', target);
  }

  /** As a user stops it, or with SIGKILL when it does not answer. Idempotent. */
  async close(): Promise<void> {
    if (!this.#process.running) return;
    const late = setTimeout(() => this.#process.signal('SIGKILL'), CLOSE_LIMIT_MS);
    await this.ask('close', null).catch(() => {});
    // An exit that takes its time is writing a profile.
    await this.#process.ended();
    clearTimeout(late);
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }
}

const CLOSE_LIMIT_MS = 20_000;

let profilesTaken = 0;

const fileName = (name: string): string => `${++profilesTaken}-${name.replace(/[^A-Za-z0-9]+/g, '-')}.cpuprofile`;
