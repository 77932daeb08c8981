/** Running `ip` and `nft` or `iptables`, and what a crashed run has left behind. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter } from 'node:path';
import { isRunning } from '../support/owned-folder.ts';

/** Resolves to what the command printed; rejects with what it complained of. */
export function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let printed = '';
    let complaint = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`${command} ${args.join(' ')}: ${complaint.trim() || `exit code ${code}`}`));
    });
    child.stdin.end(input);
  });
}

export const ip = (...args: readonly string[]): Promise<string> => run('ip', args);

export function hasProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      return readdirSync(folder).includes(name);
    } catch {
      return false;
    }
  });
}

/** Names of everything that a lab sets up begin with this and the id of its process. */
const PREFIX = 'zt';

let labs = 0;

/** Another one each time: a process may have several labs. */
export function newPrefix(): string {
  labs += 1;
  return `${PREFIX}${process.pid}${labs === 1 ? '' : `n${labs}`}`;
}

/** Namespaces of runs whose process is gone. What was in them ends with them. */
export async function removeLeftovers(): Promise<void> {
  for (const line of (await ip('netns', 'list')).split('\n')) {
    const name = line.split(' ')[0]!;
    const pid = Number(/^zt(\d+)(?:n\d+)?-/.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) await ip('netns', 'del', name).catch(() => {});
  }
}

/** Third octets of 198.18.64.0/18, the part of the benchmarking range that nothing else here uses. */
const FIRST = 64;
const COUNT = 64;

/** The first three octets of a /24 that no interface or route of this machine has; `not`: nor one of these. */
export async function freeSubnet(not: ReadonlySet<string>): Promise<string> {
  const taken = await allAddresses();
  for (let i = 0; i < COUNT; i += 1) {
    const subnet = `198.18.${FIRST + ((process.pid + i) % COUNT)}`;
    if (!taken.includes(`${subnet}.`) && !not.has(subnet)) return subnet;
  }
  throw new Error('no free /24 in 198.18.64.0/18: too many labs on this machine');
}

/** Whether only one interface has an address in it: two labs may have chosen the same at the same time. */
export async function isOnlyOurs(subnet: string): Promise<boolean> {
  const lines = (await ip('-4', '-o', 'addr')).split('\n');
  return lines.filter((line) => line.includes(` ${subnet}.`)).length === 1;
}

const allAddresses = async (): Promise<string> => `${await ip('-4', '-o', 'addr')} ${await ip('-4', 'route')}`;
