/** Whatever frames come, in whatever pieces: each message arrives once, whole and in order, and ws sees to the rest (Z42). */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as ws from 'ws';
import { Connection } from '../../../src/rpc/connection.ts';
import { Intake } from '../../../src/rpc/intake.ts';
import { until } from '../../support/wait.ts';

/** Parts of ws that its types leave out. */
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: object) => EventEmitter & { write(chunk: Buffer): boolean };
  Sender: { frame(data: Buffer, options: object): Buffer[] };
};

const MAX_FRAME_BYTES = 100_000;
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

interface Frame {
  readonly opcode: keyof typeof OPCODE;
  readonly length: number;
  readonly fin?: boolean;
  readonly mask?: 'zero' | 'random';
}

const contentOf = ({ length }: Frame, index: number): Buffer => Buffer.alloc(length, index + 1);

function bytesOf(frame: Frame, index: number, masked: boolean): Buffer {
  const generateMask = (mask: Buffer): void => void mask.fill(frame.mask === 'random' ? 0x5a : 0);
  const { opcode, fin = true } = frame;
  const options = { fin, rsv1: false, opcode: OPCODE[opcode], mask: masked, readOnly: true, generateMask };
  return Buffer.concat(Sender.frame(contentOf(frame, index), options));
}

/** A socket with ws on it, and what was heard from either. */
class Line {
  readonly socket = new EventEmitter();
  readonly heard: string[] = [];
  readonly byWs: string[] = [];
  readonly errors: string[] = [];

  constructor(masked: boolean, others: readonly (() => void)[] = [], options: object = {}) {
    const receiver = new Receiver({ isServer: masked, maxPayload: MAX_FRAME_BYTES, ...options });
    const hear = (what: string): number => this.byWs.push(what) + this.heard.push(what);
    for (const kind of ['message', 'ping', 'pong'] as const) {
      receiver.on(kind, (data: Buffer) => hear(`${kind === 'message' ? '' : kind}${summary(data)}`));
    }
    receiver.on('conclude', (code: number) => hear(`close ${code}`));
    receiver.on('error', (error: Error) => this.errors.push(error.message));
    this.socket.on('data', (chunk: Buffer) => receiver.write(chunk));
    for (const other of others) this.socket.on('data', other);
    Intake.of(this.socket as Socket, masked, MAX_FRAME_BYTES, (frame) => this.heard.push(summary(frame)));
  }

  /** In pieces of these lengths, over and over. */
  send(bytes: Buffer, pieces: readonly number[]): void {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const length = pieces[i % pieces.length]!;
      this.socket.emit('data', Buffer.from(bytes.subarray(at, at + length)));
      at += length;
    }
  }
}

/** It says that it has 126 bytes, and these, and a plain frame, follow. */
function longPing(): Buffer {
  return Buffer.concat([
    Buffer.from([0x89, 0xfe]),
    Buffer.alloc(130),
    bytesOf({ opcode: 'binary', length: 5 }, 0, true),
  ]);
}

const summary = (data: Buffer): string => `${data.length} of ${data.length === 0 ? 'none' : data[0]}`;

const lengths = fc.oneof(fc.nat(20), fc.integer({ min: 120, max: 130 }), fc.integer({ min: 65_530, max: 65_540 }));
const plain = fc.record<Frame>({ opcode: fc.constant('binary'), length: lengths });
const control = fc.record<Frame>({ opcode: fc.constantFrom('ping', 'pong'), length: fc.nat(125) });
const unusual = fc.record<Frame>({ opcode: fc.constant('binary'), length: lengths, mask: fc.constant('random') });
const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 100, max: 70_000 })), {
  minLength: 1,
  maxLength: 12,
});

