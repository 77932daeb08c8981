/** The console logger: one line a message, whatever the fields hold. */
import { describe, expect, it } from '@jest/globals';
import { type ConsoleLoggerOptions, createConsoleLogger, silentLogger } from '../../src/logger.ts';

function recorded(options: ConsoleLoggerOptions = {}) {
  const lines: string[] = [];
  const logger = createConsoleLogger({ now: () => 0, write: (line) => lines.push(line), ...options });
  return { lines, logger };
}

describe('createConsoleLogger', () => {
  it('writes JSON lines: bigints and errors as text, and no field passes itself off as the message', () => {
    const { lines, logger } = recorded({ format: 'json' });
    logger.warn('lost', { epoch: 2n ** 60n, error: new Error('why'), message: 'forged', text: 'a\nb' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(lines[0]!)).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      message: 'lost',
      epoch: '1152921504606846976',
      error: 'why',
      text: 'a\nb',
    });
  });

  it('writes pretty lines, one each', () => {
    const { lines, logger } = recorded();
    logger.info('leading', { epoch: 5n, detail: 'a\nb' });
    logger.error('gone');
    expect(lines).toEqual(['00:00:00.000 info  leading epoch="5" detail="a\\nb"\n', '00:00:00.000 error gone\n']);
  });

  it('leaves out what is below its level', () => {
    const { lines, logger } = recorded({ level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](level);
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['warn', 'error']);
  });
});

it('the default logger is silent', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(silentLogger[level]('x')).toBeUndefined();
});
