/** Joining against scripted replies (docs/protocol.md, ZooKeeper layout and recipes; Z14 Z34; pitfalls 14 and 21). */
import { describe, expect, it } from '@jest/globals';
import type { ZkErrorCode, ZkOperation, ZkReply } from '../../../src/core/coordination.ts';
import type { Effect, Failure } from '../../../src/core/effects.ts';
import { type Agreement, Join, type Joined } from '../../../src/core/join.ts';
import { ZkRequests } from '../../../src/core/zk.ts';
import { address, effectsOf, paths, Tree } from './support.ts';

const ME = address('me:1');
const SESSION = 'session-me';
const AGREED: Agreement = { wireVersion: 1, maxKeyBytes: 1024, transport: 'plain', secretCheck: 'hash' };

function joinOf(options: { candidate?: boolean; tree?: Tree } = {}) {
  const tree = options.tree ?? new Tree();
  const outbox: Effect[] = [];
  const zk = new ZkRequests(1, outbox);
  const seen = { joined: [] as Joined[], beats: [] as [number, number][], failures: [] as Failure[], gone: 0 };
  const logs: string[] = [];
  let now = 0;
  let answered = 0;
  const guid = 'f00d';
  const join = new Join(
    zk,
    { paths, address: ME, candidate: options.candidate ?? true, agreement: AGREED, memberData: '{}', guid },
    {
      joined: (joined) => seen.joined.push(joined),
      beat: (...times) => seen.beats.push(times),
      impossible: (failure) => seen.failures.push(failure),
      sessionGone: () => {
        seen.gone += 1;
      },
      log: (_level, message) => logs.push(message),
    },
  );
  const asked = () => effectsOf(outbox, 'zk');
  /** Answers the next request; `lost`: it is carried out, but the answer is lost. */
  const answer = (how: ZkReply | 'lost' | 'done' = 'done'): ZkOperation | undefined => {
    const due = asked()[answered];
    if (due === undefined) return undefined;
    answered += 1;
    now += 10;
    const reply = typeof how === 'object' ? how : tree.apply(due.operation, SESSION);
    zk.reply(due.request, how === 'lost' ? { ok: false, code: 'CONNECTION_LOSS', message: '' } : reply, now);
    return due.operation;
  };
  const finish = (): void => {
    for (let turns = 0; turns < 100; turns++) {
      const fired = tree.fired.shift();
      if (fired !== undefined) zk.watch(fired.path, fired.kind, now);
      else if (answer() === undefined && zk.wakeAt === Number.POSITIVE_INFINITY) return;
      else zk.connected(now);
    }
    throw new Error('joining without end');
  };
  join.start(SESSION);
  return { tree, zk, seen, logs, answer, finish, asked: () => asked().map(({ operation }) => operation) };
}

const mine = (tree: Tree) => [...tree.nodes].filter(([, node]) => node.owner === SESSION);
const refusal = (code: ZkErrorCode): ZkReply => ({ ok: false, code, message: `server says ${code}` });

/** A cluster that somebody has joined before. */
function established(config: unknown = AGREED): Tree {
  const tree = new Tree();
  joinOf({ tree }).finish();
  tree.expire(SESSION);
  tree.write(paths.config, typeof config === 'string' ? config : JSON.stringify(config));
  tree.fired.length = 0;
  return tree;
}

