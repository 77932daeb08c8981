/** The contract's environment variables: what they mean, and that what is wrong is refused by name, without secrets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../../../src/cli/program.ts';
import { environmentOptions } from '../../../src/environment.ts';
import { certificate } from '../../support/certificate.ts';

let folder: string;
let files: { ZISTORE_TLS_CERT: string; ZISTORE_TLS_KEY: string; ZISTORE_TLS_CA: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zistore-environment-'));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  files = {
    ZISTORE_TLS_CERT: file('cert.pem', certificate.cert),
    ZISTORE_TLS_KEY: file('key.pem', certificate.key),
    ZISTORE_TLS_CA: file('ca.pem', certificate.cert),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

function refusal(environment: NodeJS.ProcessEnv): string {
  try {
    environmentOptions(environment);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ZISTORE_INVALID_ARGUMENT' });
    return (error as Error).message;
  }
  throw new Error('not refused');
}

describe('options from the environment', () => {
  it('are none where nothing is set, or only empty variables', () => {
    expect(environmentOptions({})).toEqual({});
    const empty = { ZISTORE_TLS_CERT: '', ZISTORE_TLS_KEY: '', ZISTORE_TLS_CA: '', ZISTORE_ZOOKEEPER_AUTH: '' };
    expect(environmentOptions({ ...empty, ZISTORE_SECRET: '' })).toEqual({});
  });

  it('are the secret, the contents of the TLS files, and the ZooKeeper user', () => {
    const environment = { ...files, ZISTORE_SECRET: 'a long enough secret', ZISTORE_ZOOKEEPER_AUTH: 'me:pass:word' };
    expect(environmentOptions(environment)).toEqual({
      secret: 'a long enough secret',
      tls: {
        cert: Buffer.from(certificate.cert),
        key: Buffer.from(certificate.key),
        ca: Buffer.from(certificate.cert),
      },
      zookeeperAuth: { user: 'me', password: 'pass:word' },
    });
  });

  it('want all three TLS files or none, and say which are missing', () => {
    expect(refusal({ ...files, ZISTORE_TLS_KEY: '' })).toMatch(/^ZISTORE_TLS_KEY: missing/);
    expect(refusal({ ZISTORE_TLS_CA: files.ZISTORE_TLS_CA })).toMatch(/^ZISTORE_TLS_CERT, ZISTORE_TLS_KEY: missing/);
  });

  it.each(['ZISTORE_TLS_CERT', 'ZISTORE_TLS_KEY', 'ZISTORE_TLS_CA'])('refuse an unusable file in %s', (name) => {
    expect(refusal({ ...files, [name]: join(folder, 'none') })).toMatch(`${name}: the file cannot be read: ENOENT`);
    expect(refusal({ ...files, [name]: folder })).toMatch(`${name}: the file cannot be read: EISDIR`);
    writeFileSync(join(folder, 'text'), 'no certificate');
    expect(refusal({ ...files, [name]: join(folder, 'text') })).toMatch(/is not a PEM file/);
    writeFileSync(join(folder, 'big'), Buffer.alloc(5 * 1024 * 1024));
    expect(refusal({ ...files, [name]: join(folder, 'big') })).toMatch(`${name}: the file cannot be read: it has more`);
  });

  it.each(['hunter2', ':hunter2', 'hunter2:'])('refuse ZISTORE_ZOOKEEPER_AUTH=%s without repeating it', (value) => {
    const message = refusal({ ZISTORE_ZOOKEEPER_AUTH: value });
    expect(message).toContain('ZISTORE_ZOOKEEPER_AUTH: expected user:password');
    expect(message).not.toContain('hunter2');
  });
});

describe('a wrong environment', () => {
  const ZK = ['--zookeeper', '127.0.0.1:1'];
  afterEach(() => {
    delete process.env.ZISTORE_ZOOKEEPER_AUTH;
  });

  it.each([
    ['node', ...ZK, '--cluster', 'c', '--listen', '127.0.0.1:0'],
    ['get', 'k', ...ZK],
    ['put', 'k', 'v', ...ZK],
    ['delete', 'k', ...ZK],
    ['status', ...ZK],
    ['shell', ...ZK],
  ])('is wrong usage of %s, found before anything starts', async (...argv) => {
    process.env.ZISTORE_ZOOKEEPER_AUTH = 'nobody';
    const errors: string[] = [];
    expect(await runCli(argv, { out: () => {}, err: (text) => void errors.push(text) })).toBe(2);
    expect(errors.join('')).toContain(
      'error: ZISTORE_ZOOKEEPER_AUTH: expected user:password (ZISTORE_INVALID_ARGUMENT)',
    );
  });
});
