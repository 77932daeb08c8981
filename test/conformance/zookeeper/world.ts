/** What the conformance suite needs of a coordination service, real or not. */
import type { OpenZooKeeper } from '../../../src/ports.ts';

/** A process that uses the service, and the path between them. */
export interface WorldHost {
  readonly open: OpenZooKeeper;
  /** Bytes stop in both directions, connections stay open. */
  cut(): void;
  heal(): void;
}

export interface World {
  readonly tickTimeMs: number;
  /** As configured; undefined where it is not known. */
  readonly maxSessionTimeoutMs: number | undefined;
  host(options: { sessionTimeoutMs: number }): Promise<WorldHost>;
  /** Lets time go by until the condition holds; fails after `timeoutMs`. */
  until(what: string, condition: () => boolean, timeoutMs?: number): Promise<void>;
  /** Lets this much time go by. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export type StartWorld = () => Promise<World>;
