/**
 * Whether the history of one key is linearizable: whether its operations can be put in an order that agrees with real
 * time and in which each read returns what the last write before it has written.
 *
 * Depth-first search for such an order (Wing and Gong), remembering the configurations that led nowhere (Lowe): which
 * operations are done, and the value. What keeps it small, each without losing an order where there is one:
 * - A read that is possible now and agrees with the value is done now: it changes nothing.
 * - A write whose value nobody reads any more is done just before another write, which then overwrites it.
 * - The only write of a value that somebody reads is done when a reader is possible, or when it has to be; and then
 *   nothing else is written before all its readers are done.
 * - An operation of unknown outcome takes effect only just before somebody needs it; of two configurations that differ
 *   only in those used up, the one that has used fewer can do whatever the other can.
 */
import type { Recorded } from './checker-history.ts';

export type Verdict = 'linearizable' | 'violation' | 'undecided';

export interface RegisterResult {
  readonly verdict: Verdict;
  /** Configurations looked at. */
  readonly visited: number;
}

type Value = string | null;

/** The value is one that no read still to be done returns: which one does not matter. */
const UNREAD = Symbol('unread');
type State = Value | typeof UNREAD;

interface Operation {
  readonly kind: 'read' | 'write' | 'swap' | 'failedSwap' | 'loss';
  /** Read or written. */
  readonly value: Value | undefined;
  /** Expected by a swap. */
  readonly expected: Value;
  readonly start: number;
  /** Infinity: the outcome is unknown. */
  readonly end: number;
}

interface Choice {
  readonly operation: Operation;
  readonly state: State;
  /** In `operations`, or in `optional`. */
  readonly index: number;
}

/** A configuration on the way to the one that is looked at. */
interface Frame {
  readonly choices: readonly Choice[];
  next: number;
  readonly first: number;
  readonly used: bigint;
  /** How many operations were done when this configuration had been reached. */
  readonly trail: number;
}

function toOperation(entry: Recorded): Operation | undefined {
  const end = entry.t === -1 ? Number.POSITIVE_INFINITY : entry.t;
  const common = { start: entry.s, end, expected: null };
  if (entry.op === 'loss') return { ...common, kind: 'loss', value: null };
  if (entry.op === 'put') return { ...common, kind: 'write', value: entry.v ?? null };
  if (entry.op === 'del') return { ...common, kind: 'write', value: null };
  if (entry.op === 'get') {
    return entry.ok && entry.t !== -1 ? { ...common, kind: 'read', value: entry.r ?? null } : undefined;
  }
  const expected = entry.e ?? null;
  if (entry.ok || entry.t === -1) return { ...common, kind: 'swap', value: entry.v ?? null, expected };
  return { ...common, kind: 'failedSwap', value: entry.r, expected };
}

/** `budget`: how many configurations are looked at before it gives up. The key is absent at the beginning. */
export function checkRegister(history: readonly Recorded[], budget = 500_000): RegisterResult {
  const operations = history.flatMap((entry) => toOperation(entry) ?? []).sort((a, b) => a.start - b.start);
  return new Search(operations, budget).run();
}

class Search {
  /** Those that have to be done, in the order of their starts. */
  private readonly operations: readonly Operation[];
  private readonly optional: readonly Operation[];
  private readonly done: Uint8Array;
  /** Indices of what is done, in the order of doing. */
  private readonly trail: number[] = [];
  /** By value: reads and swaps not done that need it. */
  private readonly wanted = new Map<Value, number>();
  /** By value: operations not done that may leave it. */
  private readonly sources = new Map<Value, number>();
  /** A swap that fails tells values apart that nobody reads. */
  private readonly tellsAll: boolean;
  private readonly hasSwaps: boolean;
  private readonly seen = new Map<string, bigint[]>();
  private readonly values = new Map<State, number>();
  private readonly budget: number;
  private visited = 0;
  private first = 0;
  private state: State = null;
  private used = 0n;

