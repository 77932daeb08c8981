/** Nodes that cannot be opened: only an unreachable ZooKeeper is a reason. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Cluster } from '../../faults/faults-cluster.ts';
import type { Lab, LabNode } from '../../faults/lab.ts';
import { Timeline } from '../../faults/timeline.ts';
import type { WorkerEvent } from '../../faults/wire.ts';

const where = { host: '127.0.0.1', port: 1 };

/** A worker that says this when it is to start; it ends of a failure. */
function worker(event: WorkerEvent): LabNode {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const ended = new Promise<string>((resolve) => {
    stdin.once('data', () => {
      stdout.write(`${JSON.stringify(event)}\n`);
      if (event.ev === 'failed') stdout.end(() => resolve('1'));
    });
  });
  const node = { pid: 0, stdin, stdout, ended, logFile: '', connectString: '', listen: where, advertise: where };
  return { ...node, skewed: false, signal: () => {}, kill: async () => {} };
}

function cluster(...events: WorkerEvent[]): { cluster: Cluster; said: string[] } {
  const said: string[] = [];
  const lab = { servers: [], hosts: 1, spawn: async () => worker(events.shift()!) } as unknown as Lab;
  const options = { name: 'n', sessionTimeoutMs: 1000, tickTimeMs: 500, load: { rate: 1 }, seed: 1 };
  return { cluster: new Cluster(lab, new Timeline(), { ...options, say: (line) => said.push(line) }), said };
}

const failed = (code: string): WorkerEvent => ({ ev: 'failed', code, message: 'why' });

describe('a node that cannot be opened', () => {
  it('is started again where ZooKeeper was out of reach, and that is told', async () => {
    const unreachable = failed('ZISTORE_COORDINATION_UNAVAILABLE');
    const { cluster: one, said } = cluster(unreachable, unreachable, { ev: 'ready', address: 'a:1', at: 1 });
    await one.start(0);
    expect(one.refusedStarts).toEqual({ ZISTORE_COORDINATION_UNAVAILABLE: 2 });
    expect(said).toHaveLength(2);
  });

  it.each(['ZISTORE_INVALID_ARGUMENT', 'ZISTORE_INCOMPATIBLE', 'unexpected'])(
    'fails the run at once: %s',
    async (code) => {
      const { cluster: one } = cluster(failed(code), { ev: 'ready', address: 'a:1', at: 1 });
      await expect(one.start(0)).rejects.toThrow(/node 0 was refused: why/);
      expect(one.refusedStarts).toEqual({ [code]: 1 });
    },
  );
});
