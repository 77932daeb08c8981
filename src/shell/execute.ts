/** Carries out one parsed command on the cluster. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../core/status.ts';
import { withOutcome, ZiStoreError } from '../errors.ts';
import { helpText } from './catalogue.ts';
import type { CallLimits } from './client-handle.ts';
import { clientEnded } from './client-handle.ts';
import type { Cluster } from './cluster.ts';
import type { Command } from './parser.ts';
import { type ClientRow, type Result, toErrorObject } from './results.ts';

/** What `wait`, `timeout` and `exit` need beyond the cluster; the session has them. */
export type ClusterCommand = Exclude<Command, { name: 'wait-all' | 'timeout' | 'exit' }>;

const WAIT_POLL_MS = 25;

/** Never rejects: a failure is a result too. */
export async function execute(cluster: Cluster, command: ClusterCommand, limits: CallLimits): Promise<Result> {
  try {
    const { client, ...rest } = await answer(cluster, command, limits);
    return { command: command.name, ...(client === undefined ? {} : { client }), ok: true, ...rest };
  } catch (error) {
    const client = 'client' in command ? { client: command.client } : {};
    return { command: command.name, ...client, ok: false, error: toErrorObject(error) };
  }
}

async function answer(cluster: Cluster, command: ClusterCommand, limits: CallLimits): Promise<Partial<Result>> {
  switch (command.name) {
    case 'get': {
      const value = await cluster.liveClient(command.client).get(command.key, limits);
      return { client: command.client, value };
    }
    case 'put':
      await forWrite(cluster, command.client).put(command.key, command.value, limits);
      return { client: command.client };
    case 'delete': {
      const existed = await forWrite(cluster, command.client).delete(command.key, limits);
      return { client: command.client, existed };
    }
    case 'list':
      return { clients: await cluster.list() };
    case 'new-client':
      return { client: await cluster.newClient() };
    case 'wait':
      return { client: await waitForRole(cluster, command.client, command.role, command.seconds, limits.signal) };
    case 'help':
      return { help: helpText(command.about) };
    default:
      await throwSwitch(cluster, command, limits);
      return { client: await cluster.client(command.client).row() };
  }
}

/** Every error of a write says what is known about it, also this one. */
function forWrite(cluster: Cluster, id: number): ReturnType<Cluster['liveClient']> {
  try {
    return cluster.liveClient(id);
  } catch (error) {
    throw error instanceof ZiStoreError ? withOutcome(error, 'notApplied') : error;
  }
}

async function throwSwitch(
  cluster: Cluster,
  {
    name,
    client,
  }: Extract<ClusterCommand, { name: 'kill' | 'pause' | 'resume' | 'zk-up' | 'zk-down' | 'rmi-up' | 'rmi-down' }>,
  limits: CallLimits,
): Promise<void> {
  if (name === 'kill') return await cluster.killClient(client);
  const handle = cluster.liveClient(client);
  if (name === 'pause') return await handle.pause();
  if (name === 'resume') return handle.resume();
  const position = name.endsWith('up') ? 'up' : 'down';
  if (name === 'zk-up' || name === 'zk-down') return handle.zookeeper(position);
  await handle.rmi(position, limits);
}

async function waitForRole(
  cluster: Cluster,
  id: number,
  role: Role,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<ClientRow> {
  const client = cluster.client(id);
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const row = await client.row();
    if (row.role === role && !row.stale) return row;
    if (client.ended) throw clientEnded(id);
    if (signal?.aborted) throw new ZiStoreError('ZISTORE_ABORTED', 'interrupted');
    if (performance.now() >= deadline) {
      throw new ZiStoreError(
        'ZISTORE_TIMEOUT',
        `client ${id} is still '${row.role}', not '${role}', after ${seconds} s`,
      );
    }
    await delay(WAIT_POLL_MS);
  }
}
