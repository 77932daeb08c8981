/** A container of a run: on the networks that it is told, under one name there; paused, killed, started, taken off. */
import { readFileSync } from 'node:fs';
import { GenericContainer } from 'testcontainers';
import { type Engine, OWNED } from './engine.ts';

export interface Membership {
  readonly network: string;
  /** Its name there; none: it calls others, and nobody calls it. */
  readonly alias?: string;
}

const endpoint = ({ alias }: Membership) => ({ Aliases: alias === undefined ? [] : [alias] });

export class LabelledContainer extends GenericContainer {
  readonly #engine: Engine;
  readonly #memberships: readonly Membership[];

  constructor(engine: Engine, image: string, memberships: readonly Membership[]) {
    super(image);
    this.#engine = engine;
    this.#memberships = memberships;
    const [first] = memberships;
    this.withLabels(OWNED).withAutoCleanup(false).withNetworkMode(first!.network);
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [first!.network]: endpoint(first!) } };
  }

  /** Before it is started. (Old engines put a container on one network when they create it.) */
  protected override async containerCreated(id: string): Promise<void> {
    for (const membership of this.#memberships.slice(1)) {
      await this.#engine.container.dockerode
        .getNetwork(membership.network)
        .connect({ Container: id, EndpointConfig: endpoint(membership) });
    }
  }
}

export class Container {
  readonly name: string;
  readonly id: string;
  readonly memberships: readonly Membership[];
  readonly engine: Engine;
  /** Networks that it has been taken off. */
  readonly #off = new Set<Membership>();

  constructor(engine: Engine, name: string, id: string, memberships: readonly Membership[]) {
    this.engine = engine;
    this.name = name;
    this.id = id;
    this.memberships = memberships;
  }

  protected get handle() {
    return this.engine.container.getById(this.id);
  }

  async state(): Promise<'running' | 'paused' | 'ended'> {
    const { Running, Paused } = (await this.handle.inspect()).State;
    if (Paused) return 'paused';
    return Running ? 'running' : 'ended';
  }

  /** Every process in it stands still. */
  async pause(): Promise<void> {
    await this.handle.pause();
  }

  async unpause(): Promise<void> {
    await this.handle.unpause();
  }

  /** `docker network disconnect`, of all its networks or one. Its interface there is gone, with its address. */
  async disconnect(network?: string): Promise<void> {
    for (const membership of this.memberships) {
      if (this.#off.has(membership) || (network !== undefined && membership.network !== network)) continue;
      this.#off.add(membership);
      await this.#network(membership).disconnect({ Container: this.id, Force: true });
    }
  }

  /** Everywhere, under the names that it had; its addresses may be others. */
  async reconnect(): Promise<void> {
    for (const membership of this.#off) {
      await this.#network(membership).connect({ Container: this.id, EndpointConfig: endpoint(membership) });
      this.#off.delete(membership);
    }
  }

  /** Right now: other ones after a disconnect or a restart. */
  async addresses(): Promise<string[]> {
    const { NetworkSettings } = await this.handle.inspect();
    return Object.values(NetworkSettings.Networks)
      .map(({ IPAddress }) => IPAddress)
      .filter((address) => address !== '');
  }

  /** Of its first process, as this machine counts; null: it does not run. */
  async pid(): Promise<number | null> {
    const { Pid } = (await this.handle.inspect()).State;
    if (Pid === 0) return null;
    // An engine on another machine, or in a virtual one, counts otherwise.
    if (!readFileSync(`/proc/${Pid}/cgroup`, 'utf8').includes(this.id)) {
      throw new Error(`process ${Pid} is not that of ${this.name}: does the engine run on another machine?`);
    }
    return Pid;
  }

  #network({ network }: Membership) {
    return this.engine.container.dockerode.getNetwork(network);
  }
}
