/** A node's transport on a live port, honest neighbours, and callers that are not. */
import { connect, type Socket } from 'node:net';
import { Packr } from 'msgpackr';
import { WebSocket } from 'ws';
import { realClock } from '../../../src/clock.ts';
import { toAddress, toIncarnation } from '../../../src/core/types.ts';
import type { Logger } from '../../../src/ports.ts';
import { realRandom } from '../../../src/random.ts';
import { Dialling } from '../../../src/rpc/hello.ts';
import { createWsTransport, type WsTransportOptions } from '../../../src/rpc/transport.ts';
import { numbered, numbers, Owner } from '../../conformance/transport/harness.ts';
import { scaled, until } from '../../support/wait.ts';

export const HELLO_TIMEOUT_MS = scaled(400);
const packr = new Packr({ useRecords: false });
export const frame = (...fields: unknown[]): Buffer => packr.pack(fields);

export interface Ended {
  readonly code: number;
  readonly reason: string;
}

export class Rig {
  /** What the transports logged at `error`. */
  readonly errors: string[] = [];
  readonly #owners: Owner[] = [];
  readonly #sockets: { destroy(): void }[] = [];

  owner(options: Partial<WsTransportOptions> = {}): Owner {
    const ignore = (): void => {};
    const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (text) => void this.errors.push(text) };
    const owner = new Owner(
      createWsTransport({
        listen: { host: '127.0.0.1', port: 0 },
        cluster: 'default',
        helloTimeoutMs: HELLO_TIMEOUT_MS,
        logger,
        clock: realClock,
        random: realRandom,
        ...options,
      }),
    );
    this.#owners.push(owner);
    return owner;
  }

  async node(incarnation: number, options: Partial<WsTransportOptions> = {}): Promise<Owner> {
    const owner = await this.owner(options).listen();
    owner.identify(incarnation);
    return owner;
  }

  /** A WebSocket to a node, with the end that it will come to. */
  websocket(
    node: Owner,
    headers: Record<string, string> = {},
  ): { ws: WebSocket; open: Promise<void>; ended: Promise<Ended> } {
    const ws = new WebSocket(`ws://${node.address}/`, { headers, perMessageDeflate: false });
    this.#sockets.push({ destroy: () => ws.terminate() });
    ws.on('error', () => {});
    const open = new Promise<void>((resolve) => ws.once('open', resolve));
    const ended = new Promise<Ended>((resolve) =>
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    return { ws, open, ended };
  }

  /** A bare TCP connection to a node. */
  tcp(node: Owner): { socket: Socket; closed: Promise<void> } {
    const colon = node.address.lastIndexOf(':');
    const socket = connect({ host: node.address.slice(0, colon), port: Number(node.address.slice(colon + 1)) });
    this.#sockets.push(socket);
    socket.on('error', () => {}).resume();
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
  }

  /** A WebSocket whose hello went through, as member `node:1` with incarnation 77. */
  async admitted(node: Owner, incarnation: number, secret?: string) {
    const from = { address: toAddress('node:1'), incarnation: toIncarnation(77n) };
    const dialling = new Dialling({ cluster: 'default', secret }, from, node.member(incarnation), Buffer.alloc(16, 1));
    const caller = this.websocket(node);
    const sent: Uint8Array[] = [dialling.hello];
    const welcome = new Promise<void>((resolve) => {
      caller.ws.on('message', (data: Buffer) => {
        const step = dialling.receive(data);
        if (step.do === 'welcome') {
          caller.ws.removeAllListeners('message');
          resolve();
        }
        if (step.do !== 'send') return;
        sent.push(step.frame);
        caller.ws.send(step.frame);
      });
    });
    await caller.open;
    caller.ws.send(dialling.hello);
    await welcome;
    await until('the caller is up', () => node.live('in').length >= 1);
    return { ...caller, from, sent };
  }

  async connect(a: Owner, b: Owner, incarnation: number): Promise<void> {
    a.transport.dial(b.member(incarnation));
    await until('a connection', () => a.live('out').length === 1 && b.live('in').length >= 1);
  }

  /** That messages still pass from one node to another, on the connection that they have had all along. */
  async expectHealthy(a: Owner, b: Owner): Promise<void> {
    const id = numbers(b).length + 1;
    a.transport.send(a.live('out')[0] as number, numbered(id));
    await until('a message between honest nodes', () => numbers(b).includes(id));
    if (a.of('down').length > 0) throw new Error('an honest connection went down');
    if (this.errors.length > 0) throw new Error(`errors were logged: ${this.errors.join('; ')}`);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
    await Promise.all(this.#owners.splice(0).map((owner) => owner.transport.close()));
    this.errors.length = 0;
  }
}
