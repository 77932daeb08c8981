/** S11 to S15 as scripts on the shell's standard input, on the embedded coordinator. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/wait.ts';
import { ShellProcess } from './shell-process.ts';

let shell: ShellProcess;
beforeEach(async () => {
  shell = new ShellProcess('src/cli/main.ts', ['shell', '--json', '--clients', '3']);
  await shell.row('wait 1 leader');
});
afterEach(() => shell.dispose());

/** The one client that leads, once there is one. */
async function leader(): Promise<number> {
  const row = await until('a leader', async () =>
    (await shell.list()).find(({ role, live }) => role === 'leader' && live),
  );
  return row.id;
}

/** Until another client leads than those. */
async function otherLeader(...not: number[]): Promise<number> {
  const isOther = async (): Promise<number | undefined> => {
    const id = await leader();
    return not.includes(id) ? undefined : id;
  };
  return await until('another leader', isOther);
}

async function value(client: number, key: string): Promise<unknown> {
  const result = await shell.run(`get ${client} ${key}`);
  return result.ok ? result.value : result.error?.code;
}

async function put(client: number, key: string, text: string): Promise<unknown> {
  const result = await shell.run(`put ${client} ${key} ${text}`);
  return result.ok ? 'ok' : result.error?.code;
}

describe('the shell', () => {
  it('shows three clients of one cluster: what one writes all read (S04)', async () => {
    expect((await shell.list()).map(({ id, role, live, epoch }) => [id, role, live, /^[1-9]\d*$/.test(epoch)])).toEqual(
      [
        [1, 'leader', true, true],
        [2, 'follower', true, true],
        [3, 'follower', true, true],
      ],
    );
    expect(await put(2, 'k', "'v 1'")).toBe('ok');
    expect([await value(1, 'k'), await value(2, 'k'), await value(3, 'k')]).toEqual(['v 1', 'v 1', 'v 1']);
    expect(await shell.run('delete 3 k')).toMatchObject({ ok: true, existed: true });
    expect([await value(1, 'k'), await value(2, 'k'), await value(3, 'k')]).toEqual([null, null, null]);
    expect(await shell.end()).toBe(0);
  });

  it('goes on after kill of the leader, with what the others hold (S21)', async () => {
    await put(1, 'k', 'v');
    await value(2, 'k');
    await shell.row('kill 1');
    expect(await value(3, 'k')).toBe('v');
    expect(await put(3, 'k', 'w')).toBe('ok');
    expect(await value(2, 'k')).toBe('w');
    expect((await shell.list()).map(({ role }) => role).sort()).toEqual(['closed', 'follower', 'leader']);
    expect(await shell.end()).toBe(0);
  });

  it('a client that was paused past its session never answers with what it had cached (Z19)', async () => {
    await put(1, 'k', 'v1');
    expect(await value(3, 'k')).toBe('v1');
    await shell.row('pause 3');
    expect(await put(1, 'k', 'v2')).toBe('ok');
    shell.write('get 3 k &');
    await shell.row('resume 3');
    const { ok, value: read, error } = await shell.background();
    expect(ok ? read : error?.code).toMatch(/^(v2|ZISTORE_SESSION_LOST)$/);
    await shell.row('wait 3 follower');
    expect(await value(3, 'k')).toBe('v2');
  });
});

describe('the scenarios', () => {
  it('S11: a follower cut off from ZooKeeper fails every get and set, also of cached keys', async () => {
    await put(2, 'k', 'v');
    expect(await shell.row('zk-down 2')).toMatchObject({ zookeeper: 'down' });
    expect(await shell.row('wait 2 suspended')).toMatchObject({ live: false });
    expect(await value(2, 'k')).toBe('ZISTORE_SESSION_LOST');
    expect(await value(2, 'uncached')).toBe('ZISTORE_SESSION_LOST');
    const refused = await shell.run('put 2 k w');
    expect(refused).toMatchObject({ ok: false, error: { code: 'ZISTORE_SESSION_LOST', outcome: 'notApplied' } });
    await shell.row('zk-up 2');
    await shell.row('wait 2 follower');
    expect(await value(2, 'k')).not.toBe('ZISTORE_SESSION_LOST');
  });

  it('S12: a leader cut off fails; another one leads; back again, it reads what was written meanwhile', async () => {
    await put(1, 'k', 'v1');
    await shell.row('zk-down 1');
    await shell.row('wait 1 suspended');
    expect([await value(1, 'k'), await put(1, 'k', 'x')]).toEqual(['ZISTORE_SESSION_LOST', 'ZISTORE_SESSION_LOST']);
    const next = await otherLeader(1);
    expect(await put(next, 'k', 'v2')).toBe('ok');
    await shell.row('zk-up 1');
    await shell.row('wait 1 follower');
    expect(await value(1, 'k')).toBe('v2');
  });

  it('S13: a holder cut off for good holds up no write; back again, it reads the new value', async () => {
    await put(1, 'k', 'v1');
    expect(await value(2, 'k')).toBe('v1');
    await shell.row('zk-down 2');
    await shell.row('rmi-down 2');
    expect(await put(1, 'k', 'v2')).toBe('ok');
    await shell.row('rmi-up 2');
    await shell.row('zk-up 2');
    await shell.row('wait 2 follower');
    expect(await value(2, 'k')).toBe('v2');
  });

  it.each(['rmi-up 2', 'zk-down 2'])('S14: a write waits for a holder that does not answer, until %s', async (heal) => {
    await put(1, 'k', 'v1');
    expect(await value(2, 'k')).toBe('v1');
    expect(await shell.row('rmi-down 2')).toMatchObject({ rmi: 'down', live: true });
    shell.write('put 3 k v2 &');
    expect(await put(3, 'other', 'x')).toBe('ok');
    expect(await value(2, 'k')).toBe('v1');
    expect(await shell.run('wait-all 1')).toMatchObject({ ok: false });
    await shell.row(heal);
    expect(await shell.background()).toEqual({ command: 'put', client: 3, ok: true, background: true });
    expect(await value(3, 'k')).toBe('v2');
  });

  it('S15: with the leader’s rmi down a follower’s uncached read and its write wait; its cached read does not', async () => {
    await put(1, 'cached', 'c');
    await put(1, 'uncached', 'u');
    expect(await value(2, 'cached')).toBe('c');
    await shell.row('rmi-down 1');
    shell.write('get 2 uncached &', 'put 2 k v &');
    expect(await value(2, 'cached')).toBe('c');
    expect(await shell.run('wait-all 1')).toMatchObject({ ok: false });
    expect(shell.backgroundEnded).toBe(0);
    await shell.row('rmi-up 1');
    const ended = [await shell.background(), await shell.background()];
    expect(ended.find((result) => result.command === 'get')).toMatchObject({ ok: true, value: 'u' });
    expect(ended.find((result) => result.command === 'put')).toMatchObject({ ok: true });
    expect(await value(3, 'k')).toBe('v');
    expect(await shell.run('wait-all')).toMatchObject({ ok: true });
  });
});
