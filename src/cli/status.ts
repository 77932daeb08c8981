/** `zistore status`: who leads, who is there. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { NodeReport } from '../core/messages.ts';
import type { NodeStatus } from '../core/status.ts';
import { colorsFor, framed, plainTable } from '../shell/render.ts';
import type { ZiStore } from '../store.ts';
import type { CommandContext } from './context.ts';
import { ENVIRONMENT_NOTE } from './options.ts';
import { writeOut } from './output.ts';
import { addShortLivedOptions, type CallLimits, type ShortLivedFlags, withShortLivedStore } from './short-lived.ts';

/** A node that has just joined may not have read yet who leads. Milliseconds. */
const LEADER_TIMEOUT_MS = 2000;
/** For the members' own reports, which one that hangs would hold up. Milliseconds. */
const REPORT_TIMEOUT_MS = 3000;

interface ClusterStatus {
  readonly cluster: string;
  readonly leader: string | null;
  readonly epoch: string;
  readonly members: readonly NodeReport[];
}

export function addStatusCommand(program: Command, _context: CommandContext): void {
  const status = program
    .command('status')
    .summary('show leader, epoch and members')
    .description(`Shows the leader, the epoch and what each member reports of itself.\n${ENVIRONMENT_NOTE}`);
  addShortLivedOptions(status)
    .addOption(new Option('--json', 'as one JSON object'))
    .action(async (flags: ShortLivedFlags & { json?: true }, command: Command) => {
      const found = await withShortLivedStore(command, flags, readStatus);
      await writeOut(`${flags.json ? JSON.stringify(found) : render(found)}\n`);
    });
}

async function readStatus(store: ZiStore<string>, call: CallLimits): Promise<ClusterStatus> {
  const { cluster, leader, epoch, address } = await leaderKnown(store, Math.min(call.timeoutMs, LEADER_TIMEOUT_MS));
  const reports = await store.inspect({ ...call, timeoutMs: Math.min(call.timeoutMs, REPORT_TIMEOUT_MS) });
  const members = reports
    .filter((report) => report.address !== address)
    .map((report) => ({ address: report.address, role: report.role, live: report.live, entries: report.entries }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  return { cluster, leader, epoch, members };
}

async function leaderKnown(store: ZiStore<string>, timeoutMs: number): Promise<NodeStatus> {
  if (store.status().leader === null) await leaderSeen(store, timeoutMs);
  return store.status();
}

/** Resolves when the node learns of a leader, or has not in this time. */
function leaderSeen(store: ZiStore<string>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      store.off('leader', heard);
      resolve();
    };
    const heard = (leader: unknown): void => {
      if (leader !== null) done();
    };
    const timer = setTimeout(done, timeoutMs);
    store.on('leader', heard);
  });
}

function render({ cluster, leader, epoch, members }: ClusterStatus): string {
  const colors = colorsFor(process.stdout);
  const head = ['address', 'role', 'live', 'entries'];
  const facts = [`cluster ${cluster}`, `leader ${leader ?? '(none)'}`, `epoch ${epoch}`];
  if (!process.stdout.isTTY) {
    const rows = members.map((each) => [each.address, each.role, each.live ? 'yes' : 'no', String(each.entries)]);
    return [...facts, plainTable(head, rows)].join('\n');
  }
  const rows = members.map((each) => [
    each.address,
    each.role === 'leader' ? colors.bold(colors.green(each.role)) : colors.cyan(each.role),
    each.live ? colors.green('yes') : colors.red('no'),
    String(each.entries),
  ]);
  return `${facts.join('   ')}\n${framed(head, rows, ['left', 'left', 'left', 'right'], colors)}`;
}
