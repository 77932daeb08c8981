/** From the library's results and ZooKeeper's error numbers to the port's replies. */
import type { Stat, ZkErrorCode, ZkReply } from '../ports.ts';
import type { LibraryStat } from './library.ts';

export const SESSION_EXPIRED = -112;
export const SESSION_MOVED = -118;
const THROTTLED = -127;
/** Given to the steps of a multi that stand after the one that failed. */
export const NOT_REACHED = -2;

const CODES: ReadonlyMap<number, ZkErrorCode> = new Map([
  [-8, 'BAD_ARGUMENTS'],
  [-101, 'NO_NODE'],
  [-102, 'NO_AUTH'],
  [-103, 'BAD_VERSION'],
  [-110, 'NODE_EXISTS'],
  [-111, 'NOT_EMPTY'],
  [SESSION_EXPIRED, 'SESSION_ENDED'],
  // The server refused these before carrying anything out: the same as if they had not been sent.
  [SESSION_MOVED, 'NOT_SENT'],
  [THROTTLED, 'NOT_SENT'],
]);

/** Any number is taken: servers newer than the library have codes that it does not know (pitfall 4). */
export function serverError(code: number, step?: number): ZkReply {
  const name = CODES.get(code) ?? 'OTHER';
  const message = `ZooKeeper answered ${name} (${code})`;
  return step === undefined ? { ok: false, code: name, message } : { ok: false, code: name, message, step };
}

export const badArguments = (message: string, step?: number): ZkReply =>
  step === undefined
    ? { ok: false, code: 'BAD_ARGUMENTS', message }
    : { ok: false, code: 'BAD_ARGUMENTS', message, step };

export const NOT_CONNECTED: ZkReply = { ok: false, code: 'NOT_SENT', message: 'not connected to ZooKeeper' };
export const TOO_MANY: ZkReply = { ok: false, code: 'NOT_SENT', message: 'too many open ZooKeeper requests' };
export const CONNECTION_LOSS: ZkReply = {
  ok: false,
  code: 'CONNECTION_LOSS',
  message: 'the connection to ZooKeeper broke before the answer came',
};
export const SESSION_ENDED: ZkReply = { ok: false, code: 'SESSION_ENDED', message: 'the ZooKeeper session is over' };

export function toStat(stat: LibraryStat): Stat {
  return {
    czxid: stat.czxid.readBigInt64BE(),
    mzxid: stat.mzxid.readBigInt64BE(),
    pzxid: stat.pzxid.readBigInt64BE(),
    version: stat.version,
    ephemeralOwner: stat.ephemeralOwner.toString('hex'),
  };
}
