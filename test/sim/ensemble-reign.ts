/**
 * The time during which one server leads the ensemble: it orders the changes, commits what a majority can hear of, and
 * ends the sessions of which it has heard nothing for their timeout. It hears of other servers' clients only in their
 * answers to its pings, every half tick; a change that was passed on does **not** count.
 */
import type { Clock } from '../../src/ports.ts';
import type { Entry } from './ensemble-log.ts';
import type { EnsembleServer, FromLeader, ServerConnection, ToLeader, ToReign } from './ensemble-server.ts';
import { Pipe } from './pipe.ts';

interface TrackedSession {
  readonly timeoutMs: number;
  expiresAt: number;
  /** The connection it is served on now; changes that come on another one are refused. */
  owner: ServerConnection | undefined;
}

interface Link {
  readonly server: EnsembleServer;
  readonly up: Pipe<ToLeader>;
  readonly down: Pipe<FromLeader>;
  heardAt: number;
  toldAt: number;
}

export interface ReignParts {
  readonly leader: EnsembleServer;
  readonly tickTimeMs: number;
  readonly syncLimit: number;
  readonly hopMs: () => number;
  readonly commitMs: () => number;
  /** Whether a message of the leader server's reaches this server just now. */
  readonly reaches: (server: EnsembleServer) => boolean;
  readonly majority: number;
  /** Entered into the log: from here on it has happened. */
  readonly commit: (entry: Entry) => { readonly session?: bigint };
  /** The session timeouts of those that live. */
  readonly sessions: ReadonlyMap<bigint, number>;
  readonly lostServer: (server: EnsembleServer) => void;
  /** The leader server has lost its majority. */
  readonly over: () => void;
}

export class Reign {
  readonly leader: EnsembleServer;
  /** Proposed and not committed, oldest first. */
  readonly pipeline: Entry[] = [];
  readonly #parts: ReignParts;
  readonly #clock: Clock;
  readonly #links = new Map<EnsembleServer, Link>();
  readonly #sessions = new Map<bigint, TrackedSession>();
  readonly #committing: Pipe<Entry>;
  readonly #abandoned = new Set<EnsembleServer>();
  readonly #timers = new Map<string, () => void>();
  #over = false;

  constructor(parts: ReignParts) {
    this.#parts = parts;
    this.leader = parts.leader;
    this.#clock = parts.leader.clock;
    this.#committing = new Pipe(this.#clock, parts.commitMs, () => this.#commitNext());
    // Whoever begins to lead knows of nobody's silence: every session has its whole timeout again.
    for (const [session, timeoutMs] of parts.sessions) this.#track(session, timeoutMs, undefined);
  }

  start(): void {
    const { tickTimeMs } = this.#parts;
    this.#every('ping', tickTimeMs / 2, () => this.#ping());
    this.#every('expire', tickTimeMs, () => this.#expire());
  }

  /** This server, which has caught up, follows from here on. */
  join(server: EnsembleServer): ToReign {
    const now = this.#clock.now();
    const here = server === this.leader;
    const hop = here ? () => 0 : this.#parts.hopMs;
    const link: Link = {
      server,
      up: new Pipe(this.#clock, hop, (message) => this.#receive(link, message)),
      down: new Pipe(server.clock, hop, (message) => {
        link.toldAt = server.clock.now();
        server.fromLeader(message);
      }),
      heardAt: now,
      toldAt: server.clock.now(),
    };
    this.#links.set(server, link);
    this.#resumeCommits();
    return {
      isLeader: here,
      send: (message) => link.up.send(message),
      heard: (session) => this.#touch(session),
    };
  }

  follows(server: EnsembleServer): boolean {
    return this.#links.has(server);
  }

  /** Nothing passes between this server and the leader server; it is held. */
  hold(server: EnsembleServer): void {
    const link = this.#links.get(server);
    link?.up.hold();
    link?.down.hold();
  }

  release(server: EnsembleServer): void {
    const link = this.#links.get(server);
    link?.up.release();
    link?.down.release();
    this.#resumeCommits();
  }

  /** This server looks for another leader; here nobody notices before its silence has lasted too long. */
  abandonedBy(server: EnsembleServer): void {
    const link = this.#links.get(server);
    link?.up.close();
    link?.down.close();
    this.#abandoned.add(server);
  }

  drop(server: EnsembleServer): void {
    const link = this.#links.get(server);
    link?.up.close();
    link?.down.close();
    this.#links.delete(server);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#committing.close();
    for (const server of [...this.#links.keys()]) this.drop(server);
  }

  #every(name: string, periodMs: number, run: () => void): void {
    const next = (): void => {
      const now = this.#clock.now();
      this.#timers.set(
        name,
        this.#clock.setTimer(periodMs - (now % periodMs), () => {
          run();
          if (!this.#over) next();
        }),
      );
    };
    next();
  }