describe('what comes in', () => {
  it.each([
    ['from who dialled', true],
    ['from who was dialled', false],
  ])('is heard once, whole and in order %s, in whatever pieces it comes', (_who, masked) => {
    const frames = fc.array(fc.oneof({ weight: 6, arbitrary: plain }, { weight: 2, arbitrary: control }, unusual), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(frames, pieces, (all, cut) => {
        const line = new Line(masked);
        line.send(Buffer.concat(all.map((frame, index) => bytesOf(frame, index, masked))), cut);
        const expected = all.map((frame, index) => {
          const said = summary(contentOf(frame, index));
          return frame.opcode === 'binary' ? said : `${frame.opcode}${said}`;
        });
        expect(line.heard).toEqual(expected);
        expect(line.errors).toEqual([]);
      }),
    );
  });

  it('does not pass through ws where it comes whole, also between pings and behind one that came in parts', () => {
    const frames: Frame[] = [200, 70_000, 30].map((length) => ({ opcode: 'binary', length }));
    frames.splice(1, 0, { opcode: 'ping', length: 3 }, { opcode: 'binary', length: 40, mask: 'random' });
    const [first, ...rest] = frames.map((frame, index) => bytesOf(frame, index, true));
    // The header byte by byte, in the middle of it, in the middle of the content, and whole.
    for (const cut of [8, 5, 100, first!.length]) {
      const line = new Line(true);
      line.send(first!.subarray(0, cut), cut === 8 ? [1] : [1000]);
      line.send(Buffer.concat([first!.subarray(cut), ...rest]), [1_000_000]);
      expect(line.heard).toEqual(['200 of 1', 'ping3 of 2', '40 of 3', '70000 of 4', '30 of 5']);
      const byWs = ['ping3 of 2', '40 of 3'];
      expect(line.byWs).toEqual(cut === first!.length ? byWs : ['200 of 1', ...byWs]);
    }
  });

  it('limits: is not read any further after an error of whoever hears it, for that would be in the middle of a frame', () => {
    const line = new Line(true);
    const destroyed: string[] = [];
    Object.assign(line.socket, { destroy: () => destroyed.push('socket') });
    line.heard.push = () => {
      throw new Error('an error of ours');
    };
    expect(() => line.send(bytesOf({ opcode: 'binary', length: 5 }, 0, true), [100])).toThrow('an error of ours');
    expect(destroyed).toEqual(['socket']);
  });

  it('is left to ws from the first frame on that nodes do not send: parts of messages, text, a close', () => {
    const frames: Frame[] = [
      { opcode: 'binary', length: 5 },
      { opcode: 'binary', length: 6, fin: false },
      { opcode: 'ping', length: 0 },
      { opcode: 'continuation', length: 7 },
      { opcode: 'text', length: 8 },
      { opcode: 'binary', length: 9 },
      { opcode: 'close', length: 0 },
    ];
    for (const cut of [[1], [3], [1_000_000]]) {
      const line = new Line(true);
      line.send(Buffer.concat(frames.map((frame, index) => bytesOf(frame, index, true))), cut);
      expect(line.heard).toEqual(['5 of 1', 'ping0 of none', '13 of 2', '8 of 5', '9 of 6', 'close 1005']);
    }
  });

  it('is not looked at any more once it is left to ws, whatever it looks like', () => {
    const plainLooking = Buffer.concat([bytesOf({ opcode: 'binary', length: 5 }, 0, true), Buffer.alloc(20)]);
    const text = Buffer.concat([Buffer.from([0x81, 0x80 + plainLooking.length, 0, 0, 0, 0]), plainLooking]);
    const line = new Line(true, [], { skipUTF8Validation: true });
    line.send(text, [6, 1000]);
    expect(line.heard).toEqual([`${plainLooking.length} of ${plainLooking[0]}`]);
  });

  it.each<[string, Buffer, RegExp]>([
    ['longer than a frame may be', bytesOf({ opcode: 'binary', length: MAX_FRAME_BYTES + 1 }, 0, true), /payload size/],
    ['of 2^63 bytes', Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), /payload length|2\^53/],
    ['not masked by who has to', Buffer.from([0x82, 5, 0, 0, 0, 0, 7, 1, 2, 3, 4, 5]), /MASK must be set/],
    ['a ping that is too long, whatever follows', longPing(), /invalid payload length/],
    ['with reserved bits', Buffer.from([0xc2, 0x80, 0, 0, 0, 0]), /RSV1/],
  ])('limits: a frame that is %s is refused by ws, and nothing of it is heard', async (_what, bytes, why) => {
    for (const cut of [[1], [1_000_000]]) {
      const line = new Line(true);
      line.send(bytes, cut);
      await until('ws says no', () => line.errors.length > 0);
      expect(line.errors[0]).toMatch(why);
      expect(line.heard).toEqual([]);
    }
  });

  it('limits: is not heard any more once ws is closing, as after a frame that it has refused', () => {
    const cancel = (): void => {};
    const clock = { now: () => 0, setTimer: () => cancel };
    const limits = { maxFrameBytes: 100, maxWaitingMessages: 100, maxWaitingBytes: 100, keepaliveMs: 1000 };
    const logger = { debug: cancel, info: cancel, warn: cancel, error: cancel };
    const websocket = Object.assign(new EventEmitter(), { readyState: ws.WebSocket.OPEN, OPEN: ws.WebSocket.OPEN });
    const socket = Object.assign(new EventEmitter(), { bytesRead: 0 }).on('data', () => {});
    const connection = new Connection(websocket as never, socket as never, true, { clock, limits, logger });
    const heard: string[] = [];
    connection.onFrame = (frame) => heard.push(summary(Buffer.from(frame)));
    socket.emit('data', bytesOf({ opcode: 'binary', length: 5 }, 0, false));
    Object.assign(websocket, { readyState: ws.WebSocket.CLOSING });
    socket.emit('data', bytesOf({ opcode: 'binary', length: 6 }, 1, false));
    expect(heard).toEqual(['5 of 1']);
  });

  it('is left to ws altogether where somebody else listens, too', () => {
    const line = new Line(true, [() => {}]);
    line.send(bytesOf({ opcode: 'binary', length: 5 }, 0, true), [100]);
    expect(line.byWs).toEqual(['5 of 1']);
  });
});
