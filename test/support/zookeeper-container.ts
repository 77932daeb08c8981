/** A ZooKeeper server in a container, for machines with Docker but without ZooKeeper. */

import { until } from './wait.ts';
import type { ZooKeeperServer } from './zookeeper.ts';
import { fourLetterWord, freePorts } from './zookeeper-process.ts';

const IMAGE = process.env.ZISTORE_TEST_ZOOKEEPER_IMAGE || process.env.ZOOKEEPER_IMAGE || 'zookeeper:3.8';
const CLIENT_PORT = 2181;
/** With bash alone: what else an image has is its own business. */
const SERVES = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${CLIENT_PORT} && echo srvr >&3 && grep -q Mode <&3'`;

export async function startContainer(options: { tickTimeMs: number }): Promise<ZooKeeperServer> {
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  // A fixed port: a published one that the engine chooses changes when the container starts again.
  const [host] = await freePorts(1);
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts({ container: CLIENT_PORT, host: host! })
    .withEnvironment({
      ZOO_TICK_TIME: String(options.tickTimeMs),
      ZOO_MAX_CLIENT_CNXNS: '0',
      ZOO_ADMINSERVER_ENABLED: 'false',
      ZOO_4LW_COMMANDS_WHITELIST: '*',
      ZOO_CFG_EXTRA: 'maxSessionTimeout=600000',
    })
    .withWaitStrategy(Wait.forSuccessfulCommand(SERVES))
    .start();
  const engine = (await getContainerRuntimeClient()).container;
  const handle = engine.getById(container.getId());
  return {
    connectString: `127.0.0.1:${host}`,
    tickTimeMs: options.tickTimeMs,
    stop: async () => {
      await container.stop({ remove: true, removeVolumes: true });
    },
    kill: async () => {
      await handle.kill();
    },
    start: async () => {
      await handle.start();
      const serves = async () => (await fourLetterWord(host!, 'srvr')).includes('Mode:');
      await until('ZooKeeper serves', serves, { timeoutMs: 30_000 });
    },
    pause: () => handle.pause(),
    resume: () => handle.unpause(),
  };
}
