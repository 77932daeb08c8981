/** Text and its UTF-8 bytes, without loss. */

/** Not in the ES2023 library; every Node that we support has it. */
interface WellFormedAware {
  isWellFormed(): boolean;
}

/** Whether it has no lone surrogates, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormedAware).isWellFormed();
}

/** Whether its UTF-8 form has more than `max` bytes. Counts only where the length alone does not decide. */
export function exceedsUtf8Bytes(text: string, max: number): boolean {
  if (text.length * 3 <= max) return false;
  return text.length > max || Buffer.byteLength(text, 'utf8') > max;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that has exactly these UTF-8 bytes (a byte order mark is kept), or undefined where there is none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
