/**
 * Whether a history of one key is linearizable: depth-first search for an order of the operations that respects real
 * time (Wing and Gong), remembering the states that led nowhere (Lowe). The value may at any time become absent, as
 * when every holder of a key crashes; what has become absent must not come back without a write.
 */

export interface Operation {
  readonly kind: 'read' | 'write';
  /** Written or read; null: absent, or deleted. */
  readonly value: string | null;
  readonly start: number;
  /** Infinity: the outcome is unknown; it may take effect at any later time, or never. */
  readonly end: number;
  readonly who: string;
}

export function isLinearizable(history: readonly Operation[]): boolean {
  const operations = [...history].sort((a, b) => a.start - b.start);
  const total = operations.length;
  const done = new Array<boolean>(total).fill(false);
  const seen = new Set<string>();
  let mustDo = operations.filter((operation) => operation.end !== Number.POSITIVE_INFINITY).length;

  const search = (first: number, state: string | null): boolean => {
    if (mustDo === 0) return true;
    while (first < total && done[first]) first += 1;
    const window: string[] = [];
    let minEnd = Number.POSITIVE_INFINITY;
    for (let i = first; i < total && operations[i]!.start <= minEnd; i++) {
      if (!done[i]) minEnd = Math.min(minEnd, operations[i]!.end);
      window.push(done[i] ? '1' : '0');
    }
    const memo = `${first}:${window.join('').replace(/0+$/, '')}:${state}`;
    if (seen.has(memo)) return false;
    seen.add(memo);
    for (let i = first; i < total; i++) {
      const operation = operations[i]!;
      if (operation.start > minEnd) break;
      if (done[i]) continue;
      if (operation.kind === 'read' && operation.value !== state && operation.value !== null) continue;
      const bounded = operation.end !== Number.POSITIVE_INFINITY;
      done[i] = true;
      if (bounded) mustDo -= 1;
      if (search(first, operation.value)) return true;
      done[i] = false;
      if (bounded) mustDo += 1;
    }
    return false;
  };
  return search(0, null);
}
