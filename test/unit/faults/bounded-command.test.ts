/** Commands of tests end, and leave nothing behind. */
import { describe, expect, it } from '@jest/globals';
import { boundedCommand } from '../../support/bounded-command.ts';
import { isRunning } from '../../support/owned-folder.ts';
import { until } from '../../support/wait.ts';

const node = (script: string, limitMs: number, graceMs = 20_000) =>
  boundedCommand(process.execPath, ['-e', script], { limitMs, graceMs });

describe('a command of a test', () => {
  it('ends by itself', async () => {
    const ended = await node("console.log('out'); console.error('err'); process.exitCode = 3", 20_000);
    expect(ended).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n', late: false });
  });

  it('is asked to end when it is late', async () => {
    const ended = await node("setInterval(() => {}, 1000); process.on('SIGINT', () => process.exit(1))", 1000);
    expect(ended).toMatchObject({ code: 1, late: true });
  });

  it('is killed with all that it has started if it does not end of that', async () => {
    const deaf = "process.on('SIGINT', () => {}); setInterval(() => {}, 1000);";
    const script = `const { spawn } = require('node:child_process'); ${deaf}
      console.log(spawn(process.execPath, ['-e', ${JSON.stringify(deaf)}], { stdio: 'inherit' }).pid)`;
    const ended = await node(script, 1000, 500);
    expect(ended).toMatchObject({ code: -1, late: true });
    await until('its child has ended', () => !isRunning(Number(ended.stdout)));
  });
});
