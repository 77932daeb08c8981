/** The commands of the contract, and everything that is none of them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { COMMAND_NAMES, COMMANDS, helpText } from '../../../src/shell/catalogue.ts';
import { MAX_LINE_LENGTH, parseLine } from '../../../src/shell/parser.ts';

describe('a line that the contract has', () => {
  it.each([
    ['get 2 k', { name: 'get', client: 2, key: 'k' }],
    ["get 2 'my key'", { name: 'get', client: 2, key: 'my key' }],
    ['  get 2 k\r', { name: 'get', client: 2, key: 'k' }],
    ['put 1 k v w', { name: 'put', client: 1, key: 'k', value: 'v w' }],
    ["put 1 'my key' ''", { name: 'put', client: 1, key: 'my key', value: '' }],
    ['delete 3 k', { name: 'delete', client: 3, key: 'k' }],
    ['list', { name: 'list' }],
    ['new-client', { name: 'new-client' }],
    ['zk-down 1', { name: 'zk-down', client: 1 }],
    ['zk-up 1', { name: 'zk-up', client: 1 }],
    ['rmi-down 12', { name: 'rmi-down', client: 12 }],
    ['rmi-up 1', { name: 'rmi-up', client: 1 }],
    ['kill 1', { name: 'kill', client: 1 }],
    ['pause 1', { name: 'pause', client: 1 }],
    ['resume 1', { name: 'resume', client: 1 }],
    ['wait 1 leader', { name: 'wait', client: 1, role: 'leader', seconds: 30 }],
    ['wait 1 lost 2.5', { name: 'wait', client: 1, role: 'lost', seconds: 2.5 }],
    ['wait-all', { name: 'wait-all', seconds: 30 }],
    ['wait-all 5', { name: 'wait-all', seconds: 5 }],
    ['timeout 0.5', { name: 'timeout', seconds: 0.5 }],
    ['help', { name: 'help' }],
    ['help put', { name: 'help', about: 'put' }],
    ['exit', { name: 'exit', force: false }],
    ['exit --force', { name: 'exit', force: true }],
  ])('%s', (line, command) => {
    expect(parseLine(line)).toEqual({ ok: true, command, background: false });
  });

  it('runs in the background when it ends in " &"', () => {
    const command = { name: 'wait', client: 1, role: 'leader', seconds: 30 };
    expect(parseLine('wait 1 leader &')).toEqual({ ok: true, command, background: true });
  });

  it.each(['', '   ', '\t', '\r', '# a comment', '  # one more'])('is not needed: %j does nothing', (line) => {
    expect(parseLine(line)).toBeNull();
  });
});

describe('a line that is wrong', () => {
  it.each([
    ['frobnicate', "no command 'frobnicate'"],
    ['GET 1 k', "no command 'GET'"],
    ['get', 'something is missing'],
    ['get 1', 'usage: get ID KEY'],
    ['get 1 a b', 'too many words'],
    ['get one k', "'one' is not the number"],
    ['get 0 k', 'is not the number'],
    ['get -1 k', 'is not the number'],
    ['get 1.5 k', 'is not the number'],
    ['get 01 k', 'is not the number'],
    ['get 1e1 k', 'is not the number'],
    ['get 99999999 k', 'is not the number'],
    ["get '' k", 'is not the number'],
    ['put 1 k', 'usage: put ID KEY VALUE'],
    ['put 1 k &', 'usage: put ID KEY VALUE'],
    ['put', 'something is missing'],
    ['delete 1', 'something is missing'],
    ['list 1', 'too many words'],
    ['new-client 2', 'too many words'],
    ['zk-down', 'something is missing'],
    ['zk-down x', 'is not the number'],
    ['kill 1 2', 'too many words'],
    ['wait 1', 'something is missing'],
    ['wait 1 boss', "'boss' is not a role"],
    ['wait 1 leader x', 'not a number of seconds'],
    ['wait 1 leader 0', 'not a number of seconds'],
    ['wait 1 leader -1', 'not a number of seconds'],
    ['wait 1 leader 1e9', 'not a number of seconds'],
    ['wait 1 leader 1 2', 'too many words'],
    ['wait-all soon', 'not a number of seconds'],
    ['wait-all 1 2', 'too many words'],
    ['timeout', 'something is missing'],
    ['timeout 0', 'not a number of seconds'],
    ['timeout 100000', 'not a number of seconds'],
    ['timeout Infinity', 'not a number of seconds'],
    ['help me', "no command 'me'"],
    ['exit now', "'now' is not known"],
    ['exit &', 'cannot run in the background'],
    ['timeout 1 &', 'cannot run in the background'],
    ['wait-all &', 'cannot run in the background'],
    ["get 1 'k", 'is not closed'],
    ['&', "no command ''"],
  ])('%s', (line, message) => {
    const parsed = parseLine(line);
    expect(parsed).toMatchObject({ ok: false, error: { code: 'ZISTORE_INVALID_ARGUMENT' } });
    expect(parsed?.ok === false && parsed.error.message).toContain(message);
  });

  it('is refused for its length before it is taken apart', () => {
    expect(parseLine(`put 1 k ${'x'.repeat(MAX_LINE_LENGTH)}`)).toMatchObject({ ok: false, name: 'put' });
  });

  it('never makes the parser throw, whatever it is', () => {
    const word = fc.oneof(fc.constantFrom(...COMMAND_NAMES, '1', 'k', '&', "'", '"', '\\', '--force'), fc.string());
    fc.assert(
      fc.property(fc.array(word), (line) => {
        const parsed = parseLine(line.join(' '));
        return parsed === null || parsed.ok || parsed.error.code === 'ZISTORE_INVALID_ARGUMENT';
      }),
    );
  });
});

describe('help', () => {
  it('names every command', () => {
    for (const name of COMMAND_NAMES) expect(helpText()).toContain(COMMANDS[name].usage);
  });

  it('says more about one', () => {
    expect(helpText('put')).toMatch(/put ID KEY VALUE[\s\S]*POSIX/);
  });
});
