/** The commands of `zistore` as processes, on the embedded coordinator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmbeddedCoordinator, startEmbeddedCoordinator } from '../../src/embedded/server.ts';
import { startFreezingProxy } from '../../src/shell/proxy.ts';
import { until } from '../support/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

class Program {
  out = '';
  err = '';
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor(args: readonly string[], input?: string) {
    this.process = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
      cwd: ROOT,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.process.stdin?.end(input);
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.exited = once(this.process, 'close').then(([code]) => code as number | null);
  }

  async result(): Promise<{ code: number | null; out: string; err: string }> {
    const code = await this.exited;
    return { code, out: this.out, err: this.err };
  }
}

let coordinator: EmbeddedCoordinator;
const running: Program[] = [];
let clusters = 0;
let options: string[];

beforeAll(async () => {
  coordinator = await startEmbeddedCoordinator({ tickTimeMs: 200 });
});
afterAll(() => coordinator.close());
afterEach(async () => {
  for (const { process: child } of running) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map((program) => program.exited));
});

function start(...args: string[]): Program {
  const program = new Program(args);
  running.push(program);
  return program;
}

const run = (...args: string[]): ReturnType<Program['result']> => start(...args, ...options).result();

/** A cluster of its own for each test. */
function newCluster(zookeeper = coordinator.connectString): void {
  clusters += 1;
  options = ['--zookeeper', zookeeper, '--cluster', `test-${clusters}`];
}

async function startNode(): Promise<{ program: Program; address: string }> {
  const timing = ['--session-timeout', '2000', '--tick-time', '200'];
  const program = start('node', ...options, '--listen', '127.0.0.1:0', ...timing);
  const [, address = ''] = await until('it is ready', () => /^ready (\S+)\n$/.exec(program.out));
  return { program, address };
}

interface Status {
  readonly leader: string | null;
  readonly members: readonly { readonly address: string; readonly role: string }[];
}

async function status(): Promise<Status> {
  return JSON.parse((await run('status', '--json')).out) as Status;
}

describe('zistore', () => {
  it('puts, gets, deletes and shows the status of a cluster of nodes', async () => {
    newCluster();
    const first = await startNode();
    const second = await startNode();
    expect(await run('put', 'k', ' two  words ')).toEqual({ code: 0, out: 'ok\n', err: '' });
    expect(await run('get', 'k')).toEqual({ code: 0, out: ' two  words \n', err: '' });
    const json = JSON.parse((await run('status', '--json')).out) as Record<string, unknown>;
    expect(json).toEqual({
      cluster: `test-${clusters}`,
      leader: first.address,
      epoch: expect.stringMatching(/^[1-9]\d*$/),
      members: expect.arrayContaining([
        { address: first.address, role: 'leader', live: true, entries: 1 },
        { address: second.address, role: 'follower', live: true, entries: 0 },
      ]),
    });
    expect(json.members).toHaveLength(2);
    const plain = (await run('status')).out;
    expect(plain).toContain(`leader ${first.address}\n`);
    expect(plain).not.toContain('\u001b');
    expect(await run('delete', 'k')).toEqual({ code: 0, out: 'ok\n', err: '' });
    expect(await run('delete', 'k')).toMatchObject({ code: 1, out: '' });
    expect(await run('get', 'k')).toMatchObject({ code: 1, out: '' });
  });

  it('a shell’s clients join the nodes that are there, under the name they are told to give', async () => {
    newCluster();
    await startNode();
    await run('put', 'k', 'v');
    const args = ['shell', ...options, '--listen', '127.0.0.1', '--advertise', 'localhost', '--json'];
    const shell = new Program(args, 'get 1 k\nput 1 k w\nlist\n');
    running.push(shell);
    const { code, out } = await shell.result();
    const answers = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answers).toMatchObject([
      { command: 'get', value: 'v' },
      { command: 'put', ok: true },
      { clients: [{ id: 1, address: expect.stringMatching(/^localhost:\d+$/), role: 'follower' }] },
    ]);
    expect(code).toBe(0);
    expect(await run('get', 'k')).toMatchObject({ out: 'w\n' });
  });

  it('loses nothing when the leader is told to leave, twice in a row', async () => {
    newCluster();
    const nodes = [await startNode(), await startNode(), await startNode()];
    await run('put', 'k', 'v');
    for (let turn = 0; turn < 2; turn++) {
      const { leader } = await status();
      const leading = nodes.find((node) => node.address === leader);
      leading?.program.process.kill('SIGTERM');
      expect(await leading?.program.exited).toBe(0);
      expect(await run('get', 'k')).toMatchObject({ code: 0, out: 'v\n' });
    }
    expect((await status()).members).toHaveLength(1);
  });

  it('status of a cluster that never was says so, and does not create it', async () => {
    newCluster();
    const missing = {
      code: 1,
      out: '',
      err: expect.stringMatching(/^error: There is no cluster 'test-[^\n]+ \(ZISTORE_TIMEOUT\)\n$/),
    };
    for (let i = 0; i < 2; i++) expect(await run('status', '--timeout', '1')).toEqual(missing);
  });

  it('fails with one line, without a stack, when nobody leads or ZooKeeper is not there', async () => {
    newCluster();
    expect(await run('get', 'k', '--timeout', '3')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^error: [^\n]+ \(ZISTORE_TIMEOUT\)\n$/),
    });
    newCluster('127.0.0.1:1');
    const unreachable = {
      code: 1,
      out: '',
      err: expect.stringMatching(/^error: [^\n]+ \(ZISTORE_COORDINATION_UNAVAILABLE\)\n$/),
    };
    expect(await run('put', 'k', 'v', '--timeout', '1')).toEqual(unreachable);
    expect(await run('status', '--timeout', '1')).toEqual(unreachable);
  });

  it('a node told to stop before it is ready leaves as cleanly', async () => {
    const silent = createServer();
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    try {
      newCluster(`127.0.0.1:${(silent.address() as AddressInfo).port}`);
      const program = start('node', ...options, '--listen', '127.0.0.1:0');
      const [socket] = (await once(silent, 'connection')) as [Socket];
      socket.on('error', () => {});
      program.process.kill('SIGTERM');
      expect(await program.result()).toEqual({ code: 0, out: '', err: '' });
    } finally {
      silent.close();
    }
  });

  it('a second signal ends a node that hangs in leaving', async () => {
    const target = { host: '127.0.0.1', port: coordinator.port };
    const proxy = await startFreezingProxy({ target });
    try {
      newCluster(`127.0.0.1:${proxy.port}`);
      const { program } = await startNode();
      proxy.freeze();
      program.process.kill('SIGINT');
      program.process.kill('SIGTERM');
      expect(await program.exited).toBe(1);
    } finally {
      await proxy.close();
    }
  });

  it('does not complain when nobody reads its output', async () => {
    newCluster();
    await startNode();
    await run('put', 'k', 'v');
    const program = start('get', 'k', ...options);
    program.process.stdout?.destroy();
    await program.exited;
    expect(program.err).toBe('');
  });
});
