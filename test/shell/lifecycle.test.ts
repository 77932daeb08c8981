/** The shell's processes, with scripted clients: what lives, what ends, what is shown meanwhile. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/wait.ts';
import { childrenOf, isAlive, ShellProcess } from './shell-process.ts';

let shell: ShellProcess;
const start = (clients = 1, cluster = 'test', mode = '--json'): ShellProcess => {
  shell = new ShellProcess('test/shell/fake-shell.ts', [String(clients), cluster, mode]);
  return shell;
};

/** The processes of the shell, once it has all of them: its clients and the coordinator. */
async function processes(clients: number): Promise<number[]> {
  await shell.run('list');
  return await until('all processes', async () => {
    const children = await childrenOf(shell.pid);
    return children.length === clients + 1 ? children : undefined;
  });
}

describe('two clients', () => {
  beforeAll(() => {
    start(2);
  });
  afterAll(() => shell.dispose());

  it('answer get, put and delete with the contract’s objects', async () => {
    expect(await shell.run("put 1 k 'v 1'")).toEqual({ command: 'put', client: 1, ok: true });
    expect(await shell.run('get 1 k')).toEqual({ command: 'get', client: 1, ok: true, value: 'v 1' });
    expect(await shell.run('get 1 none')).toEqual({ command: 'get', client: 1, ok: true, value: null });
    expect(await shell.run('delete 1 k')).toEqual({ command: 'delete', client: 1, ok: true, existed: true });
    expect(await shell.run('delete 1 k')).toEqual({ command: 'delete', client: 1, ok: true, existed: false });
    expect(await shell.run('put 1 lost x')).toEqual({
      command: 'put',
      client: 1,
      ok: false,
      error: { code: 'ZISTORE_SESSION_LOST', message: 'no live session', outcome: 'notApplied' },
    });
  });

  it('carry values with every character', async () => {
    const value = '{"a":"ü☃😀","b":"\\\\ \\" \u0001"}';
    await shell.run(`put 1 k '${value}'`);
    expect(await shell.run('get 1 k')).toMatchObject({ value });
  });

  it('that do not exist are refused as the shell’s own error, whatever is asked of them', async () => {
    for (const line of [
      'get 9 k',
      'put 9 k v',
      'delete 9 k',
      'zk-down 9',
      'rmi-up 9',
      'kill 9',
      'pause 9',
      'wait 9 leader',
    ]) {
      const result = await shell.run(line);
      expect(result).toMatchObject({ client: 9, ok: false, error: { code: 'ZISTORE_INVALID_ARGUMENT' } });
      expect(result.error?.message).toContain('there is no client 9');
    }
    expect(await shell.run('nonsense')).toMatchObject({
      command: 'nonsense',
      error: { code: 'ZISTORE_INVALID_ARGUMENT' },
    });
  });

  it('zk-down freezes the way to ZooKeeper for one client alone; zk-up lets it go on', async () => {
    expect(await shell.run('get 1 zookeeper')).toMatchObject({ value: 'hello' });
    expect(await shell.row('zk-down 1')).toMatchObject({ id: 1, zookeeper: 'down', rmi: 'up' });
    shell.write('get 1 zookeeper &');
    expect(await shell.run('get 2 zookeeper')).toMatchObject({ value: 'hello' });
    expect(shell.backgroundEnded).toBe(0);
    expect(await shell.row('zk-up 1')).toMatchObject({ id: 1, zookeeper: 'up' });
    expect(await shell.background()).toMatchObject({ value: 'hello' });
  });

  it('rmi-down and rmi-up turn the client’s gate', async () => {
    expect(await shell.row('rmi-down 2')).toMatchObject({ id: 2, rmi: 'down', zookeeper: 'up' });
    expect((await shell.list()).map((row) => row.rmi)).toEqual(['up', 'down']);
    expect(await shell.row('rmi-up 2')).toMatchObject({ rmi: 'up' });
  });

  it('wait fails after its seconds and says what it saw', async () => {
    expect(await shell.row('wait 1 leader')).toMatchObject({ id: 1, role: 'leader' });
    const failed = await shell.run('wait 1 follower 0.2');
    expect(failed).toMatchObject({ command: 'wait', client: 1, ok: false, error: { code: 'ZISTORE_TIMEOUT' } });
    expect(failed.error?.message).toContain("still 'leader'");
  });

  it('timeout counts from here on', async () => {
    expect(await shell.run('get 1 timeout')).toMatchObject({ value: '30000' });
    expect(await shell.run('timeout 1.5')).toEqual({ command: 'timeout', ok: true });
    expect(await shell.run('get 1 timeout')).toMatchObject({ value: '1500' });
  });

  it('are processes of their own, listed with all that the contract names', async () => {
    const rows = await shell.list();
    expect(rows).toEqual(
      [1, 2].map((id) => ({
        id,
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        role: 'leader',
        epoch: '4294967298',
        zookeeper: 'up',
        rmi: 'up',
        live: true,
        entries: expect.any(Number),
        pid: expect.any(Number),
      })),
    );
    expect(new Set([shell.pid, ...rows.map((row) => row.pid)]).size).toBe(3);
    expect(await shell.row('new-client')).toMatchObject({ id: 3, role: 'leader' });
    expect(await shell.list()).toHaveLength(3);
  });
});

