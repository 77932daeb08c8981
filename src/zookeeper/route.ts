/**
 * Which server to try next, when, how long to wait for it, and from which zxid to start. Pure: told what happened, it
 * answers what to do.
 */
import type { Server } from './connect-string.ts';

/** How an attempt ended: `refused` reached a server, which hung up without an answer. */
export type AttemptResult = 'unreachable' | 'refused' | 'timeout' | 'broken';

export interface Attempt {
  readonly server: Server;
  readonly delayMs: number;
  /** Bound of connecting and of the server's answer together. */
  readonly handshakeMs: number;
  /** Start from zxid 0 instead of the newest zxid seen. */
  readonly fromZero: boolean;
}

/**
 * Servers hang up on a client that has seen a later zxid than they, for ever if their data was lost or restored. After
 * this long, each such refusal is followed by one attempt from zxid 0 at the same server. A server that does not serve
 * at all refuses that too, so a lost quorum is not mistaken for lost data.
 */
export const FUTURE_ZXID_MS = 5000;

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1000;
const SHORTEST_HANDSHAKE_MS = 100;

export class Route {
  private readonly servers: readonly Server[];
  private readonly fraction: () => number;
  private index = -1;
  private failures = 0;
  private timeouts = 0;
  private refusedSince: number | undefined;
  private previous: Attempt | undefined;

  constructor(servers: readonly Server[], fraction: () => number) {
    this.servers = shuffle(servers, fraction);
    this.fraction = fraction;
  }

  /** @param result how the attempt before ended, undefined for the first one */
  next(now: number, result: AttemptResult | undefined, options: { timeoutMs: number; zxid: bigint }): Attempt {
    if (result !== undefined) this.failures += 1;
    if (result === 'timeout') this.timeouts += 1;
    if (result === 'refused') this.refusedSince ??= now;
    const handshakeMs = this.handshakeMs(options.timeoutMs);
    this.previous = this.suspectsFutureZxid(now, result, options.zxid)
      ? { server: this.current(), delayMs: 0, handshakeMs, fromZero: true }
      : { server: this.advance(), delayMs: this.delayMs(options.timeoutMs), handshakeMs, fromZero: false };
    return this.previous;
  }

  established(): void {
    this.refusedSince = undefined;
    this.timeouts = 0;
  }

  /** The connection has lasted: whatever breaks it is a new trouble. Else a server that hangs up after each handshake would be tried without pause. */
  stable(): void {
    this.failures = 0;
  }

  private suspectsFutureZxid(now: number, result: AttemptResult | undefined, zxid: bigint): boolean {
    if (result !== 'refused' || zxid === 0n || this.previous?.fromZero === true) return false;
    return this.refusedSince !== undefined && now - this.refusedSince >= FUTURE_ZXID_MS;
  }

  /** Each server once without delay, then with one that doubles each time round. */
  private delayMs(timeoutMs: number): number {
    const rounds = Math.floor(this.failures / this.servers.length);
    if (rounds === 0) return 0;
    const longest = Math.min(LONGEST_DELAY_MS, timeoutMs / 6);
    return Math.min(longest, FIRST_DELAY_MS * 2 ** Math.min(rounds - 1, 10)) * (0.5 + this.fraction() / 2);
  }

  /** Short enough to try several servers while the session lives; longer after each silence, as the path may be slow. */
  private handshakeMs(timeoutMs: number): number {
    const base = Math.max(SHORTEST_HANDSHAKE_MS, Math.min(timeoutMs / this.servers.length, timeoutMs / 4));
    return Math.max(SHORTEST_HANDSHAKE_MS, Math.min(timeoutMs, base * 2 ** Math.min(this.timeouts, 10)));
  }

  private advance(): Server {
    this.index = (this.index + 1) % this.servers.length;
    return this.current();
  }

  private current(): Server {
    return this.servers[this.index] as Server;
  }
}

function shuffle<T>(items: readonly T[], fraction: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = Math.floor(fraction() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
