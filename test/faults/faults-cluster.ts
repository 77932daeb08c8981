/** The nodes of a fault run: at most one on each host, started, ended and watched here, all with the same load. */
import { readFileSync } from 'node:fs';
import { pause } from '../support/wait.ts';
import { monotonicNs } from './clock.ts';
import { Serving } from './faults-serving.ts';
import type { Lab, LabNode } from './lab.ts';
import { Member, WORKER_ENDED, WorkerError } from './member.ts';
import type { Timeline } from './timeline.ts';
import type { LoadShape, WorkerOptions } from './wire.ts';

/** Whatever is broken has been healed: how long until everything has to work again. */
export const RECOVERY_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 30_000;
/** The one reason for which a node may not open; any other is a defect. */
const UNREACHABLE = 'ZISTORE_COORDINATION_UNAVAILABLE';
const START_AGAIN_MS = 200;

export interface ClusterOptions {
  readonly name: string;
  readonly sessionTimeoutMs: number;
  readonly tickTimeMs: number;
  /** Of each node. */
  readonly load: Omit<LoadShape, 'seed'>;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const logTail = ({ logFile }: LabNode): string => readFileSync(logFile, 'utf8').slice(-1000);

/** A node that runs, or is being started or ended. */
export interface Running {
  readonly host: number;
  readonly node: LabNode;
  readonly member: Member;
  /** It is being ended, so its end is no surprise. */
  ending: boolean;
  ready: boolean;
}

export interface NodeStart {
  readonly clockRate?: number;
  readonly newPort?: boolean;
}

export class Cluster {
  readonly timeline: Timeline;
  readonly #lab: Lab;
  readonly #options: ClusterOptions;
  readonly #running = new Map<number, Running>();
  readonly #serving: Serving;
  /** How often a node could not be opened, by code: ZooKeeper was out of reach. */
  readonly refusedStarts: Record<string, number> = {};
  /** What must not have happened. */
  readonly #surprises: string[] = [];
  /** When the nodes were last found to serve, before the servers were looked at. As performance.now(). */
  servingSince = 0;
  #loaded = false;
  #starts = 0;

  constructor(lab: Lab, timeline: Timeline, options: ClusterOptions) {
    this.#lab = lab;
    this.timeline = timeline;
    this.#options = options;
    this.#serving = new Serving(lab, options.say);
  }

  /** How often ZooKeeper itself did not serve. */
  get zookeeperStuck(): number {
    return this.#serving.stuck;
  }

