/** What a namespace does not hear: all packets from certain addresses are dropped on their way in, without a word. */
import { hasProgram, run } from './namespaces-commands.ts';

const TABLE = 'zistore';

export interface Filter {
  /** Once in each namespace, before the first `block`. */
  prepare(namespace: string): Promise<void>;
  /** From here on exactly these sources are not heard. */
  block(namespace: string, sources: readonly string[]): Promise<void>;
}

const inside = (namespace: string, command: string, args: readonly string[], input?: string) =>
  run('nsenter', [`--net=/run/netns/${namespace}`, command, ...args], input);

const nftables: Filter = {
  async prepare(namespace) {
    const rules = `table ip ${TABLE} {
      set silenced { type ipv4_addr; }
      chain input { type filter hook input priority 0; policy accept; ip saddr @silenced drop; }
    }`;
    await inside(namespace, 'nft', ['-f', '-'], rules);
  },
  async block(namespace, sources) {
    const add = sources.length === 0 ? '' : `add element ip ${TABLE} silenced { ${sources.join(', ')} }\n`;
    await inside(namespace, 'nft', ['-f', '-'], `flush set ip ${TABLE} silenced\n${add}`);
  },
};

const iptables: Filter = {
  async prepare() {},
  async block(namespace, sources) {
    const rules = sources.map((source) => `-A INPUT -s ${source} -j DROP\n`).join('');
    await inside(namespace, 'iptables-restore', [], `*filter\n:INPUT ACCEPT [0:0]\n${rules}COMMIT\n`);
  },
};

/** Null where this machine has neither. */
export function findFilter(): Filter | null {
  if (hasProgram('nft')) return nftables;
  return hasProgram('iptables-restore') ? iptables : null;
}
