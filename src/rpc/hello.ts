/**
 * The hello: who speaks, to whom, of which cluster and wire version, and, given a secret, the proof that both know it.
 * Frames in, frames out; knows no socket.
 *
 *   dialler  → hello      cluster, wire version, both members, a nonce
 *   acceptor → challenge  its own nonce
 *   dialler  → proof      MAC over hello and challenge, or none
 *   acceptor → welcome    its own MAC over the same, or none
 *
 * The dialler proves first: who merely connects to a node learns nothing to guess the secret from. Both MACs cover both
 * nonces and all of the hello, so none can be replayed or used for another pair; each side's has its own label, so a
 * proof cannot be reflected. The MACs guard the hello, not what follows: against who can alter traffic, use TLS.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Packr } from 'msgpackr/pack';
import { WIRE_VERSION } from '../core/messages.ts';
import { type Member, sameMember, toIncarnation } from '../core/types.ts';
import { CLOSE, type CloseCode } from './closing.ts';
import { address, text, tuple, zxid } from './fields.ts';
import { FrameReader, MalformedFrameError, type Raw } from './reader.ts';

/** No frame of a hello is larger; checked before it is read. */
export const MAX_HELLO_BYTES = 4096;

const MAGIC = 'zistore';
const NONCE_BYTES = 16;
const MAC_BYTES = 32;
const MAX_CLUSTER = 512;

export interface Credentials {
  readonly cluster: string;
  readonly secret: string | undefined;
}

/** What to do after a frame of the other side. */
export type HelloStep =
  | { readonly do: 'send'; readonly frame: Uint8Array }
  /** Through. The acceptor has a last frame to send. */
  | { readonly do: 'welcome'; readonly peer: Member; readonly frame?: Uint8Array }
  /** The acceptor knows whom the dialler wants; go on with `answer` as soon as this node is somebody. */
  | { readonly do: 'wait' }
  | { readonly do: 'refuse'; readonly code: CloseCode; readonly reason: string };

const refuse = (code: CloseCode, reason: string): HelloStep => ({ do: 'refuse', code, reason });

const packr = new Packr({ useRecords: false, moreTypes: false });
const cluster = text(MAX_CLUSTER, 'a cluster');

/** 32 hexadecimal digits as a nonce. */
export const toNonce = (guid: string): Uint8Array => Buffer.from(guid, 'hex');

/** The dialler's side of one hello. */
export class Dialling {
  /** The first frame. */
  readonly hello: Uint8Array;
  readonly #credentials: Credentials;
  readonly #peer: Member;
  #challenge: Uint8Array | undefined;

  constructor(credentials: Credentials, self: Member, peer: Member, nonce: Uint8Array) {
    this.#credentials = credentials;
    this.#peer = peer;
    this.hello = packr.pack([
      MAGIC,
      WIRE_VERSION,
      credentials.cluster,
      self.address,
      self.incarnation,
      peer.address,
      peer.incarnation,
      nonce,
    ]);
  }

