/** The Docker engine of this machine, the images that the tests run on, and what runs that were killed have left behind. */
import { hostname } from 'node:os';
import { getContainerRuntimeClient } from 'testcontainers';

/** As in docker-compose.yml: where no image registry can be reached, `scripts/ci/images` makes others and names them. */
export const ZOOKEEPER_IMAGE = process.env.ZOOKEEPER_IMAGE || 'zookeeper:3.8';
export const NODE_IMAGE = process.env.NODE_IMAGE || 'node:22-slim';

const PULL_TIMEOUT_MS = 300_000;

/** On every container and network of a run: the machine and the process that it belongs to. */
const LABEL = 'zistore.test.owner';
export const OWNED = { [LABEL]: `${hostname()}/${process.pid}` };

export type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;

/** Testcontainers' own way to clean up is one more image. These tests label what they make, and clean up by that. */
export function connect(): Promise<Engine> {
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  return getContainerRuntimeClient();
}

/** Why containers cannot be had on this machine; null: they can. Pulls the images where they are not there yet. */
export async function whyNoDocker(): Promise<string | null> {
  let engine: Engine;
  try {
    engine = await connect();
    await engine.container.dockerode.ping();
  } catch (error) {
    return `no Docker engine answers (${reasonOf(error)}); start one, or: eval "$(scripts/ci/docker start)"`;
  }
  for (const image of [ZOOKEEPER_IMAGE, NODE_IMAGE]) {
    try {
      await provide(engine, image);
    } catch (error) {
      return `no image ${image} (${reasonOf(error)}); without an image registry: eval "$(scripts/ci/images)"`;
    }
  }
  return null;
}

async function provide({ container: { dockerode } }: Engine, image: string): Promise<void> {
  if (await isHere(dockerode.getImage(image))) return;
  const stream = await dockerode.pull(image, { abortSignal: AbortSignal.timeout(PULL_TIMEOUT_MS) });
  await new Promise<void>((resolve, reject) => {
    dockerode.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}

const isHere = (image: { inspect(): Promise<unknown> }): Promise<boolean> =>
  image.inspect().then(
    () => true,
    () => false,
  );

const reasonOf = (error: unknown): string => String((error as Error | undefined)?.message ?? error).trim();

/** What belongs to this process, or to one of this machine that is gone. */
function isToGo(labels: Readonly<Record<string, string>> | undefined): boolean {
  const [host, pid] = labels?.[LABEL]?.split('/') ?? [];
  if (host !== hostname()) return false;
  return Number(pid) === process.pid || !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes every container and network of this process, and of those that ended without doing so. */
export async function removeAll({ container: { dockerode } }: Engine): Promise<void> {
  const filters = { label: [LABEL] };
  const containers = await dockerode.listContainers({ all: true, filters });
  const removals = containers
    .filter(({ Labels }) => isToGo(Labels))
    .map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true }));
  await Promise.all(removals.map(orGone));
  const networks = await dockerode.listNetworks({ filters });
  for (const { Id, Labels } of networks) if (isToGo(Labels)) await removeNetwork(dockerode.getNetwork(Id));
}

type Network = ReturnType<Engine['container']['dockerode']['getNetwork']>;

/** A container that was removed while it was being put on a network is still on it, in the engine's eyes. */
async function removeNetwork(network: Network): Promise<void> {
  const { Name, Containers = {} } = await network.inspect().catch(() => ({ Name: '', Containers: {} }));
  for (const [id, { Name: name }] of Object.entries<{ Name: string }>(Containers)) {
    const Container = id.startsWith('ep-') ? name : id;
    await network.disconnect({ Container, Force: true }).catch(() => {});
  }
  try {
    await orGone(network.remove());
  } catch (error) {
    // An address range less, which is no reason to fail.
    process.stderr.write(`the network ${Name} could not be removed: ${reasonOf(error)}\n`);
  }
}

/** Two runs that clean up at once both find what a third has left. */
async function orGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}
