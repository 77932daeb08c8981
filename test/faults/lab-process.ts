/** A worker process of a lab: what it says on standard error goes to a log file. It never outlives this process. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { GuardedProcess } from '../support/guarded-process.ts';
import type { LabNode, Where } from './lab.ts';
import { skewed } from './lab-skew.ts';

export interface WorkerPlan {
  readonly worker: string;
  readonly folder: string;
  readonly name: string;
  /** The words that go before its command line, to run it elsewhere than here. */
  readonly within: readonly string[];
  readonly clockRate: number;
  readonly connectString: string;
  readonly listen: Where;
  readonly advertise: Where;
}

export async function startWorker(plan: WorkerPlan): Promise<LabNode> {
  const logFile = join(plan.folder, `${plan.name}.log`);
  const log = await open(logFile, 'a');
  const node = [process.execPath, '--enable-source-maps', plan.worker];
  const [command, ...args] = [...plan.within, ...(plan.clockRate === 1 ? [] : skewed(plan.clockRate)), ...node];
  const worker = await GuardedProcess.start(command!, args, { stdin: 'pipe', stdout: 'pipe', stderr: log.fd });
  await log.close();
  const { child } = worker;
  const stdin = child.stdin as Writable;
  stdin.on('error', () => {}); // of a process that has just been killed
  const ended = once(child, 'exit').then(([code, signal]) => String(signal ?? code));
  return {
    pid: child.pid as number,
    stdin,
    stdout: child.stdout as Readable,
    ended,
    logFile,
    connectString: plan.connectString,
    listen: plan.listen,
    advertise: plan.advertise,
    skewed: plan.clockRate !== 1,
    signal: (signal) => worker.signal(signal),
    kill: () => worker.kill(),
  };
}
