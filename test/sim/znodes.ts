/** What has really happened at the ensemble, whatever any node or server knows of it by now. */
import { parseServed } from '../../src/core/election.ts';
import { type Paths, pathsOf } from '../../src/core/paths.ts';
import { type Epoch, type Incarnation, type Member, NO_EPOCH, toIncarnation } from '../../src/core/types.ts';
import type { EnsembleListener } from './ensemble.ts';
import type { Done } from './ensemble-log.ts';

const decoder = new TextDecoder();

export class Znodes implements EnsembleListener {
  /** The epoch in `served`. */
  served: Epoch = NO_EPOCH;
  onServed: (epoch: Epoch, base: Epoch) => void = () => {};
  readonly #paths: Paths;
  readonly #members = new Map<string, { readonly incarnation: Incarnation; readonly session: bigint }>();

  constructor(cluster: string) {
    this.#paths = pathsOf(cluster);
  }

  /** Whether this incarnation's znode is there, and so its session alive. */
  has(member: Member): boolean {
    return this.#members.get(member.address)?.incarnation === member.incarnation;
  }

  done({ op, path, zxid, session, data }: Done): void {
    if (path.startsWith(`${this.#paths.members}/`)) {
      const address = path.slice(this.#paths.members.length + 1);
      if (op === 'create') this.#members.set(address, { incarnation: toIncarnation(zxid), session });
    } else if (path === this.#paths.served && (op === 'create' || op === 'setData')) {
      const epoch = parseServed(decoder.decode(data ?? undefined))?.epoch ?? NO_EPOCH;
      const base = this.served;
      this.served = epoch;
      this.onServed(epoch, base);
    }
  }

  ended(session: bigint): void {
    for (const [address, member] of this.#members) {
      if (member.session === session) this.#members.delete(address);
    }
  }
}
