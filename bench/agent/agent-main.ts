/** A process that holds one contender, or its server, and does as its parent asks. */
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openStore } from '../stores/open.ts';
import type { Store, Target } from '../stores/store.ts';
import { runBatches } from './batch.ts';
import type { JobName, Jobs, Memory, Reply, Request } from './jobs.ts';
import { Load } from './load.ts';
import { monotonicMs, Watch } from './watch.ts';
import { Ycsb } from './ycsb.ts';

const DIST = process.env.ZISTORE_BENCH_DIST!;
const FIRST_WRITE_LIMIT_MS = 30_000;

let store: Store | undefined;
let load: Load | undefined;
let ycsb: Ycsb | undefined;
let watch: Watch | undefined;

function opened<T>(what: T | undefined): T {
  if (what === undefined) throw new Error('nothing is open, or not watched');
  return what;
}

async function open(target: Target): Promise<number> {
  const before = performance.now();
  store = await openStore(target, DIST);
  const took = performance.now() - before;
  load = new Load(store);
  ycsb = new Ycsb(store);
  return took;
}

/** Every `everyMs` a write, whether those before were answered or not; when the first was acknowledged. */
function firstWrite({ key, everyMs }: { key: string; everyMs: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      opened(store)
        .set(key, `${monotonicMs()}`)
        .then(
          () => settle(() => resolve(monotonicMs())),
          () => {},
        );
    };
    const timer = setInterval(attempt, everyMs);
    const late = setTimeout(() => settle(() => reject(new Error('no write was acknowledged'))), FIRST_WRITE_LIMIT_MS);
    const settle = (how: () => void): void => {
      clearInterval(timer);
      clearTimeout(late);
      how();
    };
    attempt();
  });
}

function memory(): Memory {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
}

const JOBS: { readonly [N in JobName]: (argument: never) => unknown } = {
  echo: async () => (await import('../stores/echo.ts')).serveEchoes(),
  open,
  load: (shape: Parameters<Jobs['load']>[0]) => opened(load).run(shape),
  pass: (shape: Parameters<Jobs['pass']>[0]) => opened(load).pass(shape),
  local: (shape: Parameters<Jobs['local']>[0]) => opened(load).local(shape),
  batch: (shape: Parameters<Jobs['batch']>[0]) => runBatches(opened(store), shape),
  ycsb: (shape: Parameters<Jobs['ycsb']>[0]) => opened(ycsb).run(shape),
  firstWrite,
  watch: () => {
    watch = new Watch(opened(store) as never);
    return null;
  },
  moments: () => opened(watch).moments(),
  memory,
  status: () => opened(store).status?.() ?? null,
  close: async () => {
    await store?.close();
    return null;
  },
};

async function answer({ id, job, argument }: Request): Promise<void> {
  let reply: Reply;
  try {
    reply = { id, ok: true, result: (await JOBS[job](argument as never)) ?? null };
  } catch (error) {
    reply = { id, ok: false, message: `${job}: ${(error as Error)?.stack ?? error}` };
  }
  process.send!(reply, () => {
    // So that a profile, if one is taken, is written.
    if (job === 'close') process.exit(0);
  });
}

process.on('message', (request) => void answer(request as Request));
process.on('disconnect', () => process.exit(0));
process.send!('ready');