  constructor(operations: readonly Operation[], budget: number) {
    this.budget = budget;
    this.tellsAll = operations.some(({ kind }) => kind === 'failedSwap');
    this.hasSwaps = operations.some(({ kind }) => kind === 'swap' || kind === 'failedSwap');
    for (const operation of operations) {
      this.want(operation, 1);
      this.source(operation, 1);
    }
    this.operations = operations.filter(({ end }) => end !== Number.POSITIVE_INFINITY);
    this.optional = operations.filter(
      ({ end, value }) => end === Number.POSITIVE_INFINITY && this.isWanted(value ?? null),
    );
    this.done = new Uint8Array(this.operations.length);
  }

  run(): RegisterResult {
    const stack: Frame[] = [];
    let choices = this.look();
    for (;;) {
      if (choices === 'complete') return { verdict: 'linearizable', visited: this.visited };
      if (this.visited > this.budget) return { verdict: 'undecided', visited: this.visited };
      stack.push({ choices, next: 0, first: this.first, used: this.used, trail: this.trail.length });
      let frame = stack.at(-1);
      while (frame !== undefined && frame.next === frame.choices.length) {
        stack.pop();
        frame = stack.at(-1);
      }
      if (frame === undefined) return { verdict: 'violation', visited: this.visited };
      this.goBackTo(frame);
      this.take(frame.choices[frame.next++]!);
      choices = this.look();
    }
  }

  /** Does what can be done without choosing; then what there is to choose from. */
  private look(): readonly Choice[] | 'complete' {
    this.visited += 1;
    let until = this.frontier();
    while (this.doReads(until)) until = this.frontier();
    if (this.trail.length === this.operations.length) return 'complete';
    return this.isNew(until) ? this.choose(until) : [];
  }

  /** Up to which start operations are possible: the soonest end of what is not done, for nothing may start after it. */
  private frontier(): number {
    const { operations, done } = this;
    while (this.first < operations.length && done[this.first]) this.first += 1;
    let until = Number.POSITIVE_INFINITY;
    for (let i = this.first; i < operations.length && operations[i]!.start <= until; i++) {
      if (!done[i]) until = Math.min(until, operations[i]!.end);
    }
    return until;
  }

  private doReads(until: number): boolean {
    const { operations, done, state } = this;
    const before = this.trail.length;
    for (let i = this.first; i < operations.length && operations[i]!.start <= until; i++) {
      if (!done[i] && changesNothing(operations[i]!, state)) this.do(i);
    }
    return this.trail.length > before;
  }

  private choose(until: number): Choice[] {
    const { operations, optional, done, state: present } = this;
    const mustStay = present !== UNREAD && !this.hasSwaps && this.isWanted(present) && this.sourcesOf(present) === 0;
    const usable = optional
      .map((operation, index) => ({ operation, index }))
      .filter(({ operation, index }) => {
        return operation.start <= until && !((this.used >> BigInt(index)) & 1n);
      });
    const needed = new Set<Value>();
    for (const { operation } of usable) if (operation.kind === 'swap') needed.add(operation.expected);
    const choices: Choice[] = [];
    let unread: Choice | undefined;
    for (let index = this.first; index < operations.length && operations[index]!.start <= until; index++) {
      if (done[index]) continue;
      const operation = operations[index]!;
      if (operation.kind === 'read') needed.add(operation.value ?? null);
      else if (operation.kind === 'swap') needed.add(operation.expected);
      for (const state of this.after(operation)) {
        if (state === UNREAD && operation.kind === 'write') unread ??= { operation, state, index };
        else choices.push({ operation, state, index });
      }
    }
    if (mustStay) return choices.filter(({ state }) => state === present);
    if (unread !== undefined) choices.push(unread);
    for (const { operation, index } of usable) {
      if (!this.tellsAll && operation.kind !== 'swap' && !needed.has(operation.value ?? null)) continue;
      for (const state of this.after(operation)) choices.push({ operation, state, index });
    }
    const isEarly = ({ operation: { kind, value, end } }: Choice): boolean => {
      if (kind !== 'write' || this.hasSwaps || end === until) return false;
      const written = value ?? null;
      return this.isWanted(written) && !needed.has(written) && this.sourcesOf(written) === 1;
    };
    const isNeeded = ({ state }: Choice): number => (state !== UNREAD && needed.has(state) ? 0 : 1);
    return choices
      .filter((choice) => !isEarly(choice))
      .sort((a, b) => isNeeded(a) - isNeeded(b) || a.operation.end - b.operation.end);
  }

