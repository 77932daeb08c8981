import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChangeOperation, ErrorCode, type Operation } from '../../../src/embedded/operations.ts';
import { type CoordinatorLimits, CoordinatorState } from '../../../src/embedded/state.ts';

const TICK = 100;
const LIMITS: CoordinatorLimits = {
  tickTimeMs: TICK,
  minSessionTimeoutMs: 2 * TICK,
  maxSessionTimeoutMs: 20 * TICK,
  maxSessions: 3,
  maxNodes: 40,
  maxBytes: 4000,
  maxWatchesPerConnection: 3,
};
const ACL = [{ permissions: 31, scheme: 'world', id: 'anyone' }];

function newState(limits: Partial<CoordinatorLimits> = {}): CoordinatorState {
  return new CoordinatorState({
    limits: { ...LIMITS, ...limits },
    firstZxid: 5n << 32n,
    firstSessionId: 100n,
    newPassword: () => new Uint8Array(16).fill(9),
    wallOffsetMs: 0,
  });
}

function open(state: CoordinatorState, now = 0, timeoutMs = 1000): bigint {
  const result = state.connect({ sessionId: 0n, password: new Uint8Array(16), timeoutMs, lastZxid: 0n }, now);
  if (result.kind !== 'accepted') throw new Error(result.kind);
  return result.session.id;
}

const create = (
  path: string,
  options: { ephemeral?: boolean; sequential?: boolean; bytes?: number } = {},
): ChangeOperation => ({
  op: 'create',
  path,
  data: new Uint8Array(options.bytes ?? 0),
  acl: ACL,
  ephemeral: options.ephemeral ?? false,
  sequential: options.sequential ?? false,
});

/** Everything that can be read, but for the zxids of reads. */
function dump(state: CoordinatorState, session: bigint, path = '/'): unknown {
  const ask = (operation: Operation) => state.execute(session, 1, operation, 0).answer;
  const data = ask({ op: 'getData', path, watch: false });
  const names = [...(ask({ op: 'getChildren', path, watch: false, withStat: false }).names ?? [])].sort();
  return [data, names.map((name) => [name, dump(state, session, path === '/' ? `/${name}` : `${path}/${name}`)])];
}

const paths = fc.constantFrom('/a', '/b', '/a/x', '/a/y', '/b/x', '/a/x/z', 'bad', '/a//x');
const versions = fc.constantFrom(-1, -1, 0, 1, 2);
const change: fc.Arbitrary<ChangeOperation> = fc.oneof(
  fc
    .record({ path: paths, ephemeral: fc.boolean(), sequential: fc.boolean(), bytes: fc.nat(300) })
    .map(({ path, ...options }) => create(path, options)),
  fc.record({ op: fc.constant('delete' as const), path: paths, version: versions }),
  fc.record({ op: fc.constant('check' as const), path: paths, version: versions }),
  fc.record({
    op: fc.constant('setData' as const),
    path: paths,
    data: fc.uint8Array({ maxLength: 300 }),
    version: versions,
  }),
);

