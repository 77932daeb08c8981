/** ZooKeeper servers as processes of this machine, from an installed ZooKeeper. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as dial } from 'node:net';
import { delimiter, join } from 'node:path';
import { GuardedProcess } from './guarded-process.ts';
import { ownedFolder } from './owned-folder.ts';
import { pause, scaled } from './wait.ts';
import type { ZooKeeperServer } from './zookeeper.ts';

const START_LIMIT_MS = scaled(30_000);
const TERMINATION_LIMIT_MS = 5000;

export interface Installation {
  readonly java: string;
  readonly classpath: string;
}

/** Debian's package, or an unpacked release named by ZOOKEEPER_HOME. */
export function findInstallation(): Installation | null {
  const java = findJava();
  if (java === null) return null;
  const home = process.env.ZOOKEEPER_HOME;
  if (home && existsSync(join(home, 'lib'))) return { java, classpath: join(home, 'lib', '*') };
  const debian = '/usr/share/java/zookeeper.jar';
  if (!existsSync(debian)) return null;
  // Without it the server has nothing to write its log with.
  const logging = '/usr/share/java/slf4j-simple.jar';
  return { java, classpath: existsSync(logging) ? `${debian}${delimiter}${logging}` : debian };
}

function findJava(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (process.env.JAVA_HOME) folders.unshift(join(process.env.JAVA_HOME, 'bin'));
  return folders.map((folder) => join(folder, 'java')).find((file) => existsSync(file)) ?? null;
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ports.push((server.address() as { port: number }).port);
  }
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Asks a server one of its four-letter words. Empty where it does not answer: a starting server may just hang. */
export function fourLetterWord(port: number, word: string, timeoutMs = 1000, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = dial({ host, port });
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.on('connect', () => socket.write(word));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

const COMMON_SETTINGS = [
  'maxClientCnxns=0',
  'maxSessionTimeout=600000',
  'admin.enableServer=false',
  '4lw.commands.whitelist=*',
];

/** Where a server runs. */
export interface ServerPlace {
  /** The address that clients call. */
  readonly host: string;
  /** The words that go before its command line, to run it elsewhere than here. */
  readonly within: readonly string[];
}

const HERE: ServerPlace = { host: '127.0.0.1', within: [] };

/** One server process. `settings` are further lines of its configuration. */
export class ServerProcess {
  readonly clientPort: number;
  /** Its data, configuration and log. */
  readonly folder: string;
  readonly #place: ServerPlace;
  #process: GuardedProcess | null = null;

  constructor(folder: string, clientPort: number, place: ServerPlace) {
    this.folder = folder;
    this.clientPort = clientPort;
    this.#place = place;
  }

  static async create(
    settings: readonly string[],
    clientPort: number,
    myId?: number,
    place = HERE,
  ): Promise<ServerProcess> {
    const folder = ownedFolder('zistore-zk');
    const lines = [
      ...COMMON_SETTINGS,
      `clientPortAddress=${place.host}`,
      `dataDir=${folder}`,
      `clientPort=${clientPort}`,
      ...settings,
    ];
    await writeFile(join(folder, 'zoo.cfg'), `${lines.join('\n')}\n`);
    if (myId !== undefined) await writeFile(join(folder, 'myid'), `${myId}\n`);
    return new ServerProcess(folder, clientPort, place);
  }

  /** The address that clients call. */
  get host(): string {
    return this.#place.host;
  }

  get pid(): number | undefined {
    return this.#process?.child.pid;
  }

  /** Starts the process without waiting until it serves. */
  async launch(): Promise<void> {
    const { java, classpath } = findInstallation()!;
    const log = await open(join(this.folder, 'log'), 'a');
    const args = [
      ...['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
      // Test data need not survive a power cut, nor 64 MiB of preallocated log.
      ...['-Dzookeeper.forceSync=no', '-Dzookeeper.preAllocSize=1024'],
      ...['-Dorg.slf4j.simpleLogger.showDateTime=true', '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS'],
      ...['-cp', classpath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', join(this.folder, 'zoo.cfg')],
    ];
    const [command, ...words] = [...this.#place.within, java, ...args];
    this.#process = await GuardedProcess.start(command!, words, { cwd: this.folder, stdout: log.fd, stderr: log.fd });
    await log.close();
  }

  /** Resolves when the server answers clients; rejects with the end of its log when it ended, or after a bound. */
  async serving(): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (!(await this.srvr()).includes('Mode:')) {
      if (!this.#process?.running) throw new Error(`ZooKeeper ended while it started: ${await this.#logTail()}`);
      if (performance.now() > deadline) throw new Error(`ZooKeeper does not serve: ${await this.#logTail()}`);
      await pause(50);
    }
  }

  srvr(): Promise<string> {
    return fourLetterWord(this.clientPort, 'srvr', 1000, this.#place.host);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** SIGTERM, and SIGKILL to one that does not end of it. */
  async terminate(): Promise<void> {
    this.signal('SIGTERM');
    const late = setTimeout(() => this.signal('SIGKILL'), TERMINATION_LIMIT_MS);
    await this.#process?.ended();
    clearTimeout(late);
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #logTail(): Promise<string> {
    return (await readFile(join(this.folder, 'log'), 'utf8')).slice(-1000);
  }
}

/** A single server. Another process may take the free port first, so a start that fails is tried again on another. */
export async function startLocal(options: { tickTimeMs: number }): Promise<ZooKeeperServer> {
  for (let attempt = 1; ; attempt += 1) {
    const [port] = await freePorts(1);
    const server = await ServerProcess.create([`tickTime=${options.tickTimeMs}`], port!);
    try {
      await server.launch();
      await server.serving();
      return asServer(server, options.tickTimeMs);
    } catch (error) {
      await server.remove();
      if (attempt === 3) throw error;
    }
  }
}

function asServer(server: ServerProcess, tickTimeMs: number): ZooKeeperServer {
  return {
    connectString: `127.0.0.1:${server.clientPort}`,
    tickTimeMs,
    stop: () => server.remove(),
    kill: () => server.kill(),
    start: async () => {
      await server.launch();
      await server.serving();
    },
    pause: async () => server.signal('SIGSTOP'),
    resume: async () => server.signal('SIGCONT'),
  };
}