describe('clients', () => {
  afterEach(() => shell.dispose());

  it('that were killed have ended when the answer comes, and stay listed as closed', async () => {
    start(2);
    const { pid } = (await shell.list())[1] ?? { pid: 0 };
    expect(await shell.row('kill 2')).toMatchObject({ id: 2, role: 'closed', live: false, pid });
    expect(isAlive(pid)).toBe(false);
    expect((await shell.list())[1]).toMatchObject({ id: 2, role: 'closed', live: false });
    expect(await shell.run('get 2 k')).toMatchObject({ ok: false, error: { code: 'ZISTORE_INVALID_ARGUMENT' } });
    expect(await shell.run('put 2 k v')).toMatchObject({ ok: false, error: { outcome: 'notApplied' } });
    expect(await shell.row('wait 2 closed')).toMatchObject({ role: 'closed' });
    expect(await shell.run('wait 2 leader')).toMatchObject({ ok: false });
    expect(await shell.row('kill 2')).toMatchObject({ role: 'closed' });
    expect(await shell.row('new-client')).toMatchObject({ id: 3 });
  });

  it('that are killed during an operation leave a write unknown (Z08) and a read failed', async () => {
    start();
    shell.write('put 1 hang v &', 'get 1 hang &');
    await shell.run('kill 1');
    const ended = [await shell.background(), await shell.background()];
    expect(ended.find((result) => result.command === 'put')?.error).toMatchObject({
      code: 'ZISTORE_OUTCOME_UNKNOWN',
      outcome: 'unknown',
    });
    expect(ended.find((result) => result.command === 'get')?.error?.code).toBe('ZISTORE_CLOSED');
  });

  it('that crash are closed, too', async () => {
    start();
    expect(await shell.run('put 1 crash v')).toMatchObject({ ok: false, error: { outcome: 'unknown' } });
    expect(await shell.list()).toMatchObject([{ role: 'closed', live: false }]);
  });
});

