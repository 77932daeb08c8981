/** A small world in virtual time: nodes of the real driver and core over the twins of the network and the coordinator. */
import type { Action } from '../../src/core/messages.ts';
import { type Address, type Key, toAddress } from '../../src/core/types.ts';
import { type Node, openNode } from '../../src/node.ts';
import type { Logger } from '../../src/ports.ts';
import { type CoordinatorTwin, startCoordinatorTwin, type TwinHost } from './coordinator-twin.ts';
import { SimProcess } from './process.ts';
import { SeededRandom } from './seeded-random.ts';
import { createMemoryNetwork, type MemoryNetwork } from './transport-twin.ts';
import { VirtualClock } from './virtual-clock.ts';

export { SeededRandom };

export interface WorldOptions {
  readonly seed?: number;
  readonly sessionTimeoutMs?: number;
  readonly tickTimeMs?: number;
  readonly log?: (line: string) => void;
}

/** One node and its path to the coordinator. */
export class SimNode {
  readonly name: string;
  readonly address: Address;
  readonly host: TwinHost;
  readonly process: SimProcess;
  node: Node | undefined;
  opening: Promise<void>;

  constructor(name: string, address: Address, host: TwinHost, process: SimProcess) {
    this.process = process;
    this.name = name;
    this.address = address;
    this.host = host;
    this.opening = Promise.resolve();
  }

  get open(): Node {
    if (this.node === undefined) throw new Error(`${this.name} is not open`);
    return this.node;
  }

  get(key: string): Promise<string | undefined> {
    return this.open.get(key as Key) as Promise<string | undefined>;
  }

  set(key: string, value: string): Promise<boolean> {
    return this.open.write(key as Key, { kind: 'set', value } satisfies Action);
  }

  delete(key: string): Promise<boolean> {
    return this.open.write(key as Key, { kind: 'delete' } satisfies Action);
  }
}

export class World {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly coordinator: CoordinatorTwin;
  readonly nodes: SimNode[] = [];
  readonly options: Required<Omit<WorldOptions, 'log'>> & WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.options = { seed: 1, sessionTimeoutMs: 1000, tickTimeMs: 200, ...options };
    this.random = new SeededRandom(this.options.seed);
    this.network = createMemoryNetwork({ clock: this.clock, random: this.random });
    this.coordinator = startCoordinatorTwin({ clock: this.clock, tickTimeMs: this.options.tickTimeMs });
  }

  /** Starts a node; it opens while time advances. */
  start(name: string, options: { address?: string; candidate?: boolean } = {}): SimNode {
    const address = toAddress(options.address ?? `10.0.0.${this.nodes.length + 1}:7000`);
    const host = this.coordinator.host({ sessionTimeoutMs: this.options.sessionTimeoutMs });
    const sim = new SimNode(name, address, host, new SimProcess(this.clock, () => this.random.fraction()));
    this.nodes.push(sim);
    const [ip, port] = address.split(':') as [string, string];
    sim.opening = openNode(
      {
        cluster: 'sim',
        advertise: { host: ip, port: Number(port) },
        candidate: options.candidate ?? true,
        tickTimeMs: this.options.tickTimeMs,
        connectTimeoutMs: 10_000,
        closeTimeoutMs: 10_000,
        cache: { maxEntries: 1000, maxBytes: 1 << 20 },
        store: { maxBytes: 1 << 24 },
        maxPending: 1000,
        agreement: { wireVersion: 1 },
      },
      {
        clock: sim.process.clock(this.clock),
        random: this.random,
        logger: this.logger(name),
        openZooKeeper: sim.process.zooKeeper(host.open),
        transport: sim.process.transport(this.network.transport(address)),
      },
    ).then((node) => {
      sim.node = node;
    });
    return sim;
  }

  async started(name: string, options: { address?: string; candidate?: boolean } = {}): Promise<SimNode> {
    const sim = this.start(name, options);
    await this.clock.until(`${name} open`, () => sim.node !== undefined, 20_000);
    return sim;
  }

  /** Runs time until the promise is settled. */
  async settle<T>(promise: Promise<T>, limitMs = 20_000): Promise<T> {
    let done = false;
    const outcome = promise.finally(() => {
      done = true;
    });
    outcome.catch(() => {});
    await this.clock.until('the operation is settled', () => done, limitMs);
    return outcome;
  }

  private logger(name: string): Logger {
    const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
      this.options.log?.(`${this.clock.now().toFixed(1)} ${name} ${level} ${message} ${JSON.stringify(fields ?? {})}`);
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  }
}
