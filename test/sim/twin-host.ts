/** A process that uses the coordinator twin, and the path between them, which tests cut and slow. */
import type { Clock, OpenZooKeeper } from '../../src/ports.ts';
import type { Pipe } from './pipe.ts';
import { type ClientEnd, TwinClient } from './twin-client.ts';
import type { FromServer, ToServer } from './twin-wire.ts';

export interface TwinHostOptions {
  /** What its clients ask for. Default 1000. */
  readonly sessionTimeoutMs?: number;
  /** One way, in milliseconds. Default 1. */
  readonly latencyMs?: number | (() => number);
  /** Of the process that the client runs in. Default: the twin's. */
  readonly clock?: Clock;
}

/** One process that uses the coordinator: its sessions, one after the other, and the path to it. */
export interface TwinHost {
  readonly open: OpenZooKeeper;
  /** Of the newest session, as 16 hexadecimal digits are read; undefined before the first connect. */
  readonly sessionId: bigint | undefined;
  /** Bytes stop in both directions and are held, as in a partition. */
  cut(): void;
  /** What was held arrives. */
  heal(): void;
  /** Breaks the connection at once; the client notices at once. */
  reset(): void;
  /** Ends the session on the server; the client hears of it as soon as the path allows. */
  expireSession(): void;
  /** The next request is carried out, its answer lost with the connection. */
  dropNextReply(): void;
  /** The next request is lost with the connection. */
  dropNextRequest(): void;
  /** The server that this host is connected to has lost its quorum: pings are answered, nothing else, no session touched. */
  isolate(): void;
  /** Ends `isolate`, by breaking the connection. */
  rejoin(): void;
  setLatency(latencyMs: number | (() => number)): void;
}

/** Of the server's side of a connection; also the watcher's number. */
export interface ServerEnd {
  readonly id: number;
  readonly up: Pipe<ToServer>;
  readonly down: Pipe<FromServer>;
  readonly host: Host;
  sessionId: bigint | undefined;
  /** Of the two ends, how many are still there. */
  ends: number;
}

/** The twin, as a host needs it. */
interface Server {
  accept(host: Host, deliver: (message: FromServer) => void): ServerEnd;
  hangUp(connection: number): void;
  expire(sessionId: bigint): void;
}

export class Host implements TwinHost {
  readonly clock: Clock;
  readonly latencyMs: () => number;
  readonly open: OpenZooKeeper;
  isolated = false;
  readonly #twin: Server;
  readonly #faults = new Set<'request' | 'reply'>();
  readonly #links = new Set<ServerEnd>();
  #latency: number | (() => number);
  #cut = false;
  #client: TwinClient | undefined;

  constructor(twin: Server, clock: Clock, options: TwinHostOptions) {
    this.#twin = twin;
    this.clock = clock;
    this.#latency = options.latencyMs ?? 1;
    this.latencyMs = () => (typeof this.#latency === 'number' ? this.#latency : this.#latency());
    this.open = (handler, { lastZxid }) => {
      const sessionTimeoutMs = options.sessionTimeoutMs ?? 1000;
      const client = new TwinClient(handler, lastZxid, {
        clock,
        sessionTimeoutMs,
        dial: (deliver) => this.#dial(deliver),
      });
      this.#client = client;
      client.start();
      return client;
    };
  }

  get sessionId(): bigint | undefined {
    return this.#client?.sessionId;
  }

  cut(): void {
    this.#cut = true;
    for (const { up, down } of this.#links) {
      up.hold();
      down.hold();
    }
  }

  heal(): void {
    this.#cut = false;
    for (const { up, down } of this.#links) {
      up.release();
      down.release();
    }
  }

  reset(): void {
    for (const { id } of [...this.#links]) this.#twin.hangUp(id);
  }

  expireSession(): void {
    if (this.sessionId !== undefined) this.#twin.expire(this.sessionId);
  }

  dropNextReply(): void {
    this.#faults.add('reply');
  }

  dropNextRequest(): void {
    this.#faults.add('request');
  }

  isolate(): void {
    this.isolated = true;
  }

  rejoin(): void {
    this.isolated = false;
    this.reset();
  }

  setLatency(latencyMs: number | (() => number)): void {
    this.#latency = latencyMs;
  }

  /** Whether that fault was ordered; it happens once. */
  take(fault: 'request' | 'reply'): boolean {
    return this.#faults.delete(fault);
  }

  /** One end of the connection is gone; bytes of the other may still be under way. */
  leave(link: ServerEnd): void {
    link.ends--;
    if (link.ends === 0) this.#links.delete(link);
  }

  #dial(deliver: (message: FromServer) => void): ClientEnd {
    const link = this.#twin.accept(this, deliver);
    this.#links.add(link);
    if (this.#cut) this.cut();
    return {
      send: (message: ToServer) => link.up.send(message),
      hangUp: () => {
        link.down.close();
        link.up.send({ type: 'hungUp' });
        this.leave(link);
      },
    };
  }
}
