/** The header of a binary WebSocket frame (RFC 6455), written in front of what it carries. */
import type { FrameWriter } from './writer.ts';

const FINAL_BINARY = 0x82;
const MASKED = 0x80;
const MASK_BYTES = 4;
const MAX_SMALL = 125;

/**
 * What `ws` would send of the same bytes, but in one piece, for one call of the system and no further buffer.
 *
 * A dialler has to mask what it sends, with four bytes that are to be unforeseeable so that a page in a browser cannot
 * put words into the mouth of a proxy between. Nodes speak to nodes, and what they say comes from no page: the mask is
 * zero, which changes no byte, and `ws` sees so at the other end.
 */
export function framed(frame: FrameWriter, masked: boolean): Buffer {
  const { bytes, start, end } = frame.frame;
  const length = end - start;
  const extended = length <= MAX_SMALL ? 0 : length <= 0xffff ? 2 : 8;
  const from = start - (masked ? MASK_BYTES : 0) - extended - 2;
  bytes[from] = FINAL_BINARY;
  if (extended === 0) bytes[from + 1] = length;
  else if (extended === 2) {
    bytes[from + 1] = 126;
    bytes.writeUInt16BE(length, from + 2);
  } else {
    bytes[from + 1] = 127;
    bytes.writeUInt32BE(0, from + 2);
    bytes.writeUInt32BE(length, from + 6);
  }
  if (masked) {
    bytes[from + 1] = (bytes[from + 1] as number) | MASKED;
    bytes.writeUInt32BE(0, start - MASK_BYTES);
  }
  return bytes.subarray(from, end);
}
