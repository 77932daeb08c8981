/** Options: every one wrong once, and the relations between them (contract: Library, Errors; protocol.md: Lease). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { agreementOf } from '../../src/agreement.ts';
import { readOptions } from '../../src/config.ts';
import { Lease } from '../../src/core/lease.ts';
import { WIRE_VERSION } from '../../src/core/messages.ts';
import { ZiStoreError } from '../../src/errors.ts';
import { beatIntervalMs, leaseSlackMs } from '../../src/lease-timing.ts';
import { silentLogger } from '../../src/logger.ts';
import { DEFAULTS } from '../../src/options.ts';
import { certificate } from '../support/certificate.ts';

const zookeeper = '127.0.0.1:2181';

function refusal(options: unknown): ZiStoreError {
  try {
    readOptions(options);
  } catch (error) {
    expect(error).toBeInstanceOf(ZiStoreError);
    expect(error).toMatchObject({ code: 'ZISTORE_INVALID_ARGUMENT', retryable: false });
    return error as ZiStoreError;
  }
  throw new Error('it was accepted');
}

describe('defaults', () => {
  it('are those of the contract', () => {
    expect(readOptions({ zookeeper: 'zk1:2181,zk2:2182/chroot' })).toMatchObject({
      zookeeper: {
        servers: [
          { host: 'zk1', port: 2181 },
          { host: 'zk2', port: 2182 },
        ],
        chroot: '/chroot',
      },
      zookeeperAuth: null,
      sessionTimeoutMs: 4000,
      listen: { host: '127.0.0.1', port: 0 },
      tls: null,
      secret: null,
      valueEncoding: 'utf8',
      maxKeyBytes: 1024,
      maxValueBytes: 1024 ** 2,
      node: {
        cluster: 'default',
        advertise: { host: '127.0.0.1', port: 0 },
        candidate: true,
        tickTimeMs: 2000,
        connectTimeoutMs: 10_000,
        closeTimeoutMs: 10_000,
        cache: { maxEntries: 100_000, maxBytes: 64 * 1024 * 1024 },
        store: { maxBytes: 1024 ** 3 },
        maxPending: 10_000,
      },
    });
  });

  it('stand for undefined, which is the same as leaving an option out, and not for null', () => {
    const names = ['cluster', 'listen', 'candidate', 'cache', 'store', 'valueEncoding', 'logger', 'tls', 'secret'];
    for (const name of names) {
      expect(readOptions({ zookeeper, [name]: undefined })).toEqual(expect.objectContaining({ valueEncoding: 'utf8' }));
      expect(refusal({ zookeeper, [name]: null }).message).toMatch(new RegExp(`^${name}\\b`));
    }
  });

  it('fill in what a nested option leaves out', () => {
    const { listen, node } = readOptions({ zookeeper, listen: { port: 7400 }, cache: { maxEntries: 5 } });
    expect(listen).toEqual({ host: '127.0.0.1', port: 7400 });
    expect(node.advertise).toEqual({ host: '127.0.0.1', port: 7400 });
    expect(node.cache).toEqual({ maxEntries: 5, maxBytes: DEFAULTS.cacheMaxBytes });
  });
});

describe('a wrong option is refused, by its name and with the reason', () => {
  const whole = (name: string): [string, unknown, RegExp][] => [
    [name, 0, /whole number from 1/],
    [name, 1.5, /got 1\.5/],
    [name, '10', /got "10"/],
    [name, Number.NaN, /got NaN/],
    [name, Number.POSITIVE_INFINITY, /got Infinity/],
  ];
  it.each<[name: string, value: unknown, why: RegExp]>([
    ['zookeeper', undefined, /missing/],
    ['zookeeper', '', /1 to/],
    ['zookeeper', 42, /expected a string/],
    ['zookeeper', 'zk1:port', /port/],
    ['zookeeper', 'zk1:2181,,zk2:2181', /missing between commas/],
    ['cluster', '', /1 to 64/],
    ['cluster', 'a/b', /letters, digits/],
    ['cluster', '..', /letters, digits/],
    ['cluster', 'x'.repeat(65), /got 65/],
    ['cluster', 7, /expected a string/],
    ['listen', '127.0.0.1:7400', /expected an object/],
    ['listen.host', { host: 'a b' }, /host name or an IP address/],
    ['listen.host', { host: '10.0.0.256' }, /host name or an IP address/],
    ['listen.host', { host: '' }, /characters/],
    ['listen.port', { port: 65536 }, /0 to 65535/],
    ['listen.port', { port: -1 }, /0 to 65535/],
    ['listen.port', { port: '7400' }, /got "7400"/],
    ['listen', { hots: 'x' }, /unknown option "hots"; did you mean 'host'/],
    ['advertise', [], /expected an object, got an array/],
    ['advertise.host', { host: 'fe80::1%eth0' }, /zone/],
    ['advertise.host', { host: '[127.0.0.1]' }, /host name or an IP address/],
    ['advertise.port', { port: 1e6 }, /0 to 65535/],
    ...whole('sessionTimeoutMs'),
    ...whole('tickTimeMs'),
    ...whole('connectTimeoutMs'),
    ...whole('closeTimeoutMs'),
    ...whole('maxKeyBytes'),
    ...whole('maxValueBytes'),
    ...whole('maxPending'),
    ['connectTimeoutMs', 2 ** 31, /2147483647/],
    ['sessionTimeoutMs', 86_400_001, /86400000/],
    ['maxKeyBytes', 65537, /65536/],
    ['maxValueBytes', 2 ** 29, /268435456/],
    ['candidate', 'yes', /true or false, got "yes"/],
    ['cache', 5, /expected an object, got 5/],
    ['cache.maxEntries', { maxEntries: 0 }, /whole number from 1/],
    ['cache.maxBytes', { maxBytes: -1 }, /whole number from 1/],
    ['cache', { maxByte: 5 }, /did you mean 'maxBytes'/],
    ['store.maxBytes', { maxBytes: '1G' }, /whole number/],
    ['store', { maxEntries: 5 }, /unknown option "maxEntries"/],
    ['valueEncoding', 'utf-8', /'utf8', 'json', 'buffer', got "utf-8"/],
    ['logger', {}, /it lacks debug, info, warn, error/],
    ['logger', { ...silentLogger, warn: 1 }, /it lacks warn/],
    ['tls', true, /expected an object/],
    ['tls.cert', {}, /missing/],
    ['secret', 'too short', /16 to 1024 characters, got 9/],
    ['secret', 1234567890123456, /expected a string/],
    ['zookeeperAuth', 'user:password', /expected an object/],
    ['zookeeperAuth.user', { user: 'a:b', password: 'c' }, /colon/],
    ['zookeeperAuth.password', { user: 'a' }, /expected a string/],
  ])('%s: %p', (name, value, why) => {
    const { message } = refusal({ zookeeper, [name.split('.')[0] as string]: value });
    expect(message).toMatch(why);
    expect(message.startsWith(`${name}: `)).toBe(true);
  });

  it('tls: three pieces of PEM that fit together', () => {
    const { cert, key, otherKey } = certificate;
    const tls = (given: object) => refusal({ zookeeper, tls: given }).message;
    expect(readOptions({ zookeeper, tls: { cert, key, ca: Buffer.from(cert) } }).tls).toMatchObject({ cert, key });
    expect(tls({ cert, ca: cert })).toMatch(/^tls\.key: missing/);
    expect(tls({ cert: './cert.pem', key, ca: cert })).toMatch(/^tls\.cert: .*not its path/);
    expect(tls({ cert, key: otherKey, ca: cert })).toMatch(/^tls: .*fits together/);
    expect(tls({ cert, key, ca: new Uint8Array(9) })).toMatch(/^tls/);
  });

  it.each([null, undefined, 'zk1:2181', 5, []])('the options themselves: %p', (options) => {
    expect(refusal(options).message).toMatch(/^options: expected an object/);
  });

  it.each([
    ['sessionTimeout', 'sessionTimeoutMs'],
    ['zookeper', 'zookeeper'],
    ['valueencoding', 'valueEncoding'],
    ['cacheSize', undefined],
  ])('an unknown name: %s', (name, meant) => {
    const { message } = refusal({ zookeeper, [name]: 1 });
    expect(message).toContain(`unknown option "${name}"`);
    expect(message.includes('did you mean')).toBe(meant !== undefined);
    if (meant !== undefined) expect(message).toContain(`did you mean '${meant}'?`);
  });

  it('does not repeat secrets', () => {
    const secret = 'hunter2hunter2';
    const messages = [
      refusal({ zookeeper, secret }).message,
      refusal({ zookeeper, zookeeperAuth: { user: 'u', password: secret.repeat(100) } }).message,
      refusal({ zookeeper, tls: { cert: secret, key: secret, ca: secret } }).message,
    ];
    for (const message of messages) expect(message).not.toContain('hunter2');
  });
});

describe('where peers reach this node', () => {
  it.each(['0.0.0.0', '::', '[::]', '0', '0:0:0:0:0:0:0:0', '::0', '::ffff:0.0.0.0', '00.0.0.0'])(
    'all interfaces (%s) cannot be advertised',
    (host) => {
      expect(refusal({ zookeeper, listen: { host } }).message).toMatch(/^(advertise|listen)\.host/);
      expect(refusal({ zookeeper, advertise: { host } }).message).toMatch(/^advertise\.host/);
    },
  );

  it('all interfaces may be listened on when a name is advertised; the port then is that of listen', () => {
    const { listen, node } = readOptions({
      zookeeper,
      listen: { host: '0.0.0.0', port: 7400 },
      advertise: { host: 'node1.example' },
    });
    expect(listen.host).toBe('0.0.0.0');
    expect(node.advertise).toEqual({ host: 'node1.example', port: 7400 });
  });

  it('an IPv6 address is listened on bare and advertised in brackets, however it was given', () => {
    for (const host of ['::1', '[::1]']) {
      const { listen, node } = readOptions({ zookeeper, listen: { host } });
      expect([listen.host, node.advertise.host]).toEqual(['::1', '[::1]']);
    }
  });
});

describe('timeouts that leave no room for a lease (Z06 Z19, protocol.md: Lease)', () => {
  it.each([
    [4000, 2000],
    [1000, 500],
    [3000, 500],
    [400, 200],
  ])('a session of %d ms with ticks of %d ms is accepted', (sessionTimeoutMs, tickTimeMs) => {
    expect(readOptions({ zookeeper, sessionTimeoutMs, tickTimeMs }).sessionTimeoutMs).toBe(sessionTimeoutMs);
  });

  it.each([
    [3999, 2000, /less than two ticks.*at least 4000/],
    [1000, 2000, /tickTimeMs to what the ensemble's zoo\.cfg says/],
    [100, 50, /could never answer/],
    [200, 100, /a single beat .* late would suspend the node/],
  ])('a session of %d ms with ticks of %d ms is refused, with the reason', (sessionTimeoutMs, tickTimeMs, why) => {
    const { message } = refusal({ zookeeper, sessionTimeoutMs, tickTimeMs });
    expect(message).toMatch(/^sessionTimeoutMs: /);
    expect(message).toMatch(why);
  });

  it('agrees with the lease itself: on a network without delay it never lapses, and the slack is what it says', () => {
    const timing = fc
      .record({ tick: fc.integer({ min: 10, max: 3000 }), factor: fc.double({ min: 2, max: 20, noNaN: true }) })
      .map(({ tick, factor }) => ({ tick, timeout: Math.ceil(tick * factor) }));
    fc.assert(
      fc.property(timing, ({ tick, timeout }) => {
        const least = leastTimeLeft(timeout, tick);
        const slack = leaseSlackMs(timeout, tick);
        // Rounding may put a beat on either side of the relay bound.
        const beat = beatIntervalMs(timeout);
        const onTheBound = Math.abs(((tick / 2 + 50) / beat) % 1) < 1e-6 || ((tick / 2 + 50) / beat) % 1 > 1 - 1e-6;
        if (!onTheBound) expect(least).toBeCloseTo(slack, 3);
      }),
    );
  });
});

/** Beats on schedule, each answered at once: the least that is left of the lease just before a beat is answered. */
function leastTimeLeft(sessionTimeoutMs: number, tickTimeMs: number): number {
  const lease = new Lease(tickTimeMs);
  lease.setSessionTimeout(sessionTimeoutMs);
  let least = Number.POSITIVE_INFINITY;
  for (let beat = 0; beat < 60; beat++) {
    const now = beat * beatIntervalMs(sessionTimeoutMs);
    if (beat > 40) least = Math.min(least, lease.end - now);
    lease.answered(now, now);
    if (lease.wantsBeat) lease.answered(now, now);
  }
  return least;
}

