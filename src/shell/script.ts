/** The shell without a terminal: commands from a stream, answers as plain lines or JSON objects. */
import type { Writable } from 'node:stream';
import type { Cluster } from './cluster.ts';
import { readLines } from './lines.ts';
import { MAX_LINE_LENGTH } from './parser.ts';
import { colorsFor, renderResult } from './render.ts';
import { errorLine, type Result, toErrorObject } from './results.ts';
import { Session } from './session.ts';

export interface ScriptStreams {
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  readonly errors: Writable;
}

/** Runs all lines, then what is left in the background; resolves to whether every command succeeded. */
export async function runScript(
  cluster: Cluster,
  { input, output, errors }: ScriptStreams,
  options: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const plain = colorsFor({});
  const print = (result: Result, line: string): void => {
    if (options.json) {
      output.write(`${JSON.stringify(result)}\n`);
      return;
    }
    const label = result.background ? `[${line.trim().replace(/[ \t]+&$/, '')}] ` : '';
    if (result.error !== undefined) errors.write(`${label}${errorLine(result.error)}\n`);
    else output.write(`${label}${renderResult(result, plain, null)}\n`);
  };
  const session = new Session(cluster, { print, mayExit: async () => true });
  options.signal.addEventListener('abort', () => void session.cancel(), { once: true });
  let readable = true;
  try {
    for await (const line of readLines(input, MAX_LINE_LENGTH)) {
      await session.handle(line);
      if (session.ended || options.signal.aborted) break;
    }
  } catch (error) {
    if (!options.signal.aborted) {
      readable = false;
      print({ command: '', ok: false, error: toErrorObject(error) }, '');
    }
  }
  if (session.forced || options.signal.aborted) await session.cancel();
  else await session.settle();
  return readable && !session.failed;
}
