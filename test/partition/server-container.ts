/** One server of a ZooKeeper ensemble, in a container. */
import { Wait } from 'testcontainers';
import { Container, LabelledContainer, type Membership } from './container.ts';
import { type Engine, ZOOKEEPER_IMAGE } from './engine.ts';

export const SERVERS = [1, 2, 3] as const;
/** As the project's own zoo.cfg, so that sessions of 2 s are possible and a lost quorum shows within 2 s. */
export const TICK_TIME_MS = 500;
const CLIENT_PORT = 2181;
const START_TIMEOUT_MS = 90_000;

export const serverName = (number: number): string => `zookeeper${number}`;
export const CONNECT_STRING = SERVERS.map((number) => `${serverName(number)}:${CLIENT_PORT}`).join(',');

// Test data need not survive a power cut, and a disk that is busy elsewhere must not hold up commits until sessions end.
const CONFIGURATION = `
forceSync=no
tickTime=${TICK_TIME_MS}
initLimit=20
syncLimit=4
dataDir=/data
dataLogDir=/datalog
clientPort=${CLIENT_PORT}
maxClientCnxns=0
4lw.commands.whitelist=*
admin.enableServer=false
${SERVERS.map((number) => `server.${number}=${serverName(number)}:2888:3888`).join('\n')}
`;

/** A four-letter word, with bash alone: what else an image has is its own business. */
const ask = (word: string): string =>
  `exec 3<>/dev/tcp/127.0.0.1/${CLIENT_PORT} && echo ${word} >&3 && timeout 2 cat <&3`;

export class ServerContainer extends Container {
  static async start(engine: Engine, number: number, network: string): Promise<ServerContainer> {
    const name = serverName(number);
    const memberships: Membership[] = [{ network, alias: name }];
    const container = await new LabelledContainer(engine, ZOOKEEPER_IMAGE, memberships)
      .withHostname(name)
      .withEnvironment({ ZOO_MY_ID: String(number), JVMFLAGS: '-Xmx128m' })
      .withCopyContentToContainer([{ content: CONFIGURATION, target: '/conf/zoo.cfg' }])
      .withWaitStrategy(Wait.forSuccessfulCommand(`bash -c '${ask('srvr')} | grep -q Mode'`))
      .withStartupTimeout(START_TIMEOUT_MS)
      .start();
    return new ServerContainer(engine, name, container.getId(), memberships);
  }

  /** SIGKILL; its data stays for `restart`. */
  async kill(): Promise<void> {
    await this.handle.kill({ signal: 'SIGKILL' });
  }

  /** Resolves when the container runs; that it serves takes longer. */
  async restart(): Promise<void> {
    await this.handle.start();
  }

  /** From inside, so that no cut is in the way. Empty: it does not serve. */
  async word(word: 'srvr' | 'cons'): Promise<string> {
    if ((await this.state()) !== 'running') return '';
    const { exitCode, output } = await this.engine.container.exec(this.handle, ['bash', '-c', ask(word)]);
    return exitCode === 0 && !output.includes('not currently serving') ? output : '';
  }

  /** As it says itself: one that is cut off may not know yet. */
  async mode(): Promise<'leader' | 'follower' | 'none'> {
    const mode = /Mode: (leader|follower)/.exec(await this.word('srvr'))?.[1];
    return (mode as 'leader' | 'follower' | undefined) ?? 'none';
  }

  /** Addresses of its clients. */
  async clients(): Promise<string[]> {
    return [...(await this.word('cons')).matchAll(/\/([\d.]+):\d+\[/g)].map(([, address]) => address!);
  }
}
