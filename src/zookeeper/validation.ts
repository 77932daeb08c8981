/** Checks an operation before anything of it reaches the library, which throws, or the server, which hangs up. */
import type { ZkMultiStep, ZkOperation } from '../ports.ts';
import { pathProblem } from './paths.ts';

/**
 * Longest request in bytes of paths and data. ZooKeeper's default `jute.maxbuffer` is 1,048,575 bytes for the whole
 * packet; a longer one makes the server break the connection. The rest is room for headers, ACLs and the chroot.
 */
export const LONGEST_REQUEST = 1_000_000;

/** Most steps in one multi: each costs some 60 bytes beside its path and data. */
export const MOST_STEPS = 500;

const MODES: ReadonlySet<unknown> = new Set(['persistent', 'ephemeral', 'ephemeralSequential']);
const KINDS: ReadonlySet<unknown> = new Set(['create', 'delete', 'set', 'get', 'exists', 'children']);
const STEP_KINDS: ReadonlySet<unknown> = new Set(['create', 'delete', 'set', 'check']);

export interface Problem {
  readonly message: string;
  /** multi: the step that is wrong. */
  readonly step?: number;
}

/** What is wrong with the operation; undefined when it may be sent. */
export function operationProblem(operation: ZkOperation): Problem | undefined {
  const wrong = operation.op === 'multi' ? multiProblem(operation.steps) : singleProblem(operation, KINDS);
  if (wrong !== undefined) return typeof wrong === 'string' ? { message: wrong } : wrong;
  const bytes = operation.op === 'multi' ? sum(operation.steps.map(requestBytes)) : requestBytes(operation);
  return bytes <= LONGEST_REQUEST
    ? undefined
    : { message: `the request has ${bytes} bytes, ZooKeeper takes ${LONGEST_REQUEST}` };
}

function multiProblem(steps: readonly ZkMultiStep[]): Problem | string | undefined {
  if (!Array.isArray(steps) || steps.length === 0) return 'a multi must have steps';
  if (steps.length > MOST_STEPS) return `a multi must not have more than ${MOST_STEPS} steps`;
  for (const [step, operation] of steps.entries()) {
    const message = singleProblem(operation, STEP_KINDS);
    if (message !== undefined) return { message, step };
  }
  return undefined;
}

type Single = Exclude<ZkOperation, { op: 'multi' }> | ZkMultiStep;

function singleProblem(operation: Single, kinds: ReadonlySet<unknown>): string | undefined {
  if (!kinds.has(operation.op)) return `no operation "${operation.op}" here`;
  const path = pathProblem(operation.path);
  if (path !== undefined) return path;
  if ('data' in operation && !isText(operation.data)) return 'data must be well-formed text';
  if (operation.op === 'create' && !MODES.has(operation.mode)) return `no create mode "${operation.mode}"`;
  return 'version' in operation ? versionProblem(operation.version) : undefined;
}

const isText = (data: unknown): boolean => typeof data === 'string' && !/\p{Surrogate}/u.test(data);

function versionProblem(version: number | undefined): string | undefined {
  if (version === undefined) return undefined;
  const valid = Number.isInteger(version) && version >= -1 && version < 2 ** 31;
  return valid ? undefined : 'a version must be a whole number from -1 to 2147483647';
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

const requestBytes = (operation: Single): number =>
  Buffer.byteLength(operation.path) + ('data' in operation ? Buffer.byteLength(operation.data) : 0);
