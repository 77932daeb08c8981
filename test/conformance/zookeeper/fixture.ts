/** What every case starts with: a world, hosts that are torn down, and a znode of its own. */
import { randomUUID } from 'node:crypto';
import type { ZkOperation } from '../../../src/ports.ts';
import { TIME_SCALE } from '../../support/wait.ts';
import { Session } from './session.ts';
import type { World, WorldHost } from './world.ts';

export const NO_OWNER = '0'.repeat(16);

export class Fixture {
  /** Persistent; everything of the case is below. */
  base = '';
  readonly world: World;
  readonly #sessions: Session[] = [];
  readonly #hosts: WorldHost[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** Of the sessions of most cases: short, as some wait for their end. Every world grants it. */
  get timeoutMs(): number {
    return this.world.tickTimeMs * Math.min(4 * TIME_SCALE, 10);
  }

  /** For sessions that have to outlive a cut which their client noticed, also on a busy machine. */
  get patientTimeoutMs(): number {
    return 2 * this.timeoutMs;
  }

  async setUp(): Promise<void> {
    const { session } = await this.connect();
    this.base = `/conformance-${randomUUID()}`;
    await session.done(create(this.base));
  }

  async connect(options: { sessionTimeoutMs?: number } = {}): Promise<{ session: Session; host: WorldHost }> {
    const host = await this.world.host({ sessionTimeoutMs: options.sessionTimeoutMs ?? this.timeoutMs });
    this.#hosts.push(host);
    const session = this.open(host);
    await session.connected();
    return { session, host };
  }

  open(host: WorldHost, lastZxid = 0n): Session {
    const session = new Session(this.world, host, lastZxid);
    this.#sessions.push(session);
    return session;
  }

  async tearDown(): Promise<void> {
    for (const host of this.#hosts) host.heal();
    await Promise.all(this.#sessions.map((session) => session.close()));
  }
}

export const create = (path: string, data = ''): ZkOperation & { op: 'create' } => ({
  op: 'create',
  path,
  data,
  mode: 'persistent',
});
export const ephemeral = (path: string, data = ''): ZkOperation & { op: 'create' } => ({
  op: 'create',
  path,
  data,
  mode: 'ephemeral',
});
export const sequential = (path: string, data = ''): ZkOperation & { op: 'create' } => ({
  op: 'create',
  path,
  data,
  mode: 'ephemeralSequential',
});
export const get = (path: string, watch = false): ZkOperation => ({ op: 'get', path, watch });
export const exists = (path: string, watch = false): ZkOperation => ({ op: 'exists', path, watch });
export const children = (path: string, watch = false): ZkOperation => ({ op: 'children', path, watch });
export const set = (path: string, data: string, version = -1): ZkOperation & { op: 'set' } => ({
  op: 'set',
  path,
  data,
  version,
});
export const remove = (path: string, version = -1): ZkOperation & { op: 'delete' } => ({ op: 'delete', path, version });
