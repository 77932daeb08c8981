/** Sessions and when they expire. Pure: time is passed in. */

export interface Session {
  readonly id: bigint;
  readonly password: Uint8Array;
  timeoutMs: number;
  /** A multiple of the tick; the session is over once that time has come. */
  expiresAt: number;
}

export interface SessionLimits {
  readonly tickTimeMs: number;
  /** ZooKeeper's default: 2 ticks. */
  readonly minSessionTimeoutMs: number;
  /** ZooKeeper's default: 20 ticks. */
  readonly maxSessionTimeoutMs: number;
  readonly maxSessions: number;
}

export class SessionTable {
  readonly #limits: SessionLimits;
  readonly #newPassword: () => Uint8Array;
  readonly #sessions = new Map<bigint, Session>();
  #lastId: bigint;

  constructor(limits: SessionLimits, firstId: bigint, newPassword: () => Uint8Array) {
    this.#limits = limits;
    this.#newPassword = newPassword;
    this.#lastId = firstId - 1n;
  }

  get size(): number {
    return this.#sessions.size;
  }

  ids(): bigint[] {
    return [...this.#sessions.keys()];
  }

  get(id: bigint): Session | undefined {
    return this.#sessions.get(id);
  }

  /** undefined where there are as many sessions as there may be. */
  open(askedTimeoutMs: number, now: number): Session | undefined {
    if (this.#sessions.size >= this.#limits.maxSessions) return undefined;
    const id = ++this.#lastId;
    const session = { id, password: this.#newPassword(), timeoutMs: this.#negotiate(askedTimeoutMs), expiresAt: 0 };
    this.#sessions.set(id, session);
    this.touch(session, now);
    return session;
  }

  /** undefined where it is over, or the password is not its own. */
  reattach(id: bigint, password: Uint8Array, askedTimeoutMs: number, now: number): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || !sameBytes(session.password, password)) return undefined;
    session.timeoutMs = this.#negotiate(askedTimeoutMs);
    this.touch(session, now);
    return session;
  }

  /** Rounded up to the next tick, as ZooKeeper does: expiry is never early and up to one tick late. */
  touch(session: Session, now: number): void {
    const tick = this.#limits.tickTimeMs;
    session.expiresAt = (Math.floor((now + session.timeoutMs) / tick) + 1) * tick;
  }

  touchAll(now: number): void {
    for (const session of this.#sessions.values()) this.touch(session, now);
  }

  /** Every session lives longer by this, rounded up to ticks. */
  postpone(ms: number): void {
    const tick = this.#limits.tickTimeMs;
    for (const session of this.#sessions.values()) session.expiresAt += Math.ceil(ms / tick) * tick;
  }

  overdue(now: number): Session[] {
    return [...this.#sessions.values()].filter((session) => session.expiresAt <= now);
  }

  remove(id: bigint): boolean {
    return this.#sessions.delete(id);
  }

  #negotiate(askedMs: number): number {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#limits;
    return Math.min(Math.max(askedMs, minSessionTimeoutMs), maxSessionTimeoutMs);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}
