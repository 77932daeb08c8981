/** The health check of the image: whether the node answers, which is not whether it has a live session. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmbeddedCoordinator, startEmbeddedCoordinator } from '../../src/embedded/server.ts';
import type { ZiStoreOptions } from '../../src/options.ts';
import { openStore } from '../../src/store.ts';
import { certificate } from '../support/certificate.ts';
import { until } from '../support/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../scripts/health.mjs', import.meta.url));

/** Its exit code. */
async function check(address: string, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const program = spawn(process.execPath, [PROGRAM], {
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '', ZISTORE_HEALTH: address, ...env },
  });
  const [code] = await once(program, 'exit');
  return code as number;
}

describe('the health check', () => {
  let coordinator: EmbeddedCoordinator;
  let folder: string;

  beforeAll(async () => {
    coordinator = await startEmbeddedCoordinator({ tickTimeMs: 200 });
    folder = mkdtempSync(join(tmpdir(), 'zistore-health-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await coordinator.close();
  });

  const options = (cluster: string): ZiStoreOptions => ({
    zookeeper: coordinator.connectString,
    cluster,
    sessionTimeoutMs: 2000,
    tickTimeMs: 200,
  });

  it('finds a node that serves, and not one that has ended', async () => {
    const store = await openStore(options('plain'));
    const { address } = store.status();
    expect(await check(address)).toBe(0);
    await store.close();
    expect(await check(address)).toBe(1);
  });

  it('shows the node’s own certificate where only members get an answer', async () => {
    const { cert, key } = certificate;
    const files = { ZISTORE_TLS_CERT: join(folder, 'cert'), ZISTORE_TLS_KEY: join(folder, 'key') };
    writeFileSync(files.ZISTORE_TLS_CERT, cert);
    writeFileSync(files.ZISTORE_TLS_KEY, key);
    await using store = await openStore({ ...options('tls'), tls: { cert, key, ca: cert } });
    expect(await check(store.status().address, files)).toBe(0);
    expect(await check(store.status().address)).toBe(1);
  });

  it('finds a node that is cut off from ZooKeeper: a restart would only drop its copies', async () => {
    const own = await startEmbeddedCoordinator({ tickTimeMs: 200 });
    await using store = await openStore({ ...options('cut'), zookeeper: own.connectString });
    await own.close();
    await until('it is suspended', () => store.status().role === 'suspended');
    expect(await check(store.status().address)).toBe(0);
  });

  it('gives up on a process that takes connections and says nothing', async () => {
    const silent: Server = createServer(() => {});
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    expect(await check(`127.0.0.1:${port}`)).toBe(1);
    silent.close();
  });
});
