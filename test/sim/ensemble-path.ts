/** One process that uses the ensemble: its sessions, one after the other, and its ways to the servers. */
import type { Clock, OpenZooKeeper } from '../../src/ports.ts';
import type { EnsembleServer, ServerConnection } from './ensemble-server.ts';
import { type ClientEnd, TwinClient } from './twin-client.ts';
import type { FromServer, ToServer } from './twin-wire.ts';

export interface PathOptions {
  readonly servers: readonly EnsembleServer[];
  readonly sessionTimeoutMs: number;
  /** One way. */
  readonly latencyMs: () => number;
  /** Of the process: it stands still with it. */
  readonly clock: Clock;
  /** The same, for what arrives from the network. */
  readonly networkClock: Clock;
  readonly fraction: () => number;
}

export class EnsemblePath {
  readonly open: OpenZooKeeper;
  readonly latencyMs: () => number;
  readonly #options: PathOptions;
  readonly #links = new Map<ServerConnection, number>();
  readonly #cut = new Set<EnsembleServer>();
  readonly #faults = new Set<'request' | 'reply'>();
  #next: number;

  constructor(options: PathOptions) {
    this.#options = options;
    this.latencyMs = options.latencyMs;
    this.#next = Math.floor(options.fraction() * options.servers.length);
    this.open = (handler, { lastZxid }) => {
      const { clock, sessionTimeoutMs } = options;
      const client = new TwinClient(handler, lastZxid, {
        clock,
        sessionTimeoutMs,
        dial: (deliver) => this.#dial(deliver),
      });
      client.start();
      return client;
    };
  }

  /** Bytes to and from this server stop and are held. Default: all servers. */
  cut(servers: readonly EnsembleServer[] = this.#options.servers): void {
    for (const server of servers) this.#cut.add(server);
    for (const { server, up, down } of this.#links.keys()) {
      if (!this.#cut.has(server)) continue;
      up.hold();
      down.hold();
    }
  }

  /** What was held arrives. */
  heal(): void {
    this.#cut.clear();
    for (const { up, down } of this.#links.keys()) {
      up.release();
      down.release();
    }
  }

  /** Breaks the connection at once; the client notices at once. */
  reset(): void {
    for (const connection of [...this.#links.keys()]) connection.server.hangUp(connection);
  }

  /** The next request is lost with the connection, or carried out and its answer lost with the connection. */
  loseNext(what: 'request' | 'reply'): void {
    this.#faults.add(what);
  }

  take(fault: 'request' | 'reply'): boolean {
    return this.#faults.delete(fault);
  }

  /** The process is gone; servers learn of it at once, unless its whole machine went. */
  crash(silent: boolean): void {
    if (!silent) this.reset();
  }

  /** One end of the connection is gone; bytes of the other may still be under way. */
  leave(connection: ServerConnection): void {
    const ends = (this.#links.get(connection) ?? 0) - 1;
    if (ends > 0) this.#links.set(connection, ends);
    else this.#links.delete(connection);
  }

  #dial(deliver: (message: FromServer) => void): ClientEnd {
    const { servers, networkClock } = this.#options;
    const server = servers[this.#next++ % servers.length]!;
    const connection = server.accept(this, networkClock, deliver);
    this.#links.set(connection, connection.open ? 2 : 1);
    if (this.#cut.size > 0) this.cut([]);
    return {
      send: (message: ToServer) => connection.up.send(message),
      hangUp: () => {
        connection.down.close();
        connection.up.send({ type: 'hungUp' });
        this.leave(connection);
      },
    };
  }
}