describe('a paused client', () => {
  afterEach(() => shell.dispose());

  it('is listed at once as last known, and answers when it is resumed', async () => {
    start(2);
    await shell.run('put 2 k v');
    expect(await shell.row('pause 2')).toMatchObject({ id: 2, entries: 1, live: true, stale: true });
    expect((await shell.list()).map((row) => row.stale)).toEqual([undefined, true]);
    // A list that waited for the paused client would not end before it is resumed.
    shell.write('list &');
    expect(await shell.background()).toMatchObject({ command: 'list', ok: true });
    shell.write('get 2 k &');
    await shell.run('get 1 k');
    expect(shell.backgroundEnded).toBe(1);
    const resumed = await shell.row('resume 2');
    expect(resumed).toMatchObject({ id: 2, role: 'leader' });
    expect(resumed.stale).toBeUndefined();
    expect(await shell.background()).toEqual({ command: 'get', client: 2, ok: true, value: 'v', background: true });
  });

  it('stopped by somebody else is stale as well, and does not hold up the list', async () => {
    start(2);
    const pid = (await shell.list())[1]?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      expect((await shell.list()).map((row) => row.stale)).toEqual([undefined, true]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until('it answers again', async () => (await shell.list())[1]?.stale === undefined);
  });

  it('lets an operation fail after the time limit, a write with an unknown outcome', async () => {
    start();
    await shell.run('pause 1');
    await shell.run('timeout 0.2');
    expect(await shell.run('get 1 k')).toMatchObject({ ok: false, error: { code: 'ZISTORE_TIMEOUT' } });
    expect((await shell.run('put 1 k v')).error).toMatchObject({ code: 'ZISTORE_TIMEOUT', outcome: 'unknown' });
  });

  it('can be killed, and closed with the shell', async () => {
    start(2);
    await shell.run('pause 1');
    await shell.run('pause 2');
    expect(await shell.row('kill 1')).toMatchObject({ role: 'closed' });
    expect(await shell.end()).toBe(0);
  });
});

describe('the background', () => {
  afterEach(() => shell.dispose());

  it('prints nothing at the start of a line, and its object at its end', async () => {
    start();
    shell.write('get 1 hang &', 'put 1 k v &');
    expect(await shell.background()).toEqual({ command: 'put', client: 1, ok: true, background: true });
    expect(await shell.run('wait-all 0.2')).toMatchObject({ ok: false, error: { code: 'ZISTORE_TIMEOUT' } });
    expect(shell.backgroundEnded).toBe(1);
    await shell.run('kill 1');
    expect(await shell.run('wait-all')).toEqual({ command: 'wait-all', ok: true });
    expect(await shell.background()).toMatchObject({ command: 'get', ok: false, background: true });
  });

  it('is waited for at the end of the input, and its failure counts', async () => {
    start();
    await shell.run('timeout 0.2');
    expect(await shell.end('get 1 hang &')).toBe(1);
    expect(shell.results.at(-1)).toMatchObject({ command: 'get', ok: false, background: true });
  });

  it('takes a line that is wrong as failed', async () => {
    start();
    shell.write('nonsense &');
    expect(await shell.background()).toMatchObject({ command: 'nonsense', ok: false, background: true });
  });

  it('is given up by exit --force', async () => {
    start();
    shell.write('get 1 hang &', 'exit --force');
    expect(await shell.exit()).toBe(1);
    expect(shell.results.map((result) => result.command)).toEqual(['exit', 'get']);
    expect(shell.results[1]).toMatchObject({ ok: false, error: { code: 'ZISTORE_ABORTED' } });
  });
});

describe('the end', () => {
  afterEach(() => shell.dispose());

  it('exits 0 if every command succeeded, at the end of the input or at exit', async () => {
    start();
    expect(await shell.end('put 1 k v', '# a comment', '', 'get 1 k')).toBe(0);
    expect(shell.results).toHaveLength(2);
    start();
    expect(await shell.end('exit', 'nonsense')).toBe(0);
    expect(shell.results).toEqual([{ command: 'exit', ok: true }]);
  });

  it('exits 1 if one failed', async () => {
    start();
    expect(await shell.end('get 9 k', 'put 1 k v')).toBe(1);
    expect(shell.results).toHaveLength(2);
    expect(shell.stderr).toBe('');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s closes every process and exits 1', async (name) => {
    start(2);
    const pids = await processes(2);
    shell.signal(name);
    expect(await shell.exit()).toBe(1);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('a second signal does not wait for a command that hangs', async () => {
    start();
    const pids = await processes(1);
    shell.write('get 1 hang');
    shell.signal('SIGTERM');
    shell.signal('SIGTERM');
    expect(await shell.exit()).toBe(1);
    await until('all gone', () => !pids.some(isAlive));
  });

  it('kill -9 leaves no process behind, not even a stopped one', async () => {
    start(3);
    const pids = await processes(3);
    await shell.run('pause 2');
    shell.signal('SIGKILL');
    await until('all gone', () => !pids.some(isAlive));
  });

  it('comes when nobody reads the answers any more', async () => {
    start();
    const pids = await processes(1);
    shell.closeOutput();
    shell.write('list');
    expect(await shell.exit()).toBe(1);
    await until('all gone', () => !pids.some(isAlive));
  });

  it('a client that cannot start fails the shell with its error, and leaves nothing behind', async () => {
    start(3, 'refused');
    expect(await shell.exit()).toBe(1);
    expect(shell.stderr).toBe('error: nobody is there (ZISTORE_COORDINATION_UNAVAILABLE)\n');
    expect(shell.results).toEqual([]);
  });
});
