/**
 * A ZooKeeper ensemble in virtual time, as docs/protocol.md uses it: several servers, each with a state that may lag
 * and a clock of its own; sessions that live by what reaches the leader server; servers cut off from it that go on
 * answering for a while; changes of the leader server, with which every session has its whole timeout again.
 */
import type { CoordinatorState, Executed } from '../../src/embedded/state.ts';
import type { Clock } from '../../src/ports.ts';
import { type Done, type Entry, newReplica, stepsOf } from './ensemble-log.ts';
import { EnsemblePath, type PathOptions } from './ensemble-path.ts';
import { Reign } from './ensemble-reign.ts';
import { EnsembleServer } from './ensemble-server.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SkewedClock } from './virtual-clock.ts';

/** Messages between servers: their spread stays within what a lease allows for (50 ms beyond half a tick). */
const HOP_MS = [0.1, 8] as const;
const COMMIT_MS = [0.2, 3] as const;
const ELECTION_MS = [30, 400] as const;

export interface EnsembleOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly servers: number;
  readonly tickTimeMs: number;
  /** In ticks: for how long a server that is cut off goes on serving. */
  readonly syncLimit: number;
  /** Rates of the servers' clocks. */
  readonly rate: () => number;
  /** How far a server's state lags behind what it has heard of. */
  readonly applyDelayMs: (server: EnsembleServer) => number;
  readonly log?: ((line: string) => void) | undefined;
}

export interface EnsembleListener {
  /** One step of a change that has happened. */
  done(step: Done): void;
  /** A session has ended, and its ephemeral znodes are gone. */
  ended(session: bigint): void;
}

export class Ensemble {
  readonly servers: readonly EnsembleServer[];
  readonly #options: EnsembleOptions;
  readonly #listener: EnsembleListener;
  /** Everything that has happened, in order. */
  readonly #log: Entry[] = [];
  readonly #truth: CoordinatorState;
  /** Timeouts of the sessions that live. */
  readonly #sessions = new Map<bigint, number>();
  readonly #isolated = new Set<EnsembleServer>();
  /** Of a leader server that lost its majority: what it had proposed by then. */
  #orphans: Entry[] = [];
  #reign: Reign | undefined;
  /** Led by servers that were cut off and do not know yet that another one leads. */
  readonly #abandoned = new Set<Reign>();
  #electing = false;
  #connections = 0;
  #reigns = 0;

  constructor(options: EnsembleOptions, listener: EnsembleListener) {
    this.#options = options;
    this.#listener = listener;
    const { clock, random, tickTimeMs, applyDelayMs } = options;
    this.#truth = newReplica(tickTimeMs);
    this.servers = Array.from({ length: options.servers }, (_, index) => {
      const own = new SkewedClock(clock, options.rate(), random.between(0, 1000));
      const nextConnection = (): number => ++this.#connections;
      const server: EnsembleServer = new EnsembleServer({
        name: `z${index + 1}`,
        clock: own,
        tickTimeMs,
        applyDelayMs: () => applyDelayMs(server),
        nextConnection,
      });
      return server;
    });
    this.#begin();
  }

  get leader(): EnsembleServer | undefined {
    return this.#reign?.leader;
  }

  /** Times that a server has begun to lead. */
  get reigns(): number {
    return this.#reigns;
  }

  path(options: Omit<PathOptions, 'servers'>): EnsemblePath {
    return new EnsemblePath({ ...options, servers: this.servers });
  }

  /**
   * This server hears nothing of the others, nor they of it. `noticed`: the others look for another leader at once,
   * where it was theirs; it finds out by itself.
   */
  isolate(server: EnsembleServer, noticed: boolean): void {
    if (this.#isolated.has(server) || server.down) return;
    this.#isolated.add(server);
    this.#say(`${server.name} is cut off${noticed ? ', which the others notice' : ''}`);
    const reign = this.#reign;
    if (reign === undefined) return;
    if (server !== reign.leader) {
      reign.hold(server);
      return;
    }
    this.#orphans = [...reign.pipeline];
    for (const other of this.servers) if (other !== server) reign.hold(other);
    if (!noticed) return;
    this.#abandon(reign);
    this.#elect();
  }

  /** The others look for another leader server; this one does not know yet. */
  #abandon(reign: Reign): void {
    for (const other of this.servers) {
      if (other === reign.leader || !reign.follows(other)) continue;
      reign.abandonedBy(other);
      other.stopServing();
    }
    this.#abandoned.add(reign);
    this.#reign = undefined;
  }

