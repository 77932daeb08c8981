/** A node in a process of its own, for tests that stop or kill it. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NodeStatus } from '../../src/core/status.ts';
import type { ZiStoreOptions } from '../../src/options.ts';
import { GuardedProcess } from './guarded-process.ts';
import { until } from './wait.ts';

export type NodeRequest =
  | { readonly op: 'open'; readonly options: ZiStoreOptions }
  | { readonly op: 'get' | 'keepReading'; readonly key: string }
  | { readonly op: 'status' | 'sightings' | 'close' }
  | { readonly op: 'set'; readonly key: string; readonly value: string };

/** What a node that keeps reading saw, whenever it saw something else than before or had seen nothing for a while. */
export interface Sighting {
  /** When the read was called: nanoseconds on the machine's monotonic clock, in decimal. */
  readonly at: string;
  /** The value, or the code of the error. */
  readonly saw: string;
}

export interface NodeError {
  readonly message: string;
  readonly code?: string;
  readonly outcome?: string;
}

export interface NodeAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: NodeError;
}

const RUNNER = fileURLToPath(new URL('./node-runner.ts', import.meta.url));

export class ProcessNode {
  readonly #process: GuardedProcess;
  readonly #waiting = new Map<number, (answer: NodeAnswer) => void>();
  #lastId = 0;

  private constructor(process: GuardedProcess) {
    this.#process = process;
    process.child.on('message', (message) => {
      const answer = message as NodeAnswer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    process.child.once('exit', () => {
      for (const [id, settle] of this.#waiting) settle({ id, error: { message: 'the process has ended' } });
      this.#waiting.clear();
    });
  }

  static async spawn(options: ZiStoreOptions): Promise<ProcessNode> {
    const runtime = [process.execPath, '--import', 'tsx', RUNNER] as const;
    const child = await GuardedProcess.start(runtime[0], runtime.slice(1), { ipc: true, stderr: 'inherit' });
    const node = new ProcessNode(child);
    await once(child.child, 'message');
    await node.#ask({ op: 'open', options });
    return node;
  }

  get(key: string): Promise<string | undefined> {
    return this.#ask({ op: 'get', key }) as Promise<string | undefined>;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#ask({ op: 'set', key, value });
  }

  status(): Promise<NodeStatus> {
    return this.#ask({ op: 'status' }) as Promise<NodeStatus>;
  }

  /** From here on the process reads this key every millisecond, first thing whenever it gets to run. */
  async keepReading(key: string): Promise<void> {
    await this.#ask({ op: 'keepReading', key });
  }

  /** Ends that. */
  sightings(): Promise<Sighting[]> {
    return this.#ask({ op: 'sightings' }) as Promise<Sighting[]>;
  }

  async untilLive(): Promise<void> {
    await until('the node in a process of its own is live', async () => (await this.status()).live, {
      timeoutMs: 30_000,
    });
  }

  /** SIGSTOP: nothing runs in it, and its clock goes on. */
  stop(): void {
    this.#process.signal('SIGSTOP');
  }

  resume(): void {
    this.#process.signal('SIGCONT');
  }

  async close(): Promise<void> {
    await this.#ask({ op: 'close' });
    await this.kill();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  #ask(request: NodeRequest): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? undefined);
        else reject(Object.assign(new Error(error.message), error));
      });
      this.#process.child.send({ id, ...request }, (failure) => {
        if (failure) reject(failure);
      });
    });
  }
}
