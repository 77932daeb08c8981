/**
 * Whose fault it is when nobody serves. ZooKeeper 3.8.0 has a defect: followers that lose their leader for a moment and
 * find the same one again, while proposals of its are under way, may never acknowledge those. From then on the ensemble
 * has a leader and followers that answer, and commits nothing any more: no session can be opened, by whomever.
 */
import { connect } from 'node:net';
import type { ServerProcess } from '../support/zookeeper-process.ts';

const LIMIT_MS = 5000;
const SESSION_TIMEOUT_MS = 4000;
const CLOSE_SESSION = -11;

/** A connect request of ZooKeeper's protocol, for a new session. */
function connectRequest(): Buffer {
  const passwordBytes = 16;
  const body = Buffer.alloc(4 + 8 + 4 + 8 + 4 + passwordBytes);
  body.writeInt32BE(SESSION_TIMEOUT_MS, 12);
  body.writeInt32BE(passwordBytes, 24);
  return framed(body);
}

function closeRequest(): Buffer {
  const body = Buffer.alloc(8);
  body.writeInt32BE(1, 0);
  body.writeInt32BE(CLOSE_SESSION, 4);
  return framed(body);
}

function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Whether the ensemble, through this server, opens a session: that takes a committed transaction. Past a bound: no. */
export function opensSession({ host, clientPort }: Pick<ServerProcess, 'host' | 'clientPort'>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: clientPort });
    const timer = setTimeout(() => socket.destroy(), LIMIT_MS);
    let opened = false;
    socket.on('connect', () => socket.write(connectRequest()));
    socket.once('data', () => {
      opened = true;
      socket.end(closeRequest());
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(opened);
    });
  });
}

/** The servers that say that they lead, where the ensemble has one and commits nothing all the same; else none. */
export async function stuckLeaders(servers: readonly ServerProcess[]): Promise<ServerProcess[]> {
  const words = await Promise.all(servers.map((server) => server.srvr()));
  if (words.some((word) => !word.includes('Mode:'))) return [];
  const leaders = servers.filter((_server, i) => words[i]!.includes('Mode: leader'));
  if (leaders.length !== 1) return [];
  const opened = await Promise.all(servers.map(opensSession));
  return opened.some((one) => one) ? [] : leaders;
}