  /** The value after this operation, if it can be done at the present one; a marked loss may have been none. */
  private after({ kind, value, expected }: Operation): State[] {
    if (kind === 'loss') return [null, this.state];
    if (kind === 'write' || (kind === 'swap' && this.state === expected)) {
      const written = value ?? null;
      return [this.isWanted(written) ? written : UNREAD];
    }
    return [];
  }

  private take({ operation, state, index }: Choice): void {
    const mandatory = operation.end !== Number.POSITIVE_INFINITY;
    if (operation.kind === 'write' && !this.tellsAll) this.doUnread(mandatory ? index : -1);
    this.state = state;
    if (mandatory) this.do(index);
    else this.used |= 1n << BigInt(index);
  }

  /** Writes that nobody needs, overwritten by the one that comes next. */
  private doUnread(except: number): void {
    const { operations, done } = this;
    const until = this.frontier();
    for (let i = this.first; i < operations.length && operations[i]!.start <= until; i++) {
      const { kind, value } = operations[i]!;
      if (i !== except && !done[i] && kind === 'write' && !this.isWanted(value ?? null)) this.do(i);
    }
  }

  private do(index: number): void {
    this.done[index] = 1;
    this.trail.push(index);
    this.want(this.operations[index]!, -1);
    this.source(this.operations[index]!, -1);
  }

  private goBackTo(frame: Frame): void {
    while (this.trail.length > frame.trail) {
      const index = this.trail.pop()!;
      this.done[index] = 0;
      this.want(this.operations[index]!, 1);
      this.source(this.operations[index]!, 1);
    }
    this.first = frame.first;
    this.used = frame.used;
  }

  private want({ kind, value, expected }: Operation, change: 1 | -1): void {
    const needed = kind === 'read' ? (value ?? null) : kind === 'swap' ? expected : undefined;
    if (needed !== undefined) this.wanted.set(needed, (this.wanted.get(needed) ?? 0) + change);
  }

  private source({ kind, value }: Operation, change: 1 | -1): void {
    if (kind === 'read' || kind === 'failedSwap') return;
    const left = value ?? null;
    this.sources.set(left, (this.sources.get(left) ?? 0) + change);
  }

  private sourcesOf(value: Value): number {
    return this.sources.get(value) ?? 0;
  }

  private isWanted(value: Value): boolean {
    return this.tellsAll || (this.wanted.get(value) ?? 0) > 0;
  }

  /** Whether nothing as good as this configuration has been looked at. */
  private isNew(until: number): boolean {
    const { operations, done, used } = this;
    const state = this.state !== UNREAD && this.isWanted(this.state) ? this.state : UNREAD;
    let key = `${this.first},${this.numberOf(state)},`;
    // Fifteen to a character, after a one that says where they begin.
    let bits = 1;
    let count = 0;
    for (let i = this.first; i < operations.length && operations[i]!.start <= until; i++) {
      bits = (bits << 1) | done[i]!;
      if (++count % 15 !== 0) continue;
      key += String.fromCharCode(bits);
      bits = 1;
    }
    key += String.fromCharCode(bits);
    const seen = this.seen.get(key);
    if (seen === undefined) this.seen.set(key, [used]);
    else if (seen.some((less) => (less & used) === less)) return false;
    else seen.push(used);
    return true;
  }

  private numberOf(state: State): number {
    let number = this.values.get(state);
    if (number === undefined) {
      number = this.values.size;
      this.values.set(state, number);
    }
    return number;
  }
}

/** Whether the operation is possible at this value and leaves it. */
function changesNothing({ kind, value, expected }: Operation, state: State): boolean {
  if (kind === 'read') return state === value;
  return kind === 'failedSwap' && state !== expected && (value === undefined || state === value);
}
