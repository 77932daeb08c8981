/** One node in a container: the worker of the fault runs, whose standard input and output are attached to from here. */
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { bundleWorker } from '../faults/bundle.ts';
import { monotonicNs } from '../faults/clock.ts';
import { Member, type WorkerStreams } from '../faults/member.ts';
import type { Timeline } from '../faults/timeline.ts';
import type { WorkerOptions } from '../faults/wire.ts';
import { Container, LabelledContainer, type Membership } from './container.ts';
import { type Engine, NODE_IMAGE } from './engine.ts';
import { CONNECT_STRING, TICK_TIME_MS } from './server-container.ts';

/** Long enough for a busy machine: a node that stands still for so long loses its session. */
export const SESSION_TIMEOUT_MS = 2000;
const PORT = 7400;
const LOG_LINES = 400;
const WORKER = '/worker.mjs';

export interface Networks {
  /** Between nodes. */
  readonly peers: string;
  /** Between nodes and ZooKeeper, and between its servers. */
  readonly coordination: string;
}

export class NodeContainer extends Container {
  readonly networks: Networks;
  /** What it logged last, of all its lives. */
  readonly log: string[] = [];
  readonly #timeline: Timeline;
  #member: Member | undefined;

  private constructor(engine: Engine, name: string, id: string, networks: Networks, timeline: Timeline) {
    super(engine, name, id, membershipsOf(name, networks));
    this.networks = networks;
    this.#timeline = timeline;
  }

  /** Starts the container; its node is opened by `open`. */
  static async start(engine: Engine, number: number, networks: Networks, timeline: Timeline): Promise<NodeContainer> {
    const name = `node${number}`;
    let node: NodeContainer | undefined;
    const container = new WorkerContainer(engine, membershipsOf(name, networks), async (id) => {
      node = new NodeContainer(engine, name, id, networks, timeline);
      await node.#attach();
    });
    await container
      .withCommand(['node', '--enable-source-maps', WORKER])
      .withCopyFilesToContainer([{ source: await bundleWorker(), target: WORKER, mode: 0o644 }])
      .start();
    return node!;
  }

  get member(): Member {
    return this.#member!;
  }

  get isRunning(): boolean {
    return !this.member.isOver;
  }

  /** Resolves when it has joined. */
  async open(cluster: string): Promise<void> {
    const options: WorkerOptions = {
      zookeeper: CONNECT_STRING,
      cluster,
      listen: { host: '0.0.0.0', port: PORT },
      advertise: { host: this.name, port: PORT },
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      tickTimeMs: TICK_TIME_MS,
      connectTimeoutMs: 30_000,
    };
    await this.member.start(options);
  }

  /** SIGKILL; resolves when all that it told has been heard. */
  async kill(): Promise<void> {
    this.#timeline.killed(this.member.client, monotonicNs());
    await this.handle.kill({ signal: 'SIGKILL' });
    await this.member.ended;
  }

  /** After `kill` or a close: the container starts again, its node is opened by `open`. */
  async restart(): Promise<void> {
    await this.#attach();
    await this.handle.start();
  }

  /** To a container that is about to be started: what a process says first is heard as well. */
  async #attach(): Promise<void> {
    const { handle } = this;
    const streams = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    const attached = await handle.attach(streams);
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    handle.modem.demuxStream(attached, stdout, stderr);
    // The engine ends it when the container has ended and everything that it wrote has been passed on.
    const ended = Promise.race([once(attached, 'end'), once(attached, 'close')]).catch(() => {});
    void ended.then(() => {
      stdout.end();
      stderr.end();
    });
    stderr.setEncoding('utf8').on('data', (text: string) => this.#logged(text));
    this.#member = new Member(workerStreams(attached as unknown as Writable, stdout, ended), this.#timeline);
  }

  #logged(text: string): void {
    this.log.push(...text.split('\n').filter((line) => line !== ''));
    this.log.splice(0, this.log.length - LOG_LINES);
  }
}

const workerStreams = (stdin: Writable, stdout: Readable, ended: Promise<unknown>): WorkerStreams => ({
  stdin,
  stdout,
  ended,
});

/** (No host name: engines make it an alias on every network, and a node cut from its peers would be found on the other.) */
const membershipsOf = (name: string, { peers, coordination }: Networks): Membership[] => [
  { network: peers, alias: name },
  { network: coordination },
];

class WorkerContainer extends LabelledContainer {
  readonly #created: (id: string) => Promise<void>;

  constructor(engine: Engine, memberships: readonly Membership[], created: (id: string) => Promise<void>) {
    super(engine, NODE_IMAGE, memberships);
    this.#created = created;
    // Its standard input ends when this process does, and with that it ends itself.
    Object.assign(this.createOpts, { OpenStdin: true, StdinOnce: true, AttachStdin: true, Tty: false });
    this.withUser('1000');
  }

  protected override async containerCreated(id: string): Promise<void> {
    await super.containerCreated(id);
    await this.#created(id);
  }
}