  rejoin(server: EnsembleServer): void {
    if (!this.#isolated.delete(server)) return;
    this.#say(`${server.name} is no longer cut off`);
    const reign = this.#reign;
    if (reign !== undefined && reign.leader === server) {
      for (const other of this.servers) if (!this.#isolated.has(other)) reign.release(other);
    } else if (reign?.follows(server)) reign.release(server);
    this.#gather();
  }

  /** Its clients and the other servers notice at once. */
  crash(server: EnsembleServer): void {
    if (server.down) return;
    this.#say(`${server.name} crashes`);
    server.down = true;
    const reign = this.#reign;
    server.stopServing();
    if (reign?.leader === server) {
      this.#orphans = [...reign.pipeline];
      for (const other of this.servers) if (reign.follows(other)) other.stopServing();
      reign.end();
      this.#reign = undefined;
      this.#elect();
    } else reign?.drop(server);
  }

  restart(server: EnsembleServer): void {
    server.down = false;
    this.#gather();
  }

  healAll(): void {
    for (const server of this.servers) {
      this.rejoin(server);
      if (server.down) this.restart(server);
    }
  }

  #say(what: string): void {
    this.#options.log?.(`${this.#options.clock.now().toFixed(3)} ensemble: ${what}`);
  }

  get #majority(): number {
    return Math.floor(this.servers.length / 2) + 1;
  }

  get #electable(): EnsembleServer[] {
    return this.servers.filter((server) => !server.down && !this.#isolated.has(server));
  }

  /** Servers without a leader server find the one there is, or one another. */
  #gather(): void {
    const { clock, random } = this.#options;
    clock.setTimer(random.between(1, 30), () => {
      const reign = this.#reign;
      if (reign === undefined || !this.#electable.includes(reign.leader)) this.#elect();
      else {
        for (const server of this.#electable) {
          if (!server.serving) this.#follow(server, reign);
        }
      }
    });
  }

  #elect(): void {
    if (this.#electing) return;
    this.#electing = true;
    const { clock, random } = this.#options;
    clock.setTimer(random.between(...ELECTION_MS), () => {
      this.#electing = false;
      if (this.#electable.length >= this.#majority && !this.#isLed()) this.#begin();
    });
  }

  #isLed(): boolean {
    const reign = this.#reign;
    if (reign === undefined || !this.#electable.includes(reign.leader)) return false;
    return this.#electable.filter((server) => reign.follows(server)).length >= this.#majority;
  }

  #begin(): void {
    const { random, tickTimeMs, syncLimit } = this.#options;
    if (this.#reign !== undefined) this.#abandon(this.#reign);
    const electable = this.#electable;
    const leader = random.pick(electable);
    for (const server of electable) server.stopServing();
    // What had been proposed may have reached a majority, as far as some entry.
    const kept = random.below(this.#orphans.length + 1);
    for (const entry of this.#orphans.splice(0).slice(0, kept)) this.#commit(entry);
    const reign: Reign = new Reign({
      leader,
      tickTimeMs,
      syncLimit,
      hopMs: () => random.between(...HOP_MS),
      commitMs: () => random.between(...COMMIT_MS),
      reaches: (server) => server === leader || !(this.#isolated.has(leader) || this.#isolated.has(server)),
      majority: this.#majority,
      commit: (entry) => this.#commit(entry),
      sessions: this.#sessions,
      lostServer: (server) => this.#lost(server, reign),
      over: () => this.#over(reign),
    });
    this.#reign = reign;
    this.#reigns += 1;
    this.#say(`${leader.name} leads`);
    for (const server of electable) this.#follow(server, reign);
    reign.start();
  }

  #follow(server: EnsembleServer, reign: Reign): void {
    for (const old of [...this.#abandoned]) {
      if (old.leader !== server) continue;
      old.end();
      this.#abandoned.delete(old);
    }
    server.follow(reign.join(server), this.#log);
  }

  #lost(server: EnsembleServer, reign: Reign): void {
    if (this.#reign === reign && server.serving) server.stopServing();
  }

  #over(reign: Reign): void {
    this.#say(`${reign.leader.name} has lost its majority`);
    reign.end();
    this.#abandoned.delete(reign);
    if (this.#reign === reign) this.#reign = undefined;
    reign.leader.stopServing();
    this.#gather();
  }

  #commit(entry: Entry): { session?: bigint } {
    this.#log.push(entry);
    if (entry.kind === 'open') {
      const result = this.#truth.connect({ ...entry.request, sessionId: 0n, lastZxid: 0n }, 0);
      if (result.kind !== 'accepted') return {};
      this.#sessions.set(result.session.id, result.session.timeoutMs);
      return { session: result.session.id };
    }
    if (entry.kind === 'end') {
      this.#truth.endSession(entry.session, 0);
      this.#say(`session ${entry.session.toString(16)} ${entry.origin === undefined ? 'expired' : 'closed'}`);
      if (this.#sessions.delete(entry.session)) this.#listener.ended(entry.session);
      return {};
    }
    const executed: Executed = this.#truth.execute(entry.session, 0, entry.operation, 0);
    for (const step of stepsOf(entry, executed)) this.#listener.done(step);
    return {};
  }
}