describe('joining', () => {
  it('Z14 Z34: the first node makes the persistent znodes, then member and candidate in one transaction', () => {
    const { tree, seen, finish, asked } = joinOf();
    finish();
    const member = tree.nodes.get(paths.member(ME))!;
    const candidates = [...tree.nodes].filter(([path]) => path.startsWith(`${paths.election}/`));
    expect(candidates.map(([, node]) => [node.data, node.czxid])).toEqual([[ME, member.czxid]]);
    expect(asked().filter(({ op }) => op === 'multi')).toHaveLength(1);
    expect(seen).toMatchObject({ joined: [{ incarnation: member.czxid }], failures: [], gone: 0 });
    expect(seen.joined[0]!.candidate).toMatch(/^f00d-n-\d{10}$/);
    expect(JSON.parse(tree.nodes.get(paths.config)!.data)).toEqual(AGREED);
  });

  it('its transaction is the first beat, counted from its sending', () => {
    const { seen, answer, finish } = joinOf({ tree: established() });
    answer();
    answer();
    finish();
    expect(seen.beats).toEqual([[10, 20]]);
  });

  it('a node that is no candidate makes no election znode', () => {
    const { tree, seen, finish } = joinOf({ candidate: false, tree: established() });
    finish();
    expect(mine(tree).map(([path]) => path)).toEqual([paths.member(ME)]);
    expect(seen.joined).toEqual([{ incarnation: tree.nodes.get(paths.member(ME))!.czxid, candidate: undefined }]);
  });

  for (const where of ['first', 'established'] as const) {
    for (const how of ['lost', 'unsent'] as const) {
      it(`pitfall 14: connection loss at each step (${where} node, ${how}): one member, one candidate, no orphan`, () => {
        const whole = joinOf(where === 'first' ? {} : { tree: established() });
        whole.finish();
        for (let step = 0; step < whole.asked().length; step++) {
          const run = joinOf(where === 'first' ? {} : { tree: established() });
          for (let i = 0; i < step; i++) run.answer();
          run.answer(how === 'lost' ? 'lost' : refusal('NOT_SENT'));
          run.finish();
          expect([step, run.seen.joined.length, run.seen.failures, run.seen.gone]).toEqual([step, 1, [], 0]);
          expect(mine(run.tree).map(([path]) => path)).toEqual([
            paths.member(ME),
            paths.candidate(run.seen.joined[0]!.candidate!),
          ]);
        }
      });
    }
  }

  it('the answer of the transaction lost: found again, but no beat, for nobody knows when it was carried out', () => {
    const { seen, answer, finish } = joinOf({ tree: established() });
    answer();
    answer('lost');
    finish();
    expect([seen.joined.length, seen.beats]).toEqual([1, []]);
  });

  it('pitfall 21: the member znode of an earlier life is waited for, never deleted', () => {
    const tree = established();
    const earlier = tree.join(ME, { session: 'earlier', candidate: false });
    const { seen, logs, finish, asked } = joinOf({ tree });
    finish();
    expect(seen.joined).toEqual([]);
    expect(logs).toHaveLength(1);
    expect(asked().some(({ op }) => op === 'delete')).toBe(false);
    tree.expire('earlier');
    finish();
    expect(seen.joined).toHaveLength(1);
    expect(seen.joined[0]!.incarnation > earlier.incarnation).toBe(true);
  });

  it('pitfall 21: the earlier life ends between the refusal and the look: tried again at once', () => {
    const tree = established();
    tree.join(ME, { session: 'earlier', candidate: false });
    const { seen, answer, finish } = joinOf({ tree });
    answer();
    answer();
    tree.expire('earlier');
    finish();
    expect(seen.joined).toHaveLength(1);
  });

  it.each(['member only', 'candidate of another session'])(
    'ephemeralOwner check: %s is a session that is not ours',
    (what) => {
      const tree = established();
      tree.join(ME, { session: SESSION, candidate: false });
      if (what !== 'member only') tree.write(paths.candidate('f00d-n-0000000009'), ME);
      const { seen, finish } = joinOf({ tree });
      finish();
      expect([seen.joined, seen.gone]).toEqual([[], 1]);
    },
  );

  it('the epoch of a leader is its incarnation: a service that breaks this is refused', () => {
    const { seen, answer, finish } = joinOf({ tree: established() });
    for (let i = 0; i < 4; i++) answer();
    const stat = { czxid: 5n, mzxid: 5n, pzxid: 5n, version: 0, ephemeralOwner: SESSION };
    answer({ ok: true, zxid: 9n, stat });
    finish();
    expect(seen.joined).toEqual([]);
    expect(seen.failures).toMatchObject([{ code: 'ZISTORE_INCOMPATIBLE' }]);
  });
});

describe('a node that can never join says why', () => {
  it.each(Object.entries({ wireVersion: 2, maxKeyBytes: 512, transport: 'tls' }))(
    'config mismatch: %s',
    (name, value) => {
      const { seen, tree, finish } = joinOf({ tree: established({ ...AGREED, [name]: value }) });
      finish();
      expect(seen.failures).toMatchObject([{ code: 'ZISTORE_INCOMPATIBLE', message: expect.stringContaining(name) }]);
      expect(mine(tree)).toEqual([]);
    },
  );

  it.each([
    ['a field that only the cluster has', { ...AGREED, newer: true }],
    ['a field that only this node has', { wireVersion: 1, maxKeyBytes: 1024, secretCheck: 'hash' }],
    ['no JSON', 'hello'],
    ['no object', '[]'],
    ['null', 'null'],
    ['nothing', ''],
  ])('config mismatch: %s', (_, config) => {
    const { seen, finish } = joinOf({ tree: established(config) });
    finish();
    expect(seen.failures).toMatchObject([{ code: 'ZISTORE_INCOMPATIBLE' }]);
  });

  it.each([['another'], [null]])('secret mismatch (%s) is unauthorised, and shows neither secret', (secretCheck) => {
    const { seen, finish } = joinOf({ tree: established({ ...AGREED, secretCheck }) });
    finish();
    expect(seen.failures).toMatchObject([{ code: 'ZISTORE_UNAUTHORIZED' }]);
    expect(seen.failures[0]!.message).not.toMatch(/hash|another/);
  });

  it('a field that is absent is the same as null', () => {
    const { seen, finish } = joinOf({ tree: established({ ...AGREED, newer: null }) });
    finish();
    expect(seen.joined).toHaveLength(1);
  });

  it.each([
    ['missing chroot', 'NO_NODE', 'ZISTORE_INVALID_ARGUMENT'],
    ['no permission', 'NO_AUTH', 'ZISTORE_UNAUTHORIZED'],
    ['bad arguments', 'BAD_ARGUMENTS', 'ZISTORE_INCOMPATIBLE'],
  ] as const)('%s', (_, code, expected) => {
    const { seen, answer } = joinOf();
    answer();
    answer(refusal(code));
    expect(seen.failures).toMatchObject([{ code: expected }]);
  });

  it('nothing more is asked or said once its session has ended', () => {
    const { seen, zk, answer, asked } = joinOf({ tree: established() });
    answer(refusal('SESSION_ENDED'));
    zk.connected(1);
    expect([asked().length, seen]).toEqual([1, { joined: [], beats: [], failures: [], gone: 0 }]);
  });
});
