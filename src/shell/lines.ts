/** Lines of a stream, one at a time, of bounded length, read only as fast as they are taken. */
import { StringDecoder } from 'node:string_decoder';
import { ZiStoreError } from '../errors.ts';

/**
 * The last line needs no line end. CR LF counts as LF.
 * @throws ZISTORE_LIMIT_EXCEEDED when a line is longer than `maxLength` characters.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>, maxLength: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const check = (line: string): string => {
    if (line.length <= maxLength) return line.endsWith('\r') ? line.slice(0, -1) : line;
    throw new ZiStoreError('ZISTORE_LIMIT_EXCEEDED', `a line is longer than ${maxLength} characters`);
  };
  for await (const chunk of input) {
    const parts = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) yield check(part);
    check(rest);
  }
  rest += decoder.end();
  if (rest !== '') yield check(rest);
}
