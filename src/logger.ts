/** Loggers: the silent default, one for consoles, and the guard that keeps a user's logger from harming the node. */
import type { Logger } from './ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function loggerFrom(log: (level: LogLevel, message: string, fields?: Record<string, unknown>) => void): Logger {
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  };
}

export const silentLogger: Logger = loggerFrom(() => {});

export interface ConsoleLoggerOptions {
  /** Messages below it are left out. Default `info`. */
  readonly level?: LogLevel;
  /** `json`: one object a line, with `time`, `level` and `message`; `pretty`: for people. Default `pretty`. */
  readonly format?: 'json' | 'pretty';
  /** Default: standard error, so that standard output stays the program's own. */
  readonly write?: (line: string) => void;
  /** Wall clock, milliseconds since 1970. */
  readonly now?: () => number;
}

export function createConsoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const now = options.now ?? Date.now;
  const render = options.format === 'json' ? jsonLine : prettyLine;
  const least = LEVELS.indexOf(options.level ?? 'info');
  return loggerFrom((level, message, fields) => {
    if (LEVELS.indexOf(level) >= least) write(render(new Date(now()).toISOString(), level, message, fields));
  });
}

/** JSON knows neither bigints (epochs) nor errors. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return value.message;
  return value;
}

function jsonLine(time: string, level: LogLevel, message: string, fields: Record<string, unknown> = {}): string {
  // Named last, so that a field cannot pass itself off as the message.
  return `${JSON.stringify({ ...fields, time, level, message }, plain)}\n`;
}

function prettyLine(time: string, level: LogLevel, message: string, fields: Record<string, unknown> = {}): string {
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value, plain)}`);
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${message}${details.join('')}\n`;
}

/** A logger that throws must not break the protocol step that it was told about: what it throws is dropped. */
export function guardLogger(logger: Logger): Logger {
  return loggerFrom((level, message, fields) => {
    try {
      logger[level](message, fields);
    } catch {
      // Whoever could be told of it is the one that failed.
    }
  });
}
