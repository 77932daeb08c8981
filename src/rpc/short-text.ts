/** Short texts of ASCII out of a frame: with one argument for each char in a third of the time of a call into the runtime. */

type Read = (bytes: Buffer, at: number) => string;

const chars = String.fromCharCode;

const BY_LENGTH: readonly Read[] = [
  () => '',
  (b, i) => chars(b[i]!),
  (b, i) => chars(b[i]!, b[i + 1]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!),
  (b, i) => chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!, b[i + 8]!),
  (b, i) =>
    chars(b[i]!, b[i + 1]!, b[i + 2]!, b[i + 3]!, b[i + 4]!, b[i + 5]!, b[i + 6]!, b[i + 7]!, b[i + 8]!, b[i + 9]!),
  (b, i) =>
    chars(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
      b[i + 8]!,
      b[i + 9]!,
      b[i + 10]!,
    ),
  (b, i) =>
    chars(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
      b[i + 8]!,
      b[i + 9]!,
      b[i + 10]!,
      b[i + 11]!,
    ),
  (b, i) =>
    chars(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
      b[i + 8]!,
      b[i + 9]!,
      b[i + 10]!,
      b[i + 11]!,
      b[i + 12]!,
    ),
  (b, i) =>
    chars(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
      b[i + 8]!,
      b[i + 9]!,
      b[i + 10]!,
      b[i + 11]!,
      b[i + 12]!,
      b[i + 13]!,
    ),
  (b, i) =>
    chars(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
      b[i + 8]!,
      b[i + 9]!,
      b[i + 10]!,
      b[i + 11]!,
      b[i + 12]!,
      b[i + 13]!,
      b[i + 14]!,
    ),
  (b, i) =>
    chars(
      b[i]!,
      b[i + 1]!,
      b[i + 2]!,
      b[i + 3]!,
      b[i + 4]!,
      b[i + 5]!,
      b[i + 6]!,
      b[i + 7]!,
      b[i + 8]!,
      b[i + 9]!,
      b[i + 10]!,
      b[i + 11]!,
      b[i + 12]!,
      b[i + 13]!,
      b[i + 14]!,
      b[i + 15]!,
    ),
];

/** Of bytes that are there, and all below 0x80. */
export function shortText(bytes: Buffer, at: number, length: number): string {
  const read = BY_LENGTH[length];
  return read === undefined ? bytes.toString('latin1', at, at + length) : read(bytes, at);
}
