/** One node in a process of its own, with a load of its own; see wire.ts. The end of its standard input ends it. */
import { createInterface } from 'node:readline';
import { ZiStoreError } from '../../src/errors.ts';
import { DEFAULTS } from '../../src/options.ts';
import type { Logger } from '../../src/ports.ts';
import { ZiStore } from '../../src/store.ts';
import { createStamps, type Stamps } from './clock.ts';
import type {
  Answer,
  Closed,
  Command,
  LoadShape,
  OperationCommand,
  StartCommand,
  WorkerEvent,
  WorkerStatus,
} from './wire.ts';
import { WorkerRecorder } from './worker-recorder.ts';
import { Load, type LoadParts, Workload } from './workload.ts';

const OPERATION_TIMEOUT_MS = 30_000;

/** The standard output of a process is written to at once where it is a pipe: what was told is not lost when it is killed. */
const tell = (event: WorkerEvent): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

function errorLogger(stamps: Stamps): Logger {
  const log =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      process.stderr.write(`${(stamps.before() / 1e9).toFixed(3)} ${level} ${message} ${JSON.stringify(fields)}\n`);
    };
  return { debug: () => {}, info: log('info'), warn: log('warn'), error: log('error') };
}

class Worker {
  readonly #store: ZiStore;
  readonly #client: number;
  readonly #stamps: Stamps;
  readonly #recorder: WorkerRecorder;
  #load: Load | undefined;
  #workload: Workload | undefined;
  readonly #closeTimeoutMs: number;
  #skipped = 0;

  private constructor(store: ZiStore, { client, options }: StartCommand, stamps: Stamps) {
    this.#store = store;
    this.#client = client;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? DEFAULTS.closeTimeoutMs;
    this.#stamps = stamps;
    this.#recorder = new WorkerRecorder(client, store, stamps, tell);
  }

  static async start(command: StartCommand): Promise<Worker> {
    const stamps = createStamps(command.clock ?? 'monotonic', command.clockOffsetNs ?? 0);
    const store = await ZiStore.open({ ...command.options, logger: errorLogger(stamps) });
    const worker = new Worker(store, command, stamps);
    worker.#listen();
    return worker;
  }

  #listen(): void {
    const store = this.#store;
    const { role, leader, epoch, address } = store.status();
    const at = this.#stamps.before();
    tell({ ev: 'ready', address, at });
    tell({ ev: 'role', role, epoch, at });
    tell({ ev: 'leader', address: leader, epoch: leader === null ? null : epoch, at });
    // Whatever ended before one of these was told before it, too: the order of the lines is that of what happened.
    const say = (event: WorkerEvent): void => {
      this.#recorder.flush();
      tell(event);
    };
    store.on('role', (role) => say({ ev: 'role', role, epoch: store.status().epoch, at: this.#stamps.before() }));
    store.on('leader', (leader) =>
      say({ ev: 'leader', address: leader?.address ?? null, epoch: leader?.epoch ?? null, at: this.#stamps.before() }),
    );
    for (const what of ['suspended', 'lost', 'rejoined'] as const) {
      store.on(what, () => say({ ev: 'session', what, at: this.#stamps.before() }));
    }
  }

  async command(command: Command): Promise<void> {
    if (command.do === 'load') this.#startLoad(command);
    else if (command.do !== 'start') await this.#answer(command.id, () => this.#carryOut(command));
    if (command.do === 'close') process.exit(0);
  }

  #startLoad({ do: _, ...shape }: LoadShape & { do: 'load' }): void {
    this.#load?.stop();
    this.#workload = new Workload(this.#client, shape, this.#workload?.values);
    const parts: LoadParts = {
      now: () => this.#stamps.before(),
      run: (operation, timeoutMs) => {
        // Errors are counted by the recorder.
        this.#recorder.run(operation, timeoutMs).catch(() => {});
      },
      inFlight: () => this.#recorder.inFlight,
      isInstant: (key) => {
        try {
          return this.#store.peek(key) !== undefined;
        } catch {
          return true;
        }
      },
      skipped: () => {
        this.#skipped += 1;
        this.#recorder.skipped();
      },
    };
    this.#load = new Load(this.#workload, parts);
  }

  async #carryOut(command: Exclude<Command, StartCommand | { do: 'load' }>): Promise<unknown> {
    switch (command.do) {
      case 'quiet':
        this.#load?.stop();
        await this.#recorder.idle();
        return null;
      case 'status':
        return this.#status();
      case 'close':
        this.#load?.stop();
        return this.#close();
      default:
        return this.#operation(command);
    }
  }

  #operation({ do: op, k, v, timeoutMs = OPERATION_TIMEOUT_MS }: OperationCommand): Promise<unknown> {
    return this.#recorder.run({ op, k, ...(v === undefined ? {} : { v }) }, timeoutMs);
  }

  async #close(): Promise<Closed> {
    const sessionsLost = (): number => this.#store.status().counters.sessionsLost;
    const [from, before] = [this.#stamps.before(), sessionsLost()];
    await this.#store.close();
    const to = this.#stamps.after();
    await this.#recorder.idle();
    this.#recorder.stop();
    return { from, to, limitMs: this.#closeTimeoutMs, lost: sessionsLost() > before };
  }

  #status(): WorkerStatus {
    const { rss, heapUsed, external } = process.memoryUsage();
    const handles: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
    const { user, system } = process.cpuUsage();
    return {
      status: this.#store.status(),
      memory: { rss, heapUsed, external },
      handles,
      inFlight: this.#recorder.inFlight,
      underWay: this.#recorder.underWay(),
      skipped: this.#skipped,
      cpuMs: (user + system) / 1000,
    };
  }

  async #answer(id: number, run: () => Promise<unknown>): Promise<void> {
    let answer: Answer;
    try {
      answer = { ev: 'answer', id, ok: true, r: (await run()) ?? null };
    } catch (error) {
      const { code, message, outcome } = describe(error);
      answer = { ev: 'answer', id, ok: false, code, message, ...(outcome === undefined ? {} : { outcome }) };
    }
    // Before the answer, so that whoever has it finds the operation in the history.
    this.#recorder.flush();
    tell(answer);
  }
}

function describe(error: unknown): Pick<ZiStoreError, 'message' | 'outcome'> & { code: string } {
  if (error instanceof ZiStoreError) return error;
  return { code: 'unexpected', message: String((error as Error | undefined)?.stack ?? error) };
}

let worker: Promise<Worker> | undefined;

async function receive(line: string): Promise<void> {
  const command = JSON.parse(line) as Command;
  if (command.do === 'start') {
    worker = Worker.start(command);
    worker.catch((error: unknown) => {
      const { code, message } = describe(error);
      tell({ ev: 'failed', code, message });
      process.exit(1);
    });
    return;
  }
  if (worker === undefined) throw new Error('the first command must be start');
  await (await worker).command(command);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    receive(line).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
  })
  .on('close', () => process.exit(0));
