/** The nodes of a simulated cluster, life by life: the real driver and core over twins, each on a clock of its own. */
import type { Group } from '../../src/core/group.ts';
import { type Address, toAddress } from '../../src/core/types.ts';
import { type Node, openNode } from '../../src/node.ts';
import type { Clock, Logger, Transport } from '../../src/ports.ts';
import { expectBirth } from './births.ts';
import type { Ensemble } from './ensemble.ts';
import type { EnsemblePath } from './ensemble-path.ts';
import { SimProcess } from './process.ts';
import type { Profile } from './profiles.ts';
import type { SeededRandom } from './seeded-random.ts';
import { inWords, traced } from './traced.ts';
import type { MemoryNetwork } from './transport-twin.ts';
import { SkewedClock, type VirtualClock } from './virtual-clock.ts';

export const SESSION_TIMEOUT_MS = 1000;
export const TICK_MS = 200;
export const CLUSTER = 'sim';
/** One way between a node and the ensemble. */
const ZK_LATENCY_MS = [0.2, 4] as const;
const CLOSE_TIMEOUT_MS = 4000;

export interface ClusterParts {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly ensemble: Ensemble;
  readonly profile: Profile;
  /** Rates of clocks. */
  readonly rate: () => number;
  readonly log: ((line: string) => void) | undefined;
}

/** One life of one node. */
export interface Life {
  /** Unique over all lives: the client in the history. */
  readonly number: number;
  readonly name: string;
  readonly address: Address;
  readonly candidate: boolean;
  readonly process: SimProcess;
  readonly path: EnsemblePath;
  readonly clock: Clock;
  /** Undefined until it is open. */
  node: Node | undefined;
  /** Undefined until its first step. */
  group: Group | undefined;
  /** `close()` was called. */
  leaving: boolean;
}

export class Cluster {
  readonly lives = new Set<Life>();
  onEnd: (life: Life) => void = () => {};
  readonly #parts: ClusterParts;
  #count = 0;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
  }

  get open(): Life[] {
    return [...this.lives].filter((life) => life.node !== undefined && !life.leaving);
  }

  /** Begins a life at this address. It is tried until it opens. */
  start(address: string, candidate: boolean): void {
    const { clock, random, network, ensemble, profile, rate } = this.#parts;
    const number = ++this.#count;
    const process = new SimProcess(clock, () => random.fraction());
    const own = new SkewedClock(clock, rate(), random.between(0, 5000));
    const path = ensemble.path({
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      latencyMs: () => random.between(...ZK_LATENCY_MS),
      clock: process.clock(own),
      networkClock: process.clock(own, 'zookeeper'),
      fraction: () => random.fraction(),
    });
    const life: Life = {
      number,
      name: `n${number}`,
      address: toAddress(address),
      candidate,
      process,
      path,
      clock: own,
      node: undefined,
      group: undefined,
      leaving: false,
    };
    this.lives.add(life);
    const [host, port] = address.split(':') as [string, string];
    const agreement = { wireVersion: 1 };
    expectBirth(agreement, (group) => {
      life.group = group;
    });
    openNode(
      {
        cluster: CLUSTER,
        advertise: { host, port: Number(port) },
        candidate,
        tickTimeMs: TICK_MS,
        connectTimeoutMs: 10_000,
        closeTimeoutMs: CLOSE_TIMEOUT_MS,
        cache: { maxEntries: profile.cacheEntries, maxBytes: 1 << 20 },
        store: { maxBytes: profile.storeBytes },
        maxPending: 1000,
        agreement,
      },
      {
        clock: process.clock(own),
        random,
        logger: this.#logger(life),
        openZooKeeper: process.zooKeeper(path.open),
        transport: this.#trace(life, process.transport(network.transport(life.address))),
      },
    ).then(
      (node) => this.#opened(life, node),
      () => this.#failed(life),
    );
  }

  /** The process ends. Another life of the address is for others to begin. */
  crash(life: Life, silent: boolean): void {
    life.process.kill();
    this.#parts.network.crash(life.address, { silent });
    life.path.crash(silent);
    this.#end(life);
  }

  /** Leaves cleanly; `then` runs when it has. */
  leave(life: Life, then: () => void): void {
    if (life.node === undefined || life.leaving) return;
    life.leaving = true;
    void life.node.close().then(() => {
      if (!this.lives.has(life)) return;
      this.#end(life);
      then();
    });
  }

  #opened(life: Life, node: Node): void {
    if (!this.lives.has(life)) return;
    life.node = node;
  }

  /** ZooKeeper was not reached in time: whoever starts nodes would start this one again. */
  #failed(life: Life): void {
    if (!this.lives.has(life)) return;
    this.#end(life);
    this.#parts.clock.setTimer(100, () => this.start(life.address, life.candidate));
  }

  #end(life: Life): void {
    if (this.lives.delete(life)) this.onEnd(life);
  }

  #trace({ name }: Life, transport: Transport): Transport {
    const { log, clock } = this.#parts;
    return log === undefined
      ? transport
      : traced(transport, (what) => log(`${clock.now().toFixed(3)} ${name} ${what}`));
  }

  #logger({ name }: Life): Logger {
    const { log, clock } = this.#parts;
    if (log === undefined) return SILENT;
    const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
      log(`${clock.now().toFixed(3)} ${name} ${level} ${message} ${inWords(fields ?? {})}`);
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  }
}

const nothing = (): void => {};
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
