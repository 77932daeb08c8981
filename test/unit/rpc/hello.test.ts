/** The hello, on bytes: what is proven, and what proves nothing. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { toAddress, toIncarnation } from '../../../src/core/types.ts';
import { MalformedFrameError } from '../../../src/rpc/codec.ts';
import { Accepting, Dialling, type HelloStep } from '../../../src/rpc/hello.ts';

const member = (port: number) => ({ address: toAddress(`node:${port}`), incarnation: toIncarnation(BigInt(port)) });
const [self, peer] = [member(1), member(2)];
const SECRET = 'a secret of the whole cluster';
const nonceOf = (byte: number) => Buffer.alloc(16, byte);
const packr = new Packr({ useRecords: false });

const dialling = (secret?: string, nonce = nonceOf(1), to = peer) =>
  new Dialling({ cluster: 'c', secret }, self, to, nonce);
const accepting = (secret?: string, nonce = nonceOf(2)) => new Accepting({ cluster: 'c', secret }, nonce);

function sent(step: HelloStep): Uint8Array {
  if (step.do === 'send') return step.frame;
  if (step.do === 'welcome' && step.frame !== undefined) return step.frame;
  throw new Error(`nothing was sent: ${JSON.stringify(step)}`);
}

/** As far as the proof. */
function prove(dialler: Dialling, acceptor: Accepting): Uint8Array {
  expect(acceptor.receive(dialler.hello)).toEqual({ do: 'wait' });
  return sent(dialler.receive(sent(acceptor.answer(peer))));
}

const UNAUTHORIZED = { do: 'refuse', code: 4001 };

describe('a hello', () => {
  it.each([undefined, SECRET])('tells each who the other one is (secret: %s)', (secret) => {
    const [dialler, acceptor] = [dialling(secret), accepting(secret)];
    const welcome = acceptor.receive(prove(dialler, acceptor));
    expect(welcome).toMatchObject({ do: 'welcome', peer: self });
    expect(dialler.receive(sent(welcome))).toEqual({ do: 'welcome', peer });
  });

  it.each([
    [SECRET, `${SECRET} `],
    [undefined, SECRET],
    [SECRET, undefined],
  ])('is refused by the acceptor when the secrets are %s and %s', (at, there) => {
    const [dialler, acceptor] = [dialling(at), accepting(there)];
    expect(acceptor.receive(prove(dialler, acceptor))).toMatchObject(UNAUTHORIZED);
  });

  it('gives nothing to guess the secret from to who only connects: the dialler proves first', () => {
    const [dialler, acceptor] = [dialling(), accepting(SECRET)];
    acceptor.receive(dialler.hello);
    const challenge = acceptor.answer(peer);
    expect(packr.unpack(sent(challenge))).toEqual([nonceOf(2)]);
    expect(acceptor.receive(sent(dialler.receive(sent(challenge))))).toEqual({
      ...UNAUTHORIZED,
      reason: expect.any(String),
    });
  });

  it('is refused by the dialler when the acceptor proves nothing, or hands its own proof back', () => {
    for (const welcome of [(_proof: Uint8Array) => packr.pack([null]), (proof: Uint8Array) => proof]) {
      const [dialler, acceptor] = [dialling(SECRET), accepting(SECRET)];
      expect(dialler.receive(welcome(prove(dialler, acceptor)))).toMatchObject(UNAUTHORIZED);
    }
  });

  it('is refused when its proof was made for another challenge, another hello or another addressee', () => {
    const proofs = [
      prove(dialling(SECRET), accepting(SECRET, nonceOf(3))),
      prove(dialling(SECRET, nonceOf(4)), accepting(SECRET)),
    ];
    for (const proof of proofs) {
      const acceptor = accepting(SECRET);
      prove(dialling(SECRET), acceptor);
      expect(acceptor.receive(proof)).toMatchObject(UNAUTHORIZED);
    }
    const other = accepting(SECRET);
    expect(other.receive(dialling(SECRET, nonceOf(1), member(3)).hello)).toEqual({ do: 'wait' });
    expect(other.answer(peer)).toMatchObject({ do: 'refuse', code: 4002 });
  });

  it('is never welcomed with a changed byte anywhere', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, at, flip) => {
        const change = (frame: Uint8Array, here: boolean): Uint8Array => {
          const changed = Uint8Array.from(frame);
          if (here) changed[at % changed.length] = (changed[at % changed.length] as number) ^ flip;
          return changed;
        };
        const [dialler, acceptor] = [dialling(SECRET), accepting(SECRET)];
        try {
          const asked = acceptor.receive(change(dialler.hello, which === 0));
          if (asked.do === 'refuse') return;
          const challenge = acceptor.answer(peer);
          if (challenge.do === 'refuse') return;
          const proof = sent(dialler.receive(sent(challenge)));
          expect(acceptor.receive(change(proof, which === 1))).toMatchObject(UNAUTHORIZED);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFrameError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes no frame out of turn', () => {
    const acceptor = accepting();
    acceptor.receive(dialling().hello);
    expect(() => acceptor.receive(dialling().hello)).toThrow(MalformedFrameError);
  });
});