describe('the agreement of a cluster', () => {
  const agreement = (options: object) => agreementOf(readOptions({ zookeeper, ...options }));
  const secret = 'correct horse battery staple';

  it('holds what all nodes must share', async () => {
    const plain = await agreement({ maxKeyBytes: 10, maxValueBytes: 20 });
    expect(plain).toEqual({
      wireVersion: WIRE_VERSION,
      maxKeyBytes: 10,
      maxValueBytes: 20,
      transport: 'plain',
      authorities: null,
      secretCheck: null,
    });
    const tls = { cert: certificate.cert, key: certificate.key, ca: certificate.cert };
    expect(await agreement({ tls })).toMatchObject({ transport: 'tls' });
  });

  it('tells a wrong secret from the right one without holding it', async () => {
    const { secretCheck } = await agreement({ secret });
    expect(secretCheck).toMatch(/^[0-9a-f]{64}$/);
    expect((await agreement({ secret })).secretCheck).toBe(secretCheck);
    expect((await agreement({ secret: `${secret}!` })).secretCheck).not.toBe(secretCheck);
    expect((await agreement({ secret, cluster: 'other' })).secretCheck).not.toBe(secretCheck);
  });
});

it('a logger that throws harms nobody', () => {
  const failing = () => {
    throw new Error('disk full');
  };
  const { logger } = readOptions({
    zookeeper,
    logger: { debug: failing, info: failing, warn: failing, error: failing },
  });
  for (const level of ['debug', 'info', 'warn', 'error'] as const) expect(() => logger[level]('x')).not.toThrow();
});
