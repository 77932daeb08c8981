/** Between the words of the ZooKeeperClient port and those of the coordinator's state. */
import {
  type Answer,
  type ChangeOperation,
  ErrorCode,
  type NodeStat,
  type Operation,
} from '../../src/embedded/operations.ts';
import type { Stat, ZkErrorCode, ZkMultiStep, ZkOperation, ZkReply } from '../../src/ports.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const OPEN_ACL = [{ permissions: 31, scheme: 'world', id: 'anyone' }];

export const sessionIdText = (id: bigint): string => id.toString(16).padStart(16, '0');

export function toOperation(operation: ZkOperation): Operation {
  switch (operation.op) {
    case 'get':
      return { op: 'getData', path: operation.path, watch: operation.watch ?? false };
    case 'exists':
      return { op: 'exists', path: operation.path, watch: operation.watch ?? false };
    case 'children':
      return { op: 'getChildren', path: operation.path, watch: operation.watch ?? false, withStat: true };
    case 'multi':
      return { op: 'multi', steps: operation.steps.map(toChange) };
    default:
      return toChange(operation);
  }
}

function toChange(step: ZkMultiStep): ChangeOperation {
  switch (step.op) {
    case 'create':
      return {
        op: 'create',
        path: step.path,
        data: encoder.encode(step.data),
        acl: OPEN_ACL,
        ephemeral: step.mode !== 'persistent',
        sequential: step.mode === 'ephemeralSequential',
      };
    case 'set':
      return { op: 'setData', path: step.path, data: encoder.encode(step.data), version: step.version ?? -1 };
    default:
      return { op: step.op, path: step.path, version: step.version ?? -1 };
  }
}

const CODES: Readonly<Record<number, ZkErrorCode>> = {
  [ErrorCode.noNode]: 'NO_NODE',
  [ErrorCode.nodeExists]: 'NODE_EXISTS',
  [ErrorCode.badVersion]: 'BAD_VERSION',
  [ErrorCode.notEmpty]: 'NOT_EMPTY',
  [ErrorCode.badArguments]: 'BAD_ARGUMENTS',
  [ErrorCode.sessionExpired]: 'SESSION_ENDED',
};

export function toReply(operation: ZkOperation, zxid: bigint, answer: Answer): ZkReply {
  if (operation.op === 'exists' && answer.code === ErrorCode.noNode) return { ok: true, zxid, stat: null };
  if (answer.code !== 0) return failure(answer.code);
  if (answer.steps !== undefined) return toMultiReply(zxid, answer.steps);
  return {
    ok: true,
    zxid,
    ...(answer.path === undefined ? {} : { path: answer.path }),
    ...(answer.names === undefined ? {} : { names: answer.names }),
    ...(answer.data === undefined ? {} : { data: decoder.decode(answer.data ?? undefined) }),
    ...(answer.stat === undefined || operation.op === 'set' ? {} : { stat: toStat(answer.stat) }),
  };
}

function toMultiReply(zxid: bigint, steps: NonNullable<Answer['steps']>): ZkReply {
  const culprit = steps.findIndex((step) => step.code !== 0);
  if (culprit !== -1) return { ...failure(steps[culprit]!.code), step: culprit };
  return { ok: true, zxid, paths: steps.map((step) => step.path) };
}

function failure(code: number): Extract<ZkReply, { ok: false }> {
  return { ok: false, code: CODES[code] ?? 'OTHER', message: `ZooKeeper error ${code}` };
}

function toStat(stat: NodeStat): Stat {
  const { czxid, mzxid, pzxid, version, ephemeralOwner } = stat;
  return { czxid, mzxid, pzxid, version, ephemeralOwner: sessionIdText(ephemeralOwner) };
}