  /** Throws MalformedFrameError. */
  receive(frame: Uint8Array): HelloStep {
    if (this.#challenge === undefined) {
      this.#challenge = bytes(readTuple(frame, 1)[0], NONCE_BYTES);
      return { do: 'send', frame: packr.pack([this.#mac('dialler', this.#challenge)]) };
    }
    const expected = this.#mac('acceptor', this.#challenge);
    return macsEqual(expected, macOf(frame))
      ? { do: 'welcome', peer: this.#peer }
      : refuse(CLOSE.unauthorized, expected === null ? SECRET_TOO_MANY : SECRET_WRONG);
  }

  #mac(role: Role, challenge: Uint8Array): Uint8Array | null {
    return mac(this.#credentials.secret, role, this.hello, challenge);
  }
}

/** The acceptor's side of one hello. */
export class Accepting {
  readonly #credentials: Credentials;
  readonly #challenge: Uint8Array;
  #state: 'hello' | 'waiting' | 'proof' | 'over' = 'hello';
  #hello: Uint8Array = new Uint8Array(0);
  #from: Member | undefined;
  #to: Member | undefined;

  constructor(credentials: Credentials, nonce: Uint8Array) {
    this.#credentials = credentials;
    this.#challenge = nonce;
  }

  /** Whether it waits for this node to be somebody. */
  get waiting(): boolean {
    return this.#state === 'waiting';
  }

  /** Throws MalformedFrameError. */
  receive(frame: Uint8Array): HelloStep {
    if (this.#state === 'hello') return this.#readHello(frame);
    if (this.#state === 'proof') return this.#readProof(frame);
    throw new MalformedFrameError('a frame out of turn');
  }

  /** After `wait`: this node is `self` now. */
  answer(self: Member): HelloStep {
    this.#state = 'proof';
    return this.#to !== undefined && sameMember(this.#to, self)
      ? { do: 'send', frame: packr.pack([this.#challenge]) }
      : refuse(CLOSE.otherMember, 'another member lives at this address');
  }

  #readHello(frame: Uint8Array): HelloStep {
    const raw = readFrame(frame);
    if (!Array.isArray(raw) || raw[0] !== MAGIC) throw new MalformedFrameError('not a hello');
    // Before anything else is read: another version may have other fields.
    if (raw[1] !== WIRE_VERSION) {
      return refuse(CLOSE.incompatible, `wire version ${WIRE_VERSION} is spoken here, not the caller's`);
    }
    const fields = tuple(raw, 8, 'a hello');
    if (cluster.read(fields[2]) !== this.#credentials.cluster) {
      return refuse(CLOSE.incompatible, 'the node at this address belongs to another cluster');
    }
    this.#from = member(fields[3], fields[4]);
    this.#to = member(fields[5], fields[6]);
    bytes(fields[7], NONCE_BYTES);
    // A copy: the frame may be a view of a buffer that is used again while this hello waits.
    this.#hello = Uint8Array.from(frame);
    this.#state = 'waiting';
    return { do: 'wait' };
  }

  #readProof(frame: Uint8Array): HelloStep {
    this.#state = 'over';
    const { secret } = this.#credentials;
    const expected = mac(secret, 'dialler', this.#hello, this.#challenge);
    if (!macsEqual(expected, macOf(frame))) {
      return refuse(CLOSE.unauthorized, expected === null ? SECRET_TOO_MANY : SECRET_WRONG);
    }
    const welcome = packr.pack([mac(secret, 'acceptor', this.#hello, this.#challenge)]);
    return { do: 'welcome', peer: this.#from as Member, frame: welcome };
  }
}

const SECRET_WRONG = 'the secret is wrong or missing';
const SECRET_TOO_MANY = 'a secret was offered, but none is set here';

type Role = 'dialler' | 'acceptor';

function mac(secret: string | undefined, role: Role, hello: Uint8Array, challenge: Uint8Array): Uint8Array | null {
  if (secret === undefined) return null;
  // The challenge has a fixed length and comes last, so no two different inputs run together to the same bytes.
  return createHmac('sha256', secret).update(`${MAGIC} hello ${role}\0`).update(hello).update(challenge).digest();
}

function macsEqual(expected: Uint8Array | null, given: Uint8Array | null): boolean {
  if (expected === null || given === null) return expected === given;
  return timingSafeEqual(expected, given);
}

function macOf(frame: Uint8Array): Uint8Array | null {
  const [raw] = readTuple(frame, 1);
  return raw === null ? null : bytes(raw, MAC_BYTES);
}

function bytes(raw: Raw | undefined, length: number): Uint8Array {
  if (raw instanceof Uint8Array && raw.length === length) return raw;
  throw new MalformedFrameError(`expected ${length} bytes`);
}

function member(first: Raw | undefined, second: Raw | undefined): Member {
  return { address: address.read(first), incarnation: toIncarnation(zxid.read(second)) };
}

function readTuple(frame: Uint8Array, length: number): readonly Raw[] {
  return tuple(readFrame(frame), length, 'a step of the hello');
}

function readFrame(frame: Uint8Array): Raw {
  if (frame.length > MAX_HELLO_BYTES) throw new MalformedFrameError('a hello that is too long');
  const reader = new FrameReader(frame);
  const raw = reader.read();
  if (!reader.done) throw new MalformedFrameError('bytes behind a step of the hello');
  return raw;
}