  /** Followers that have heard nothing for too long look for another leader; a leader without a majority gives up. */
  #ping(): void {
    const patience = this.#parts.syncLimit * this.#parts.tickTimeMs;
    const now = this.#clock.now();
    for (const link of [...this.#links.values()]) {
      if (link.server === this.leader) continue;
      if (now - link.heardAt > patience || link.server.clock.now() - link.toldAt > patience) {
        this.drop(link.server);
        this.#parts.lostServer(link.server);
      } else link.down.send({ type: 'ping' });
    }
    if (this.#links.size < this.#parts.majority) this.#parts.over();
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [session, { expiresAt }] of [...this.#sessions]) {
      if (expiresAt > now) continue;
      this.#sessions.delete(session);
      this.#propose({ kind: 'end', session });
    }
  }

  #receive(link: Link, message: ToLeader): void {
    link.heardAt = this.#clock.now();
    if (message.type === 'touches') for (const session of message.sessions) this.#touch(session);
    else if (message.type === 'validate') this.#validate(link, message.connection);
    else this.#take(message.entry);
  }

  #validate(link: Link, connection: ServerConnection): void {
    const session = this.#sessions.get(connection.request?.sessionId ?? 0n);
    if (session !== undefined) {
      session.owner = connection;
      this.#touch(connection.request!.sessionId);
    }
    link.down.send({ type: 'validated', connection, valid: session !== undefined });
  }

  #take(entry: Entry): void {
    if (entry.kind === 'end') this.#sessions.delete(entry.session);
    const session = entry.kind === 'change' ? this.#sessions.get(entry.session) : undefined;
    // The session has moved to another server: what was still on its way here is not carried out.
    if (session?.owner !== undefined && session.owner !== entry.origin && entry.origin !== undefined) {
      entry.origin.server.hangUp(entry.origin);
    } else this.#propose(entry);
  }

  #propose(entry: Entry): void {
    this.pipeline.push(entry);
    this.#committing.send(entry);
  }

  #commitNext(): void {
    if (!this.#hasMajority()) {
      this.#committing.hold();
      // Whatever this entry was, it is still the first in the pipeline; the resumed queue has one turn too few.
      this.#committing.send(this.pipeline[0]!);
      return;
    }
    const entry = this.pipeline.shift();
    if (entry === undefined) return;
    const { session } = this.#parts.commit(entry);
    if (entry.kind === 'open' && session !== undefined) {
      this.#track(session, this.#parts.sessions.get(session)!, entry.origin);
    }
    for (const link of this.#links.values()) link.down.send({ type: 'apply', entry });
  }

  #resumeCommits(): void {
    if (this.#hasMajority()) this.#committing.release();
  }

  #hasMajority(): boolean {
    let reached = 0;
    for (const server of this.#links.keys()) {
      if (!this.#abandoned.has(server) && this.#parts.reaches(server)) reached += 1;
    }
    return reached >= this.#parts.majority;
  }

  #track(session: bigint, timeoutMs: number, owner: ServerConnection | undefined): void {
    this.#sessions.set(session, { timeoutMs, expiresAt: 0, owner });
    this.#touch(session);
  }

  /** Rounded up to the next tick, as ZooKeeper does. */
  #touch(session: bigint): void {
    const tracked = this.#sessions.get(session);
    if (tracked === undefined) return;
    const tick = this.#parts.tickTimeMs;
    tracked.expiresAt = (Math.floor((this.#clock.now() + tracked.timeoutMs) / tick) + 1) * tick;
  }
}
