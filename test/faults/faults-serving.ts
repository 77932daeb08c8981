/** Whether everything works: every server serves, and every node writes, reads what the others wrote, and overwrites it. */
import { pause } from '../support/wait.ts';
import type { Running } from './faults-cluster.ts';
import { stuckLeaders } from './faults-ensemble.ts';
import type { Lab } from './lab.ts';

const PROBE_TIMEOUT_MS = 1000;
const ANSWER_LIMIT_MS = 10_000;
const AGAIN_MS = 20;
const KEYS_AT_ONCE = 16;
/** Nothing of ZooKeeper's takes longer. */
const SUSPICIOUS_MS = 10_000;
/** More often in one run it is no accident. */
const MOST_STUCK = 5;

/** A worker that does not even answer that it failed is as bad as one that fails. */
async function bounded(attempt: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer from the process')), ANSWER_LIMIT_MS);
  });
  try {
    await Promise.race([attempt, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waiting, until a time that may be put off. */
class Patience {
  readonly #limitMs: number;
  /** Throws when there is no use in waiting. */
  readonly #check: () => void;
  #deadline = 0;

  constructor(limitMs: number, check: () => void) {
    this.#limitMs = limitMs;
    this.#check = check;
    this.begin();
  }

  /** Now, or once more. */
  begin(): void {
    this.#deadline = performance.now() + this.#limitMs;
  }

  /** Attempts again and again; past the limit, rejects with what was seen last. */
  async until(what: string, attempt: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await bounded(attempt());
      } catch (error) {
        this.#check();
        if (performance.now() > this.#deadline) {
          throw new Error(`not within ${this.#limitMs} ms: ${what}: ${(error as Error).message}`);
        }
      }
      await pause(AGAIN_MS);
    }
  }
}

export class Serving {
  /** How often ZooKeeper itself did not serve, so that its leader was restarted. */
  stuck = 0;
  readonly #lab: Lab;
  readonly #say: (line: string) => void;
  #probes = 0;

  constructor(lab: Lab, say: (line: string) => void) {
    this.#lab = lab;
    this.#say = say;
  }

  /**
   * Resolves to when all nodes served (as performance.now()), and all servers too.
   * Rejects past the limit, with what was seen last. `check` throws when there is no use in waiting.
   */
  async all(nodes: readonly Running[], limitMs: number, check: () => void): Promise<number> {
    const patience = new Patience(limitMs, check);
    const watch = this.#watch(patience);
    try {
      // Each by itself first: one that takes long must not hide another that takes longer.
      await Promise.all(nodes.map((node) => patience.until(`node ${node.host} serves`, () => this.#alone(node))));
      await patience.until('the nodes serve each other', () => this.#together(nodes));
      const since = performance.now();
      await patience.until('every ZooKeeper server serves', () => this.#servers());
      return since;
    } finally {
      watch.abort();
    }
  }

  /** While nodes do not serve: is it ZooKeeper that does not? Then its leader is restarted, and the waiting begins anew. */
  #watch(patience: Patience): AbortController {
    const over = new AbortController();
    const look = async (): Promise<void> => {
      await pause(SUSPICIOUS_MS);
      while (!over.signal.aborted) {
        const leaders = await stuckLeaders(this.#lab.servers);
        if (over.signal.aborted || this.stuck === MOST_STUCK) return;
        for (const server of leaders) {
          this.stuck += 1;
          this.#say('ZooKeeper has a leader and commits nothing (a defect of its own): restarting that leader');
          await server.kill();
          await server.launch();
          patience.begin();
        }
        await pause(SUSPICIOUS_MS);
      }
    };
    look().catch(() => {}); // of a lab that is being closed
    return over;
  }

  /** After all faults: every one of these keys is written by some node and then read by every node. */
  async keys(nodes: readonly Running[], keys: readonly string[], limitMs: number, check: () => void): Promise<void> {
    const patience = new Patience(limitMs, check);
    const waiting = [...keys];
    const work = async (): Promise<void> => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        const name = key;
        await patience.until(`${name} is written and read everywhere`, () => this.#everywhere(nodes, name));
      }
    };
    await Promise.all(Array.from({ length: KEYS_AT_ONCE }, work));
  }

  async #everywhere(nodes: readonly Running[], key: string): Promise<void> {
    this.#probes += 1;
    const value = `rest-${this.#probes}`;
    await nodes[this.#probes % nodes.length]!.member.put(key, value, PROBE_TIMEOUT_MS);
    await Promise.all(
      nodes.map(async ({ member, host }) => {
        const read = await member.get(key, PROBE_TIMEOUT_MS);
        if (read !== value) throw new Error(`node ${host} reads ${read} for ${key}, which has been ${value} since`);
      }),
    );
  }

  async #alone({ member }: Running): Promise<void> {
    const key = this.#key(member.client);
    await member.put(key, `${key}-a`, PROBE_TIMEOUT_MS);
    const value = await member.get(key, PROBE_TIMEOUT_MS);
    if (value !== `${key}-a`) throw new Error(`wrote ${key}-a and read ${value}`);
  }

  /** Everybody gets a copy of everybody's; then everybody overwrites what another has written. */
  async #together(nodes: readonly Running[]): Promise<void> {
    const keys = nodes.map(({ member }) => this.#key(member.client));
    await Promise.all(nodes.map(({ member }, i) => member.put(keys[i]!, `${keys[i]}-a`, PROBE_TIMEOUT_MS)));
    await this.#everybodyReads(nodes, keys, 'a');
    const next = (i: number): string => keys[(i + 1) % keys.length]!;
    await Promise.all(nodes.map(({ member }, i) => member.put(next(i), `${next(i)}-b`, PROBE_TIMEOUT_MS)));
    await this.#everybodyReads(nodes, keys, 'b');
  }

  async #everybodyReads(nodes: readonly Running[], keys: readonly string[], suffix: string): Promise<void> {
    const read = async ({ member, host }: Running, key: string): Promise<void> => {
      const value = await member.get(key, PROBE_TIMEOUT_MS);
      if (value !== `${key}-${suffix}`) throw new Error(`node ${host} reads ${value} for ${key}-${suffix}`);
    };
    await Promise.all(nodes.flatMap((node) => keys.map((key) => read(node, key))));
  }

  /** One that has ended is started, as whatever keeps servers running would. */
  async #servers(): Promise<void> {
    for (const [index, server] of this.#lab.servers.entries()) {
      if (!server.running) await server.launch();
      if (!(await server.srvr()).includes('Mode:')) throw new Error(`server ${index} does not serve`);
    }
  }

  /** Never used before: a probe that failed has an unknown outcome. */
  #key(client: number): string {
    this.#probes += 1;
    return `probe-${this.#probes}-${client}`;
  }
}
