/** A session that writes down what it is told, in order. */
import type { ZkOperation, ZkReply, ZkSession, ZooKeeperClient } from '../../../src/ports.ts';
import type { World, WorldHost } from './world.ts';

export type Good = Extract<ZkReply, { ok: true }>;
export type Bad = Extract<ZkReply, { ok: false }>;

export class Session {
  readonly client: ZooKeeperClient;
  /** `connected`, `disconnected`, `ended REASON`, `reply N`, `watch PATH KIND`. */
  readonly log: string[] = [];
  readonly connections: ZkSession[] = [];
  readonly #world: World;
  readonly #replies = new Map<number, ZkReply>();
  #next = 1;

  constructor(world: World, host: WorldHost, lastZxid: bigint) {
    this.#world = world;
    this.client = host.open(
      {
        connected: (session) => {
          this.log.push('connected');
          this.connections.push(session);
        },
        disconnected: () => this.log.push('disconnected'),
        ended: (reason) => this.log.push(`ended ${reason}`),
        reply: (request, reply) => {
          this.log.push(`reply ${request}`);
          this.#replies.set(request, reply);
        },
        watch: (path, kind) => this.log.push(`watch ${path} ${kind}`),
      },
      { lastZxid },
    );
  }

  get watches(): string[] {
    return this.log.filter((line) => line.startsWith('watch ')).map((line) => line.slice('watch '.length));
  }

  get end(): string | undefined {
    return this.log.find((line) => line.startsWith('ended '))?.slice('ended '.length);
  }

  async connected(times = 1): Promise<ZkSession> {
    await this.#world.until(`connection ${times}`, () => this.connections.length >= times);
    return this.connections[times - 1]!;
  }

  submit(operation: ZkOperation): number {
    const request = this.#next++;
    this.client.submit(request, operation);
    return request;
  }

  async reply(request: number): Promise<ZkReply> {
    await this.#world.until(`reply ${request}`, () => this.#replies.has(request));
    return this.#replies.get(request)!;
  }

  ask(operation: ZkOperation): Promise<ZkReply> {
    return this.reply(this.submit(operation));
  }

  /** Fails unless it is done. */
  async done(operation: ZkOperation): Promise<Good> {
    const reply = await this.ask(operation);
    if (!reply.ok) throw new Error(`${operation.op}: ${reply.code} ${reply.message} (step ${reply.step})`);
    return reply;
  }

  /** Its error code; fails if it is done. */
  async refused(operation: ZkOperation): Promise<Bad['code']> {
    const reply = await this.ask(operation);
    if (reply.ok) throw new Error(`${operation.op} was expected to fail`);
    return reply.code;
  }

  async close(): Promise<void> {
    let closed = false;
    void this.client.close().then(() => {
      closed = true;
    });
    await this.#world.until('close', () => closed);
  }
}
