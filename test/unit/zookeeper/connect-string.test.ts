import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ZiStoreError } from '../../../src/errors.ts';
import { parseConnectString } from '../../../src/zookeeper/connect-string.ts';

describe('parseConnectString', () => {
  it.each([
    ['zk1', [{ host: 'zk1', port: 2181 }], ''],
    ['zk1:2182', [{ host: 'zk1', port: 2182 }], ''],
    [
      'zk1:1, zk-2.example.org:65535 ',
      [
        { host: 'zk1', port: 1 },
        { host: 'zk-2.example.org', port: 65535 },
      ],
      '',
    ],
    ['127.0.0.1:2181/app', [{ host: '127.0.0.1', port: 2181 }], '/app'],
    [
      'zk1,zk2/a/b',
      [
        { host: 'zk1', port: 2181 },
        { host: 'zk2', port: 2181 },
      ],
      '/a/b',
    ],
    ['zk1/', [{ host: 'zk1', port: 2181 }], ''],
    [
      '[::1]:2183,[fe80::2]',
      [
        { host: '::1', port: 2183 },
        { host: 'fe80::2', port: 2181 },
      ],
      '',
    ],
    ['[::1]/app', [{ host: '::1', port: 2181 }], '/app'],
    ['my_host:2181', [{ host: 'my_host', port: 2181 }], ''],
  ])('reads %s', (text, servers, chroot) => {
    expect(parseConnectString(text)).toEqual({ servers, chroot });
  });

  it.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['/app', 'missing'],
    ['zk1,,zk2', 'missing'],
    ['zk1,', 'missing'],
    [':2181', 'host'],
    ['zk 1', 'host'],
    ['-zk', 'host'],
    ['user@zk1', 'host'],
    ['[zk1]:2181', 'host'],
    ['[]:2181', 'host'],
    ['::1', 'brackets'],
    ['zk1:', 'port'],
    ['zk1:0', 'port'],
    ['zk1:65536', 'port'],
    ['zk1:+1', 'port'],
    ['zk1:21.5', 'port'],
    ['[::1]:x', 'port'],
    ['zk1/a/', 'path'],
    ['zk1/a//b', 'path'],
    ['zk1/../b', 'path'],
    ['zk1/a\u0000', 'path'],
  ])('refuses %j, naming what is wrong', (text, word) => {
    const parse = () => parseConnectString(text);
    expect(parse).toThrow(expect.objectContaining({ code: 'ZISTORE_INVALID_ARGUMENT' }));
    expect(parse).toThrow(new RegExp(word));
  });

  it('throws nothing but its own error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9:[\]/,. -]*$/)), (text) => {
        try {
          const { servers } = parseConnectString(text);
          return servers.length > 0 && servers.every(({ host, port }) => host !== '' && port > 0 && port < 65536);
        } catch (error) {
          return error instanceof ZiStoreError && error.code === 'ZISTORE_INVALID_ARGUMENT';
        }
      }),
    );
  });
});
