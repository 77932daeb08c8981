/** The contract's exit codes: wrong usage is 2, with the message and the usage on standard error, before anything starts. */
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../../../src/cli/program.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

const ZK = ['--zookeeper', '127.0.0.1:1'];
const NODE = ['node', ...ZK, '--cluster', 'c', '--listen', '127.0.0.1:0'];

describe('wrong usage', () => {
  it.each<[string[], string]>([
    [[], 'Usage:'],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['--frobnicate'], "unknown option '--frobnicate'"],
    [['help', 'frobnicate'], "unknown command 'frobnicate'"],
    [['help', 'get', 'put'], 'too many arguments'],

    [['shell', 'extra'], 'too many arguments'],
    [['shell', '--frobnicate'], "unknown option '--frobnicate'"],
    [['shell', '--zookeeper'], 'argument missing'],
    [['shell', '--zookeeper', ''], 'must not be empty'],
    [['shell', '--zookeeper', ' '], 'must not be empty'],
    [['shell', '--zookeeper', 'host:port'], 'not 1 to 65535'],
    [['shell', '--zookeeper', 'a:1,,b:2'], 'a server is missing'],
    [['shell', '--zookeeper', 'a:1/x//y'], 'no znode path'],
    [['shell', '--cluster', ''], 'must not be empty'],
    [['shell', '--cluster', 'a/b'], 'cluster:'],
    [['shell', '--clients', ''], 'whole number from 1'],
    [['shell', '--clients', '0'], 'whole number from 1'],
    [['shell', '--clients', '-1'], 'whole number from 1'],
    [['shell', '--clients', '1.5'], 'whole number from 1'],
    [['shell', '--clients', 'many'], 'whole number from 1'],
    [['shell', '--clients', '1000'], 'whole number from 1'],
    [['shell', '--session-timeout', ''], 'whole number from 1'],
    [['shell', '--session-timeout', 'x'], 'whole number from 1'],
    [['shell', '--session-timeout', '1e3'], 'whole number from 1'],
    [['shell', '--session-timeout', '200'], 'sessionTimeoutMs: 200'],
    [['shell', '--tick-time', ''], 'whole number from 1'],
    [['shell', '--tick-time', '0'], 'whole number from 1'],
    [['shell', '--tick-time', '1900'], 'sessionTimeoutMs: 2000'],
    [['shell', '--listen', ''], 'listen.host'],
    [['shell', '--listen', '0.0.0.0'], 'advertise.host'],
    [['shell', '--advertise', '::'], 'advertise.host'],
    [['shell', '--json', '--json=yes'], "unknown option '--json=yes'"],

    [['node', '--cluster', 'c', '--listen', 'h:1'], "'--zookeeper <hosts>' not specified"],
    [['node', ...ZK, '--listen', 'h:1'], "'--cluster <name>' not specified"],
    [['node', ...ZK, '--cluster', 'c'], "'--listen <host:port>' not specified"],
    [[...NODE, 'extra'], 'too many arguments'],
    [[...NODE, '--zookeeper', ''], 'must not be empty'],
    [[...NODE, '--cluster', ''], 'must not be empty'],
    [[...NODE, '--cluster', '.'], 'cluster:'],
    [[...NODE, '--listen', ''], 'HOST:PORT'],
    [[...NODE, '--listen', 'host'], 'HOST:PORT'],
    [[...NODE, '--listen', ':7400'], 'HOST:PORT'],
    [[...NODE, '--listen', 'host:'], 'HOST:PORT'],
    [[...NODE, '--listen', 'host:65536'], 'HOST:PORT'],
    [[...NODE, '--listen', 'host:-1'], 'HOST:PORT'],
    [[...NODE, '--listen', '::1:7400'], 'HOST:PORT'],
    [[...NODE, '--listen', '-:1'], 'listen.host'],
    [[...NODE, '--listen', '0.0.0.0:7400'], 'advertise.host'],
    [[...NODE, '--advertise', ''], 'HOST:PORT'],
    [[...NODE, '--advertise', '0.0.0.0:1'], 'advertise.host'],
    [[...NODE, '--session-timeout', ''], 'whole number from 1'],
    [[...NODE, '--session-timeout', '100'], 'sessionTimeoutMs: 100'],
    [[...NODE, '--tick-time', 'x'], 'whole number from 1'],
    [[...NODE, '--log-level', ''], 'Allowed choices'],
    [[...NODE, '--log-level', 'loud'], 'Allowed choices'],

    ...['get', 'delete'].flatMap((command): [string[], string][] => [
      [[command, ...ZK], "missing required argument 'key'"],
      [[command, ...ZK, 'a', 'b'], 'too many arguments'],
      [[command, ...ZK, ''], 'must not be empty'],
    ]),
    [['put', ...ZK, 'k'], "missing required argument 'value'"],
    [['put', ...ZK], "missing required argument 'key'"],
    [['put', ...ZK, 'k', 'v', 'w'], 'too many arguments'],
    ...[['get', 'k'], ['delete', 'k'], ['put', 'k', 'v'], ['status']].flatMap((command): [string[], string][] => [
      [command, "'--zookeeper <hosts>' not specified"],
      [[...command, '--zookeeper', ''], 'must not be empty'],
      [[...command, '--zookeeper', 'a b'], 'no valid host'],
      [[...command, ...ZK, '--cluster', ''], 'must not be empty'],
      [[...command, ...ZK, '--cluster', 'ü'], 'cluster:'],
      [[...command, ...ZK, '--timeout', ''], 'number of seconds'],
      [[...command, ...ZK, '--timeout', '0'], 'number of seconds'],
      [[...command, ...ZK, '--timeout', '-1'], 'number of seconds'],
      [[...command, ...ZK, '--timeout', 'soon'], 'number of seconds'],
      [[...command, ...ZK, '--timeout', '1e9'], 'number of seconds'],
      [[...command, ...ZK, '--session-timeout', ''], 'whole number from 1'],
      [[...command, ...ZK, '--session-timeout', '100'], 'sessionTimeoutMs: 100'],
      [[...command, ...ZK, '--tick-time', '0'], 'whole number from 1'],
      [[...command, ...ZK, '--tick-time', '3000'], 'sessionTimeoutMs: 4000'],
      [[...command, ...ZK, '--frobnicate'], 'unknown option'],
    ]),
    [['status', ...ZK, 'extra'], 'too many arguments'],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await run(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).toContain('Usage: zistore');
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe('a key', () => {
  // Nothing listens there: that is a failure, not wrong usage.
  it.each(['get', 'delete'])('of %s may be blanks, as in the library (Z07)', async (command) => {
    const { code, err } = await run(command, ' ', '--timeout', '0.2', ...ZK);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('ZISTORE_COORDINATION_UNAVAILABLE') });
  });
});

describe('help and version', () => {
  it.each([
    [['--help'], 'Usage: zistore'],
    [['help'], 'Usage: zistore'],
    [['help', 'node'], 'Usage: zistore node'],
    [['help', 'help'], 'Usage: zistore help'],
    ...['shell', 'node', 'get', 'put', 'delete', 'status'].map((name): [string[], string] => [
      [name, '--help'],
      `Usage: zistore ${name}`,
    ]),
  ])('%j prints on standard output and exits 0', async (argv, text) => {
    const { code, out, err } = await run(...argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(text);
  });

  it('--version is the package version', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' });
  });
});
