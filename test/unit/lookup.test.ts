import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { realClock } from '../../src/clock.ts';
import { toAddress, toIncarnation } from '../../src/core/types.ts';
import { silentLogger } from '../../src/logger.ts';
import { createLookup, LOOKUP_PATIENCE_MS, type Resolver } from '../../src/lookup.ts';
import type { Clock } from '../../src/ports.ts';
import { realRandom } from '../../src/random.ts';
import { createWsTransport } from '../../src/rpc/transport.ts';
import { openZooKeeperWith } from '../../src/zookeeper/client.ts';
import { scaled } from '../support/wait.ts';

type Answer = Parameters<Resolver>[2];

/** A resolver that answers when it is told to, and a clock that is moved by hand. */
function world() {
  const questions: { readonly hostname: string; readonly answer: Answer }[] = [];
  const timers = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    setTimer(delayMs, callback) {
      expect(delayMs).toBe(LOOKUP_PATIENCE_MS);
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const lookup = createLookup(clock, (hostname, _options, answer) => {
    questions.push({ hostname, answer });
  });
  const late = (): void => {
    for (const timer of timers) {
      timers.delete(timer);
      timer();
    }
  };
  return { lookup, questions, timers, late };
}

function ask(lookup: LookupFunction, hostname: string): unknown[] {
  const answers: unknown[] = [];
  lookup(hostname, { all: true }, (error, addresses) => answers.push(error ?? addresses));
  return answers;
}

const at = (address: string): LookupAddress[] => [{ address, family: 4 }];
const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

describe('the addresses of a host name', () => {
  it('are those that the resolver tells, each time anew', () => {
    const { lookup, questions, timers } = world();
    for (const address of ['10.0.0.1', '10.0.0.2']) {
      const answers = ask(lookup, 'node1');
      questions.at(-1)!.answer(null, at(address));
      expect(answers).toEqual([at(address)]);
    }
    expect(questions).toHaveLength(2);
    expect(timers.size).toBe(0);
  });

  it('are those of last time where the resolver is silent, once; its late answer is for the next (Z02)', () => {
    const { lookup, questions, late } = world();
    ask(lookup, 'node1');
    questions[0]!.answer(null, at('10.0.0.1'));
    const answers = ask(lookup, 'node1');
    expect(answers).toEqual([]);
    late();
    expect(answers).toEqual([at('10.0.0.1')]);
    questions[1]!.answer(null, at('10.0.0.2'));
    expect(answers).toHaveLength(1);
    ask(lookup, 'node1');
    const next = ask(lookup, 'node1');
    late();
    expect(next).toEqual([at('10.0.0.2')]);
  });

  it('are asked for once while there is no answer, however many wait (Z02)', () => {
    const { lookup, questions } = world();
    const all = Array.from({ length: 50 }, () => ask(lookup, 'node1'));
    const other = ask(lookup, 'node2');
    expect(questions.map(({ hostname }) => hostname)).toEqual(['node1', 'node2']);
    questions[0]!.answer(null, at('10.0.0.1'));
    for (const answers of all) expect(answers).toEqual([at('10.0.0.1')]);
    expect(other).toEqual([]);
  });

  it('are those of last time where the resolver cannot be reached; without a last time that is told', () => {
    const { lookup, questions } = world();
    const first = ask(lookup, 'node1');
    questions[0]!.answer(failure('EAI_AGAIN'), []);
    expect(first).toEqual([failure('EAI_AGAIN')]);
    ask(lookup, 'node1');
    questions[1]!.answer(null, at('10.0.0.1'));
    const answers = ask(lookup, 'node1');
    questions[2]!.answer(failure('EAI_AGAIN'), []);
    expect(answers).toEqual([at('10.0.0.1')]);
  });

  it('are none where the resolver says that there is no such name, whatever it was', () => {
    const { lookup, questions, timers } = world();
    ask(lookup, 'node1');
    questions[0]!.answer(null, at('10.0.0.1'));
    const answers = ask(lookup, 'node1');
    questions[1]!.answer(failure('ENOTFOUND'), []);
    expect(answers).toEqual([failure('ENOTFOUND')]);
    ask(lookup, 'node1');
    expect(timers.size).toBe(0);
  });
});

describe('connections', () => {
  const basics = { clock: realClock, random: realRandom, logger: silentLogger };
  /** Every name is this machine. */
  const lookup: LookupFunction = (_hostname, options, callback) =>
    options.all === true ? callback(null, at('127.0.0.1')) : callback(null, '127.0.0.1', 4);

  /** A port to which somebody connects while `connect` is under way. */
  async function expectCaller(connect: (port: number) => { close(): Promise<void> }): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const caller = connect((server.address() as AddressInfo).port);
    try {
      await once(server, 'connection', { signal: AbortSignal.timeout(scaled(5000)) });
    } finally {
      await caller.close();
      server.close();
    }
  }

  it('to ZooKeeper go where the lookup says', async () => {
    const handler = { connected() {}, disconnected() {}, ended() {}, reply() {}, watch() {} };
    await expectCaller((port) => {
      const options = { ...basics, connectString: `zookeeper.invalid:${port}`, sessionTimeoutMs: 2000, lookup };
      return openZooKeeperWith(options)(handler, { lastZxid: 0n });
    });
  });

  it('to peers go where the lookup says', async () => {
    await expectCaller((port) => {
      const listen = { host: '127.0.0.1', port: 0 };
      const transport = createWsTransport({ ...basics, listen, cluster: 'demo', lookup });
      transport.identify({ address: toAddress('127.0.0.1:1'), incarnation: toIncarnation(1n) });
      transport.dial({ address: toAddress(`node.invalid:${port}`), incarnation: toIncarnation(2n) });
      return transport;
    });
  });
});
