/**
 * A lab of network namespaces: one for each ZooKeeper server and each host of nodes, all on one switch. The switch is
 * in a namespace of its own, because a Docker engine lets nothing pass a bridge in the main one. This process has an
 * address on it too, to ask the servers who leads. Nothing of it reaches the outside.
 */
import { pause } from '../support/wait.ts';
import { ServerProcess } from '../support/zookeeper-process.ts';
import { orAborted } from './abort.ts';
import { type Ability, type Lab, type LabNode, type LabOptions, type Link, nameOf, type Place } from './lab.ts';
import { startWorker } from './lab-process.ts';
import { faketimeLibrary } from './lab-skew.ts';
import { freeSubnet, hasProgram, ip, isOnlyOurs, newPrefix, removeLeftovers } from './namespaces-commands.ts';
import { type Filter, findFilter } from './namespaces-filter.ts';

const SERVERS = 3;
const CLIENT_PORT = 2181;
const FIRST_NODE_PORT = 7400;
/** Last octets. */
const SERVER_ADDRESS = 10;
const NODE_ADDRESS = 20;
const OWN_ADDRESS = 254;
export const MAX_HOSTS = 64;

/** Why namespaces cannot be had on this machine; null: they can. */
export function whyNoNamespaces(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a matter of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = ['ip', 'nsenter'].filter((program) => !hasProgram(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return findFilter() === null ? 'neither nft nor iptables is installed' : null;
}

export class NamespaceLab implements Lab {
  readonly kind = 'namespaces';
  readonly servers: ServerProcess[] = [];
  readonly #options: LabOptions;
  readonly #prefix = newPrefix();
  readonly #filter: Filter;
  readonly #namespaces: string[] = [];
  /** How many have cut each link. */
  readonly #cuts = new Map<string, { readonly link: Link; count: number }>();
  readonly #nodes = new Set<LabNode>();
  readonly #ports: number[] = [];
  #subnet = '';
  #filtering: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(options: LabOptions, filter: Filter) {
    this.#options = options;
    this.#filter = filter;
  }

  /** Sets everything up and starts the ensemble; on failure, takes everything down again. */
  static async open(options: LabOptions): Promise<NamespaceLab> {
    const lab = new NamespaceLab(options, findFilter()!);
    try {
      await lab.#connect();
      await lab.#startServers();
      options.signal?.throwIfAborted();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  get hosts(): number {
    return this.#options.hosts;
  }

  can(ability: Ability): boolean {
    if (ability === 'skew') return faketimeLibrary() !== null;
    return ability !== 'fronts';
  }

  async cut(links: readonly Link[]): Promise<() => Promise<void>> {
    this.#count(links, 1);
    await this.#apply(links);
    let healed = false;
    return async () => {
      if (healed) return;
      healed = true;
      this.#count(links, -1);
      await this.#apply(links);
    };
  }

  shut(): never {
    throw new Error('there are no fronts here: cut links one way');
  }

  async spawn(
    host: number,
    { clockRate = 1, newPort = false, name }: { clockRate?: number; newPort?: boolean; name: string },
  ) {
    if (this.#closing) throw new Error('the lab is closed');
    this.#ports[host] ??= FIRST_NODE_PORT;
    if (newPort) this.#ports[host] += 1;
    const where = { host: this.#addressOf({ kind: 'node', index: host }), port: this.#ports[host] };
    const { worker, folder } = this.#options;
    const within = ['nsenter', `--net=/run/netns/${this.#nameOf({ kind: 'node', index: host })}`];
    const connectString = this.servers
      .map((server, index) => `${this.#addressOf({ kind: 'server', index })}:${server.clientPort}`)
      .join(',');
    const plan = { worker, folder, name, within, clockRate, connectString, listen: where, advertise: where };
    const node = await startWorker(plan);
    this.#nodes.add(node);
    void node.ended.then(() => this.#nodes.delete(node));
    return node;
  }

  close(): Promise<void> {
    this.#closing ??= this.#tearDown();
    return this.#closing;
  }

  async #connect(): Promise<void> {
    await removeLeftovers();
    const bridge = `${this.#prefix}-switch`;
    await this.#addNamespace(bridge);
    await ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge');
    await ip('-n', bridge, 'link', 'set', 'br0', 'up');
    await ip('link', 'add', this.#prefix, 'type', 'veth', 'peer', 'name', 'own', 'netns', bridge);
    await ip('-n', bridge, 'link', 'set', 'own', 'master', 'br0', 'up');
    await this.#takeSubnet();
    await ip('link', 'set', this.#prefix, 'up');
    for (const place of this.#places()) {
      this.#options.signal?.throwIfAborted();
      await this.#addHost(place, bridge);
    }
  }

  async #takeSubnet(): Promise<void> {
    const contested = new Set<string>();
    for (;;) {
      this.#subnet = await freeSubnet(contested);
      const own = `${this.#subnet}.${OWN_ADDRESS}/24`;
      await ip('addr', 'add', own, 'dev', this.#prefix);
      if (await isOnlyOurs(this.#subnet)) return;
      // Whoever else has taken it may go away as well. That costs two subnets and no lab.
      await ip('addr', 'del', own, 'dev', this.#prefix);
      contested.add(this.#subnet);
      await pause(Math.random() * 100);
    }
  }

  async #addHost(place: Place, bridge: string): Promise<void> {
    const name = this.#nameOf(place);
    const port = `${place.kind}${place.index}`;
    await this.#addNamespace(name);
    await ip('-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('-n', bridge, 'link', 'set', port, 'master', 'br0', 'up');
    await ip('-n', name, 'addr', 'add', `${this.#addressOf(place)}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    await this.#filter.prepare(name);
  }

  async #addNamespace(name: string): Promise<void> {
    await ip('netns', 'add', name);
    this.#namespaces.push(name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
  }

  async #startServers(): Promise<void> {
    const { tickTimeMs, syncLimit } = this.#options;
    const address = (index: number) => this.#addressOf({ kind: 'server', index });
    const peers = Array.from({ length: SERVERS }, (_unused, i) => `server.${i + 1}=${address(i)}:2888:3888`);
    const settings = [`tickTime=${tickTimeMs}`, 'initLimit=6', `syncLimit=${syncLimit}`, ...peers];
    for (let index = 0; index < SERVERS; index += 1) {
      const within = ['nsenter', `--net=/run/netns/${this.#nameOf({ kind: 'server', index })}`];
      const place = { host: address(index), within };
      const server = await ServerProcess.create(settings, CLIENT_PORT, index + 1, place);
      this.servers.push(server);
      await server.launch();
    }
    const serving = Promise.all(this.servers.map((server) => server.serving()));
    const { signal } = this.#options;
    await (signal === undefined ? serving : orAborted(serving, signal));
  }

  #places(): Place[] {
    const several = (kind: Place['kind'], count: number) =>
      Array.from({ length: count }, (_, index) => ({ kind, index }));
    return [...several('server', SERVERS), ...several('node', this.#options.hosts)];
  }

  #nameOf({ kind, index }: Place): string {
    return `${this.#prefix}-${kind}${index}`;
  }

  #addressOf({ kind, index }: Place): string {
    return `${this.#subnet}.${(kind === 'server' ? SERVER_ADDRESS : NODE_ADDRESS) + index}`;
  }

  #count(links: readonly Link[], by: 1 | -1): void {
    for (const link of links) {
      const entry = this.#cuts.get(nameOf(link)) ?? { link, count: 0 };
      entry.count += by;
      this.#cuts.set(nameOf(link), entry);
    }
  }

  /** One change at a time: each sets what a namespace drops as a whole. */
  #apply(links: readonly Link[]): Promise<void> {
    const change = async () => {
      if (this.#closing) return;
      const targets = new Map(links.map(({ to }) => [this.#nameOf(to), to]));
      await Promise.all([...targets].map(([name, place]) => this.#filter.block(name, this.#silencedAt(place))));
    };
    this.#filtering = this.#filtering.then(change);
    return this.#filtering;
  }

  #silencedAt(place: Place): string[] {
    return [...this.#cuts.values()]
      .filter(({ link, count }) => count > 0 && link.to.kind === place.kind && link.to.index === place.index)
      .map(({ link }) => this.#addressOf(link.from));
  }

  async #tearDown(): Promise<void> {
    await Promise.all([...this.#nodes].map((node) => node.kill()));
    await Promise.all(this.servers.map((server) => server.remove()));
    await this.#filtering.catch(() => {});
    await ip('link', 'del', this.#prefix).catch(() => {});
    for (const name of [...this.#namespaces].reverse()) await ip('netns', 'del', name).catch(() => {});
  }
}
