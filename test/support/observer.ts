/** Looks at a cluster's znodes from outside: a session of its own that no test cuts. */
import { createRequire } from 'node:module';
import type { Client, Stat } from 'node-zookeeper-client';
import { until } from './wait.ts';

const zookeeper = createRequire(import.meta.url)('node-zookeeper-client') as typeof import('node-zookeeper-client');

export class Observer {
  readonly #client: Client;
  readonly #root: string;

  private constructor(client: Client, root: string) {
    this.#client = client;
    this.#root = root;
  }

  static async connect(connectString: string, cluster: string): Promise<Observer> {
    const client = zookeeper.createClient(connectString, { sessionTimeout: 30_000 });
    const connected = new Promise<void>((resolve) => client.once('connected', resolve));
    client.connect();
    await connected;
    return new Observer(client, `/zistore/${cluster}`);
  }

  /** Addresses of the members. Empty as long as there is no cluster. */
  members(): Promise<string[]> {
    return this.#children('members');
  }

  election(): Promise<string[]> {
    return this.#children('election');
  }

  async hasMember(address: string): Promise<boolean> {
    return (await this.members()).includes(address);
  }

  untilMember(address: string, there: boolean, timeoutMs = 20_000): Promise<boolean> {
    const what = `member ${address} is ${there ? 'listed' : 'gone'}`;
    return until(what, async () => (await this.hasMember(address)) === there, { timeoutMs, intervalMs: 2 });
  }

  /** Text of a znode of the cluster, by its path below the cluster's. */
  read(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#client.getData(`${this.#root}/${path}`, (error, data) => {
        if (error) reject(error);
        else resolve(data.toString('utf8'));
      });
    });
  }

  write(path: string, text: string): Promise<Stat> {
    return new Promise((resolve, reject) => {
      this.#client.setData(`${this.#root}/${path}`, Buffer.from(text), (error, stat) => {
        if (error) reject(error);
        else resolve(stat);
      });
    });
  }

  /** Removes what is left of the cluster and ends the session. */
  async close(): Promise<void> {
    await this.#removeAll();
    const closed = new Promise<void>((resolve) => this.#client.once('disconnected', resolve));
    this.#client.close();
    await closed;
  }

  /** Best effort: nodes that were cut off leave znodes that go a little later. */
  #removeAll(): Promise<void> {
    const client = this.#client as Client & { removeRecursive(path: string, done: () => void): void };
    return new Promise((resolve) => client.removeRecursive(this.#root, resolve));
  }

  #children(path: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#client.getChildren(`${this.#root}/${path}`, (error, names) => {
        if (!error) resolve(names);
        else if ((error as { code?: number }).code === zookeeper.Exception.NO_NODE) resolve([]);
        else reject(error);
      });
    });
  }
}