describe('the coordinator as a state', () => {
  it('does all of a multi, with one zxid, or nothing of it (Z33)', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 30 }),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        (before, steps) => {
          const state = newState();
          const session = open(state);
          for (const operation of before) state.execute(session, 1, operation, 0);
          const old = dump(state, session);
          const { zxid, answer, events } = state.execute(session, 1, { op: 'multi', steps }, 0);
          const failed = answer.steps!.some((step) => step.code !== 0);
          if (failed) {
            expect(dump(state, session)).toEqual(old);
            expect(events).toEqual([]);
            return;
          }
          for (const { path } of answer.steps!) {
            if (path === undefined) continue;
            const { answer: read } = state.execute(session, 1, { op: 'exists', path, watch: false }, 0);
            if (read.stat !== undefined) expect(read.stat.czxid).toBe(zxid);
          }
        },
      ),
    );
  });

  it('does in a multi what the same operations do one by one', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (operations) => {
        const [single, grouped] = [newState(), newState()];
        const [one, other] = [open(single), open(grouped)];
        for (const operation of operations) {
          const { answer } = single.execute(one, 1, operation, 0);
          const { answer: whole } = grouped.execute(other, 1, { op: 'multi', steps: [operation] }, 0);
          expect(whole.steps![0]!.code).toBe(answer.code);
          expect(whole.steps![0]!.path).toBe(answer.path);
        }
        expect(dump(grouped, other)).toEqual(dump(single, one));
      }),
    );
  });

  it('removes every ephemeral with its session and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), change), { maxLength: 40 }), (operations) => {
        const state = newState();
        const [mine, other] = [open(state), open(state)];
        for (const [own, operation] of operations) state.execute(own ? mine : other, 1, operation, 0);
        const owners = () =>
          JSON.stringify(dump(state, other), (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
        const before = state.nodeCount;
        const owned = owners().split(`"ephemeralOwner":"${mine}n"`).length - 1;
        state.endSession(mine, 0);
        expect(state.nodeCount).toBe(before - owned);
        expect(owners()).not.toContain(`"ephemeralOwner":"${mine}n"`);
      }),
    );
  });

  it('expires a session never before its timeout, and at most one tick after it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 2000 }), fc.integer({ min: 0, max: 1000 }), (timeoutMs, start) => {
        const state = newState();
        const session = open(state, start, timeoutMs);
        expect(state.expire(start + timeoutMs).sessions).toEqual([]);
        expect(state.expire(start + timeoutMs + TICK).sessions).toEqual([session]);
        expect(state.touch(session, start)).toBe(false);
      }),
    );
  });

  it('counts every request as a sign of life', () => {
    const state = newState();
    const session = open(state, 0, 500);
    state.execute(session, 1, { op: 'exists', path: '/', watch: false }, 400);
    expect(state.expire(800).sessions).toEqual([]);
    expect(state.expire(1000).sessions).toEqual([session]);
    const { answer } = state.execute(session, 1, create('/a'), 1000);
    expect(answer.code).toBe(ErrorCode.sessionExpired);
  });

  it('takes no session from a client without its password', () => {
    const state = newState();
    const session = open(state);
    const take = (password: Uint8Array) =>
      state.connect({ sessionId: session, password, timeoutMs: 1000, lastZxid: 0n }, 0).kind;
    expect(take(new Uint8Array(16))).toBe('expired');
    expect(take(new Uint8Array(15).fill(9))).toBe('expired');
    expect(take(new Uint8Array(16).fill(9))).toBe('accepted');
  });

  it('is bounded: sessions, znodes, bytes, watches', () => {
    const state = newState();
    const session = open(state);
    open(state);
    open(state);
    expect(() => open(state)).toThrow('refused');
    const codes = (operation: (n: number) => Operation) =>
      Array.from({ length: 50 }, (_, n) => state.execute(session, 1, operation(n), 0).answer.code);
    expect(codes((n) => create(`/n${n}`)).filter((code) => code === ErrorCode.systemError)).toHaveLength(50 - 37);
    codes((n) => ({ op: 'delete', path: `/n${n}`, version: -1 }));
    expect(codes((n) => create(`/b${n}`, { bytes: 1000 })).filter((code) => code === 0)).toHaveLength(3);
    expect(codes((n) => ({ op: 'exists', path: `/w${n}`, watch: true })).filter((code) => code === -1)).toHaveLength(
      47,
    );
    expect(state.execute(session, 1, { op: 'delete', path: '/b0', version: -1 }, 0).answer.code).toBe(0);
    expect(state.execute(session, 1, create('/b', { bytes: 900 }), 0).answer.code).toBe(0);
  });

  it('wraps sequence numbers as ZooKeeper does [15]', async () => {
    const { sequenceSuffix } = await import('../../../src/embedded/paths.ts');
    expect([0, 2147483647, 2147483648].map(sequenceSuffix)).toEqual(['0000000000', '2147483647', '-2147483648']);
  });
});
