/** Looks at a cluster's znodes from outside: a session of its own that no test cuts. */
import { realClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import type { ZkOperation, ZkReply, ZooKeeperClient } from '../../src/ports.ts';
import { realRandom } from '../../src/random.ts';
import { openZooKeeperWith } from '../../src/zookeeper/client.ts';
import { until } from './wait.ts';

/** Longer than any cut of a test. */
const SESSION_TIMEOUT_MS = 60_000;

type Answered = ZkReply & { ok: true };

export class Observer {
  readonly #client: ZooKeeperClient;
  readonly #root: string;
  readonly #waiting = new Map<number, (reply: ZkReply) => void>();
  #lastRequest = 0;

  private constructor(connectString: string, root: string, connected: () => void) {
    this.#root = root;
    const open = openZooKeeperWith({
      clock: realClock,
      random: realRandom,
      logger: silentLogger,
      connectString,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    });
    const handler = {
      connected,
      disconnected: () => {},
      ended: () => {},
      watch: () => {},
      reply: (request: number, reply: ZkReply) => this.#waiting.get(request)?.(reply),
    };
    this.#client = open(handler, { lastZxid: 0n });
  }

  static async connect(connectString: string, cluster: string): Promise<Observer> {
    return new Promise((resolve) => {
      const observer = new Observer(connectString, `/zistore/${cluster}`, () => resolve(observer));
    });
  }

  /** Addresses of the members. Empty as long as there is no cluster. */
  async members(): Promise<string[]> {
    return this.#children(`${this.#root}/members`);
  }

  async hasMember(address: string): Promise<boolean> {
    return (await this.members()).includes(address);
  }

  untilMember(address: string, there: boolean, timeoutMs = 20_000): Promise<boolean> {
    const what = `member ${address} is ${there ? 'listed' : 'gone'}`;
    return until(what, async () => (await this.hasMember(address)) === there, { timeoutMs, intervalMs: 2 });
  }

  /** Text of a znode of the cluster, by its path below the cluster's. */
  async read(path: string): Promise<string> {
    return (await this.#ask({ op: 'get', path: `${this.#root}/${path}` })).data ?? '';
  }

  async write(path: string, data: string): Promise<void> {
    await this.#ask({ op: 'set', path: `${this.#root}/${path}`, data });
  }

  /** Removes what is left of the cluster and ends the session. */
  async close(): Promise<void> {
    // Best effort: nodes that were cut off leave znodes that go a little later.
    await this.#remove(this.#root).catch(() => {});
    await this.#client.close();
  }

  async #remove(path: string): Promise<void> {
    for (const name of await this.#children(path)) await this.#remove(`${path}/${name}`);
    await this.#ask({ op: 'delete', path });
  }

  async #children(path: string): Promise<string[]> {
    const reply = await this.#reply({ op: 'children', path });
    if (reply.ok) return [...(reply.names ?? [])];
    if (reply.code === 'NO_NODE') return [];
    throw new Error(reply.message);
  }

  async #ask(operation: ZkOperation): Promise<Answered> {
    const reply = await this.#reply(operation);
    if (reply.ok) return reply;
    throw new Error(reply.message);
  }

  #reply(operation: ZkOperation): Promise<ZkReply> {
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    return new Promise((resolve) => {
      this.#waiting.set(request, (reply) => {
        this.#waiting.delete(request);
        resolve(reply);
      });
      this.#client.submit(request, operation);
    });
  }
}
