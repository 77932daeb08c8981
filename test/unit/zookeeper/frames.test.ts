import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrameError, FrameReader, LONGEST_FRAME } from '../../../src/zookeeper/frames.ts';
import { frame, int } from '../../support/fake-zookeeper.ts';

function readAll(reader: FrameReader): Buffer[] {
  const frames: Buffer[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) frames.push(Buffer.from(next));
  return frames;
}

describe('FrameReader', () => {
  it('gives the same frames however the stream is cut (pitfall 3)', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 16, maxLength: 60 }), { maxLength: 5 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (contents, sizes) => {
        const frames = contents.map((body) => frame(Buffer.from(body)));
        const stream = Buffer.concat(frames);
        const reader = new FrameReader();
        const seen: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = sizes[i % sizes.length]!;
          reader.push(stream.subarray(at, at + size));
          seen.push(...readAll(reader));
          at += size;
        }
        expect(seen).toEqual(frames);
      }),
    );
  });

  it.each([0, 15, -1, LONGEST_FRAME + 1, 0x48545450])('refuses a frame of %d bytes (pitfall 13)', (size) => {
    const reader = new FrameReader();
    reader.push(int(size));
    expect(() => reader.next()).toThrow(FrameError);
  });
});
