/** What a container does not hear: packets from certain addresses are dropped on their way in, without a word. */
import { hasProgram, run } from '../faults/namespaces-commands.ts';

/** Why the network of a container cannot be entered from here; null: it can. */
export function whyNoFiltering(): string | null {
  if (process.platform !== 'linux') return 'the network of a container can be entered on Linux alone';
  if (process.getuid?.() !== 0) return 'entering the network of a container needs root';
  const missing = ['nsenter', 'iptables-restore'].filter((program) => !hasProgram(program));
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}

/** From here on the container of this process hears all but these. Its engine's own rules are in another table. */
export async function deafen(pid: number, sources: readonly string[]): Promise<void> {
  const rules = sources.map((source) => `-A INPUT -s ${source} -j DROP\n`).join('');
  const table = `*filter\n:INPUT ACCEPT [0:0]\n${rules}COMMIT\n`;
  await run('nsenter', ['-t', String(pid), '-n', 'iptables-restore'], table);
}
