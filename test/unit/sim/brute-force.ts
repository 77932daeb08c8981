/** The definition itself, for tiny histories: tries every order, every loss or none, every unknown outcome. */
import type { Recorded } from '../../sim/checker-history.ts';

type Value = string | null;

const endOf = ({ t }: Recorded): number => (t === -1 ? Number.POSITIVE_INFINITY : t);

/** The values that an operation may leave when it meets this one; none: it cannot be done there. */
function outcomes(entry: Recorded, state: Value): Value[] {
  if (entry.op === 'put') return [entry.v ?? null];
  if (entry.op === 'del') return [null];
  if (entry.op === 'loss') return [null, state];
  if (entry.op === 'get') return !entry.ok || entry.t === -1 || (entry.r ?? null) === state ? [state] : [];
  const expected = entry.e ?? null;
  if (!entry.ok && entry.t !== -1)
    return state !== expected && (entry.r === undefined || entry.r === state) ? [state] : [];
  return state === expected ? [entry.v ?? null] : [];
}

export function isLinearizableByDefinition(rest: readonly Recorded[], state: Value = null): boolean {
  if (rest.every((entry) => entry.t === -1)) return true;
  return rest.some((entry) => {
    const others = rest.filter((other) => other !== entry);
    if (others.some((other) => endOf(other) < entry.s)) return false;
    return outcomes(entry, state).some((after) => isLinearizableByDefinition(others, after));
  });
}
