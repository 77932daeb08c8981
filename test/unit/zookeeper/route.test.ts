import { describe, expect, it } from '@jest/globals';
import { type AttemptResult, FUTURE_ZXID_MS, Route } from '../../../src/zookeeper/route.ts';

const servers = ['a', 'b', 'c'].map((host) => ({ host, port: 2181 }));
const options = { timeoutMs: 4000, zxid: 7n };

/** The attempts after so many results in a row, one each millisecond. */
function attempts(route: Route, result: AttemptResult, count: number) {
  return Array.from({ length: count }, (_, i) => route.next(i, result, options));
}

describe('Route', () => {
  it('tries every server once without delay, then all of them with a delay that grows and is bounded', () => {
    const route = new Route(servers, () => 0.999);
    const first = route.next(0, undefined, options);
    const rest = attempts(route, 'unreachable', 60);
    const firstRound = [first, ...rest.slice(0, 2)];
    expect(firstRound.map(({ delayMs }) => delayMs)).toEqual([0, 0, 0]);
    expect(new Set(firstRound.map(({ server }) => server.host))).toEqual(new Set(['a', 'b', 'c']));
    expect(rest[2]!.delayMs).toBeGreaterThan(0);
    expect(rest[11]!.delayMs).toBeGreaterThan(rest[2]!.delayMs);
    for (const { delayMs } of rest) expect(delayMs).toBeLessThanOrEqual(4000 / 6);
  });

  it('does not take a server that hangs up after each handshake for a new start', () => {
    const route = new Route([servers[0]!], () => 0.5);
    route.next(0, undefined, options);
    for (let i = 0; i < 5; i += 1) {
      route.established();
      expect(route.next(i, 'broken', options).delayMs).toBeGreaterThan(0);
    }
    const longer = route.next(5, 'broken', options).delayMs;
    route.established();
    route.stable();
    expect(route.next(6, 'broken', options).delayMs).toBeLessThan(longer);
  });

  it('waits for an answer so shortly that other servers can be tried while the session lives (pitfall 2)', () => {
    const route = new Route(servers, () => 0);
    expect(route.next(0, undefined, options).handshakeMs).toBe(1000);
    expect(route.next(0, 'timeout', options).handshakeMs).toBe(2000);
    for (const { handshakeMs } of attempts(route, 'timeout', 20)) expect(handshakeMs).toBeLessThanOrEqual(4000);
    route.established();
    expect(route.next(0, 'broken', options).handshakeMs).toBe(1000);
  });

  it('starts from zxid 0 only after refusals for seconds, at the server that has just refused', () => {
    const route = new Route(servers, () => 0);
    route.next(0, undefined, options);
    expect(attempts(route, 'refused', 50).some(({ fromZero }) => fromZero)).toBe(false);
    const before = route.next(FUTURE_ZXID_MS - 1, 'refused', options);
    const reset = route.next(FUTURE_ZXID_MS, 'refused', options);
    expect(reset).toMatchObject({ fromZero: true, delayMs: 0, server: before.server });
    // Refused from zero as well: it does not serve at all, so nothing is known about its data.
    expect(route.next(FUTURE_ZXID_MS + 1, 'refused', options).fromZero).toBe(false);
  });

  it.each<AttemptResult>(['unreachable', 'timeout'])(
    'does not take a server that is %s for one behind us',
    (result) => {
      const route = new Route(servers, () => 0);
      route.next(0, 'refused', options);
      expect(route.next(2 * FUTURE_ZXID_MS, result, options).fromZero).toBe(false);
      expect(route.next(2 * FUTURE_ZXID_MS, 'refused', { ...options, zxid: 0n }).fromZero).toBe(false);
    },
  );
});
