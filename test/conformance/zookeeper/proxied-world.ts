/** A server on a real port, each host reaching it through a proxy that freezes. */
import { realClock } from '../../../src/clock.ts';
import { type FreezingProxy, startFreezingProxy } from '../../../src/shell/proxy.ts';
import { openZooKeeperWith } from '../../../src/zookeeper/client.ts';
import { pause, until } from '../../support/wait.ts';
import type { World } from './world.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface ProxiedServer {
  readonly connectString: string;
  readonly tickTimeMs: number;
  readonly maxSessionTimeoutMs: number | undefined;
  readonly stop: () => Promise<void>;
}

export function proxiedWorld(server: ProxiedServer): World {
  const [host, port] = server.connectString.split(':');
  const target = { host: host!, port: Number(port) };
  const proxies: FreezingProxy[] = [];
  return {
    tickTimeMs: server.tickTimeMs,
    maxSessionTimeoutMs: server.maxSessionTimeoutMs,
    async host({ sessionTimeoutMs }) {
      const proxy = await startFreezingProxy({ target });
      proxies.push(proxy);
      const open = openZooKeeperWith({
        connectString: `127.0.0.1:${proxy.port}`,
        sessionTimeoutMs,
        logger: silent,
        clock: realClock,
      });
      return { open, cut: () => proxy.freeze(), heal: () => proxy.thaw() };
    },
    until: async (what, condition, timeoutMs = 10_000) => void (await until(what, condition, { timeoutMs })),
    pass: pause,
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await server.stop();
    },
  };
}
