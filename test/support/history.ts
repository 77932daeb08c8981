/** What clients did and saw, on one monotonic clock, and a check that nobody read an out-of-date value. */

/** One line of a recorded history; `t` is −1 where the outcome is unknown. */
export interface HistoryEntry {
  readonly c: number;
  readonly op: 'get' | 'put' | 'del';
  readonly k: string;
  /** Written. */
  readonly v?: string;
  /** Read. */
  readonly r?: string | null;
  readonly ok: boolean;
  readonly s: number;
  readonly t: number;
}

const now = (): number => Number(process.hrtime.bigint());

export class History {
  readonly entries: HistoryEntry[] = [];

  async read(c: number, k: string, read: () => Promise<string | undefined>): Promise<string | undefined> {
    const s = now();
    const value = await read();
    this.entries.push({ c, op: 'get', k, r: value ?? null, ok: true, s, t: now() });
    return value;
  }

  async write(c: number, k: string, v: string | null, write: () => Promise<unknown>): Promise<void> {
    const s = now();
    const entry = v === null ? { c, op: 'del' as const, k } : { c, op: 'put' as const, k, v };
    try {
      await write();
      this.entries.push({ ...entry, ok: true, s, t: now() });
    } catch (error) {
      // What certainly did not happen is left out.
      if ((error as { outcome?: string }).outcome !== 'notApplied')
        this.entries.push({ ...entry, ok: false, s, t: -1 });
      throw error;
    }
  }
}

/**
 * Reads that returned a value which some other write had certainly replaced before the read started, or which nobody
 * can have written by then. Every value may be written only once a key.
 */
export function outOfDateReads(entries: readonly HistoryEntry[]): string[] {
  const writes = entries.filter((entry) => entry.op !== 'get');
  return entries.flatMap((read) => {
    if (read.op !== 'get') return [];
    const others = writes.filter((write) => write.k === read.k);
    const source = read.r === null ? null : others.find((write) => write.v === read.r);
    if (source === undefined || (source !== null && source.s > read.t)) return [`nobody wrote ${describe(read)}`];
    // Absence is the state before the first write, and after a delete.
    const sourceEnd = source === null ? lastDeleteEnd(others, read) : source.t;
    if (sourceEnd === -1) return [];
    const newer = others.find(
      (write) =>
        write !== source &&
        !(read.r === null && write.op === 'del') &&
        write.t !== -1 &&
        write.s > sourceEnd &&
        write.t < read.s,
    );
    return newer === undefined ? [] : [`${describe(read)} although ${describe(newer)} had ended`];
  });
}

function lastDeleteEnd(writes: readonly HistoryEntry[], read: HistoryEntry): number {
  const deletes = writes.filter((write) => write.op === 'del' && write.s < read.t);
  if (deletes.some((write) => write.t === -1)) return -1;
  return deletes.reduce((latest, write) => Math.max(latest, write.t), Number.NEGATIVE_INFINITY);
}

const describe = (entry: HistoryEntry): string => JSON.stringify(entry);