  /** Hosts with a node. */
  hosts(): number[] {
    return [...this.#running.keys()].sort((a, b) => a - b);
  }

  running(): Running[] {
    return this.hosts().map((host) => this.#running.get(host)!);
  }

  at(host: number): Running {
    const running = this.#running.get(host);
    if (running === undefined) throw new Error(`no node on host ${host}`);
    return running;
  }

  /** The host whose node says that it leads, in the newest epoch if there are several. */
  leaderHost(): number | undefined {
    const leading = this.running().filter(({ member }) => member.role === 'leader');
    return leading.sort((a, b) => Number(BigInt(b.member.epoch) - BigInt(a.member.epoch)))[0]?.host;
  }

  /** By the servers' own word; the one of two that says so last asked. */
  async leadingServer(): Promise<number | undefined> {
    const words = await Promise.all(this.#lab.servers.map((server) => server.srvr()));
    const index = words.findIndex((word) => word.includes('Mode: leader'));
    return index === -1 ? undefined : index;
  }

  /** Starts nodes on all hosts, one after the other, and waits until all serve. */
  async startAll(): Promise<void> {
    for (let host = 0; host < this.#lab.hosts; host += 1) await this.start(host);
    await this.serving();
  }

  /** Starts a node on a host without one, again and again until ZooKeeper is in reach, within the limit. */
  async start(host: number, start: NodeStart = {}): Promise<void> {
    const deadline = performance.now() + RECOVERY_LIMIT_MS;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#startOnce(host, attempt === 1 ? start : { ...start, newPort: false });
        return;
      } catch (error) {
        if (!(error instanceof WorkerError)) throw error;
        this.refusedStarts[error.code] = (this.refusedStarts[error.code] ?? 0) + 1;
        this.#options.say(`node ${host} was not opened: ${error.message}`);
        if (error.code !== UNREACHABLE) throw new Error(`node ${host} was refused: ${error.message}`);
        if (performance.now() > deadline) {
          throw new Error(`node ${host} could not be started within ${RECOVERY_LIMIT_MS} ms: ${error.message}`);
        }
        await pause(START_AGAIN_MS);
      }
    }
  }

  async #startOnce(host: number, { clockRate, newPort }: NodeStart): Promise<void> {
    this.#starts += 1;
    const node = await this.#lab.spawn(host, {
      name: `node-${host}-${this.#starts}`,
      ...(clockRate === undefined ? {} : { clockRate }),
      ...(newPort === undefined ? {} : { newPort }),
    });
    const member = new Member(node, this.timeline);
    const running: Running = { host, node, member, ending: false, ready: false };
    this.#running.set(host, running);
    void node.ended.then((how) => this.#ended(running, how));
    try {
      await member.start(this.#workerOptions(node), { clock: node.skewed ? 'uptime' : 'monotonic' });
    } catch (error) {
      // One that cannot be opened says so; one that ends without a word has a defect.
      if (!(error instanceof WorkerError) || error.code !== WORKER_ENDED) throw error;
      throw new Error(`node ${host} ended while it opened: ${logTail(node)}`);
    }
    running.ready = true;
    if (this.#loaded) this.#load(running);
  }

  /** SIGKILL. */
  async kill(host: number): Promise<void> {
    const running = this.at(host);
    running.ending = true;
    this.timeline.killed(running.member.client, monotonicNs());
    await running.node.kill();
    await running.member.ended;
    this.#running.delete(host);
  }

  /** A clean close, bounded. */
  async leave(host: number): Promise<void> {
    const running = this.at(host);
    running.ending = true;
    const late = setTimeout(() => this.#tooLate(running), CLOSE_LIMIT_MS);
    try {
      await running.member.close();
    } catch (error) {
      this.#surprises.push(`node ${host} did not close: ${(error as Error).message}`);
      await running.node.kill();
    } finally {
      clearTimeout(late);
    }
    this.#running.delete(host);
  }

  signal(host: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.at(host).node.signal(signal);
  }

  /** From here on every node has its load, those to come as well. */
  load(): void {
    this.#loaded = true;
    for (const running of this.running()) this.#load(running);
  }

  /** No more load; resolves when every operation has ended, and rejects where one does not. */
  async quiet(): Promise<void> {
    this.#loaded = false;
    await Promise.all(this.running().map(({ member }) => member.quiet()));
  }

  /** Throws if something happened that must not. */
  assertWell(): void {
    if (this.#surprises.length > 0) throw new Error(this.#surprises.join('; '));
  }

  /**
   * Resolves when the nodes of these hosts (default: all) read and write and all ZooKeeper servers serve; rejects past
   * the limit with what was seen.
   */
  async serving(hosts = this.hosts()): Promise<void> {
    const nodes = hosts.map((host) => this.at(host));
    this.servingSince = await this.#serving.all(nodes, RECOVERY_LIMIT_MS, () => this.assertWell());
  }

  /** After all faults, with no load: each of these keys can be written and read everywhere. */
  async keysServe(keys: readonly string[]): Promise<void> {
    await this.#serving.keys(this.running(), keys, RECOVERY_LIMIT_MS, () => this.assertWell());
  }

  /** Followers first, so that nobody hands over to somebody who is leaving, too. */
  async close(): Promise<void> {
    const leader = this.leaderHost();
    for (const host of this.hosts().filter((other) => other !== leader)) await this.leave(host);
    if (leader !== undefined) await this.leave(leader);
  }

  #load({ member }: Running): void {
    member.load({ ...this.#options.load, seed: this.#options.seed * 1000 + member.client });
  }

  #workerOptions({ connectString, listen, advertise }: LabNode): WorkerOptions {
    const { name, sessionTimeoutMs, tickTimeMs } = this.#options;
    return { zookeeper: connectString, cluster: name, listen, advertise, sessionTimeoutMs, tickTimeMs };
  }

  #ended(running: Running, how: string): void {
    if (this.#running.get(running.host) === running && !running.ready) this.#running.delete(running.host);
    if (!running.ending && running.ready)
      this.#surprises.push(`node ${running.host} ended of itself (${how}): ${logTail(running.node)}`);
  }

  #tooLate(running: Running): void {
    this.#surprises.push(`node ${running.host} did not close within ${CLOSE_LIMIT_MS} ms`);
    void running.node.kill();
  }
}
