/** What callers see at a node, as tests say it. */
import { expect } from '@jest/globals';
import { WorkerError } from '../faults/member.ts';
import { pause, until } from '../support/wait.ts';
import { PATIENCE } from './container-cluster.ts';
import type { NodeContainer } from './node-container.ts';

const SESSION_LOST = 'ZISTORE_SESSION_LOST';
const SOON_MS = 1000;
/** Longer than anything that is not waiting takes, shorter than a session. */
const WAITING_MS = 1200;

let values = 0;

/** One that was never written before. */
export const value = (): string => {
  values += 1;
  return `v${values}`;
};

/** What it resolved to, or the code that it failed with. */
export async function outcomeOf(operation: Promise<unknown>): Promise<unknown> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof WorkerError) return error.code;
    throw error;
  }
}

/** Resolves to what was written: it is tried again where an election of ZooKeeper servers comes between. */
export async function written({ name, member }: NodeContainer, key: string): Promise<string> {
  return until(
    `${name} writes`,
    async () => {
      const next = value();
      await member.put(key, next, PATIENCE.timeoutMs);
      return next;
    },
    PATIENCE,
  );
}

/**
 * What this node reads first. Refusals are waited out: a machine that stands still suspends nodes for a moment, and a
 * lease that is renewed within one session, after a fault, counts from a beat of before it at first, so it may lapse
 * once more.
 */
export function firstRead({ name, member }: NodeContainer, key: string): Promise<string> {
  return until(`${name} reads`, () => member.get(key, SOON_MS), PATIENCE);
}

/** Resolves when this node refuses to read `key`, of which it may have a copy, and to write; it says what it says by. */
export async function expectRefusal(node: NodeContainer, key: string): Promise<void> {
  const { member } = node;
  await until(
    `${node.name} refuses`,
    async () => (await outcomeOf(member.get(key, SOON_MS))) === SESSION_LOST || null,
    PATIENCE,
  );
  await expectRefused(node, key);
}

/** From the first refusal on, for as long as the fault lasts. */
export async function expectRefused({ member }: NodeContainer, key: string): Promise<void> {
  expect(await outcomeOf(member.get(key, SOON_MS))).toBe(SESSION_LOST);
  await expect(member.put(key, value(), SOON_MS)).rejects.toMatchObject({ code: SESSION_LOST, outcome: 'notApplied' });
}

/** An operation that is under way. */
export interface Underway {
  readonly what: string;
  readonly operation: Promise<unknown>;
  isSettled: boolean;
}

export function underway(what: string, operation: Promise<unknown>): Underway {
  const watched: Underway = { what, operation, isSettled: false };
  const settle = (): void => {
    watched.isSettled = true;
  };
  operation.then(settle, settle);
  return watched;
}

/** They have not ended, and do not for a while. */
export async function expectWaiting(...operations: readonly Underway[]): Promise<void> {
  await pause(WAITING_MS);
  const settled = operations.filter(({ isSettled }) => isSettled);
  const results = settled.map(async ({ what, operation }) => `${what}: ${await outcomeOf(operation)}`);
  expect(await Promise.all(results)).toEqual([]);
}

/** They end, and well; the results, in their order. */
export function expectDone(...operations: readonly Underway[]): Promise<unknown[]> {
  return Promise.all(operations.map(({ operation }) => operation));
}
