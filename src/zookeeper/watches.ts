/** The watches of a session: set through the library, reported once each, bounded, set again after a reconnection. */
import type { ZkWatchKind } from '../ports.ts';
import type { ConnectionManager, JuteRequest, LoadedLibrary, WatcherEvent } from './library.ts';

type WatchType = 'data' | 'child' | 'existence';

/**
 * Most watches kept. The library cannot take a watch back, so those on paths that never change again would pile up for
 * as long as the session lives. Past this the oldest is reported as if it had fired: a watch is a hint.
 */
export const MOST_WATCHES = 10_000;

/** Bytes of paths in one SetWatches packet; a server breaks the connection at packets of 1 MB (pitfall 10). */
const PACKET_BYTES = 128 * 1024;

const KINDS: Readonly<Record<number, ZkWatchKind>> = { 1: 'created', 2: 'deleted', 3: 'changed', 4: 'children' };
const HINT: Readonly<Record<WatchType, ZkWatchKind>> = { data: 'changed', child: 'children', existence: 'created' };

export class Watches {
  /** One function for all: the library keeps a function only once for each path and type. */
  readonly watcher = (): void => {
    this.heard = true;
  };

  private readonly loaded: LoadedLibrary;
  private readonly manager: ConnectionManager;
  private readonly fired: (path: string, kind: ZkWatchKind) => void;
  private readonly limit: number;
  /** In the order in which they were set. */
  private readonly known = new Map<string, { readonly type: WatchType; readonly path: string }>();
  private heard = false;

  constructor(
    loaded: LoadedLibrary,
    manager: ConnectionManager,
    fired: (path: string, kind: ZkWatchKind) => void,
    limit: number = MOST_WATCHES,
  ) {
    this.loaded = loaded;
    this.manager = manager;
    this.fired = fired;
    this.limit = limit;
    const emit = manager.watcherManager.emit.bind(manager.watcherManager);
    manager.watcherManager.emit = (event) => this.notified(event, emit);
  }

  /** To be called when a reply has set a watch. */
  added(type: WatchType, path: string): void {
    this.known.delete(`${type}:${path}`);
    this.known.set(`${type}:${path}`, { type, path });
    const oldest = this.known.entries().next().value;
    if (this.known.size <= this.limit || oldest === undefined) return;
    const [key, watch] = oldest;
    this.known.delete(key);
    delete this.table(watch.type)[watch.path];
    this.fired(watch.path, HINT[watch.type]);
  }

  /** Asks the server, in packets that it takes, for what happened since `zxid` and for the rest to be watched on. */
  *setAgain(zxid: Buffer): Generator<JuteRequest> {
    const { jute } = this.loaded;
    for (const [data, existence, child] of this.packets()) {
      const header = new jute.protocol.RequestHeader(0, jute.OP_CODES.SET_WATCHES);
      yield new jute.Request(header, new jute.protocol.SetWatches(zxid, data, existence, child));
    }
  }

  /** An event reaches all watches on its path, but is reported once. Unknown types of newer servers are ignored. */
  private notified(event: WatcherEvent, emit: (event: WatcherEvent) => void): void {
    const kind = KINDS[event.type];
    if (kind === undefined) return;
    this.heard = false;
    emit(event);
    if (!this.heard) return;
    for (const type of ['data', 'child', 'existence'] as const) {
      if (!(event.path in this.table(type))) this.known.delete(`${type}:${event.path}`);
    }
    this.fired(event.path, kind);
  }

  private *packets(): Generator<[string[], string[], string[]]> {
    const manager = this.manager.watcherManager;
    const lists = [
      manager.getDataWatcherPaths(),
      manager.getExistenceWatcherPaths(),
      manager.getChildWatcherPaths(),
    ] as const;
    let packet: [string[], string[], string[]] = [[], [], []];
    let bytes = 0;
    for (const index of [0, 1, 2] as const) {
      for (const path of lists[index]) {
        packet[index].push(path);
        bytes += Buffer.byteLength(path) + 4;
        if (bytes < PACKET_BYTES) continue;
        yield packet;
        packet = [[], [], []];
        bytes = 0;
      }
    }
    if (bytes > 0) yield packet;
  }

  private table(type: WatchType): Record<string, unknown> {
    return this.manager.watcherManager[`${type}Watchers`];
  }
}
