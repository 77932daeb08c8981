/**
 * Requests and answers between the shell and its child processes, as JSON over Node's IPC channel. The shell asks, the
 * child answers, each request exactly once; a cancelled request is still answered, and the answer dropped.
 */
import { type ErrorObject, toErrorObject } from './results.ts';

/** What a child understands: a request's arguments and its result, by kind. Both plain JSON. */
export type Protocol = Record<string, { readonly args: unknown; readonly result: unknown }>;

export type RequestMessage =
  | { readonly id: number; readonly kind: string; readonly args: unknown }
  | { readonly cancel: number };

export type AnswerMessage =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorObject };

export type Handlers<P extends Protocol> = {
  readonly [K in keyof P]: (args: P[K]['args'], signal: AbortSignal) => Promise<P[K]['result']>;
};

/** A child's end of the channel: `process`, or a stand-in in tests. */
export interface ParentChannel {
  readonly connected: boolean;
  send?(message: unknown, callback?: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

function isRequest(message: unknown): message is RequestMessage {
  if (typeof message !== 'object' || message === null) return false;
  return 'cancel' in message || ('id' in message && 'kind' in message);
}

/**
 * A Ctrl-C on the terminal reaches the whole process group, children included. They leave when the shell says so, or
 * is gone; what the signal means is the shell's to decide.
 */
export function ignoreTerminalSignals(): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});
}

/**
 * Serves the shell until the channel is gone, then calls `orphaned`: nobody would ever end this process otherwise.
 * @param answered is told the kind of each request whose answer has left.
 */
export function serveParent<P extends Protocol>(
  channel: ParentChannel,
  handlers: Handlers<P>,
  hooks: { readonly orphaned: () => void; readonly answered?: (kind: string) => void },
): void {
  const running = new Map<number, AbortController>();
  const answer = (message: AnswerMessage, kind: string): void => {
    if (!channel.connected) return;
    channel.send?.(message, () => hooks.answered?.(kind));
  };
  const run = async (id: number, kind: string, args: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const handler = Object.hasOwn(handlers, kind) ? handlers[kind as keyof P] : undefined;
      if (handler === undefined) throw new Error(`no such request: ${kind}`);
      answer({ id, ok: true, result: (await handler(args as P[keyof P]['args'], controller.signal)) ?? null }, kind);
    } catch (error) {
      answer({ id, ok: false, error: toErrorObject(error) }, kind);
    } finally {
      running.delete(id);
    }
  };
  channel.on('disconnect', hooks.orphaned);
  channel.on('message', (message) => {
    if (!isRequest(message)) return;
    if ('cancel' in message) running.get(message.cancel)?.abort();
    else void run(message.id, message.kind, message.args);
  });
  // The shell may have died before the listeners were there.
  if (!channel.connected) hooks.orphaned();
}
