/** Runs seeds with a rule taken out, each mutation in a process of its own, until one is noticed. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Recorded } from './checker-history.ts';
import { watchLeases } from './checker-leases.ts';
import { playScene } from './directed.ts';
import { mutationNamed, mutations } from './mutations.ts';
import { runSeed } from './seed.ts';

export interface MutationsOptions {
  /** The highest seed; a mutation that none up to it notices has survived. Default 20,000. */
  readonly seeds?: number;
  /** Default: all. */
  readonly names?: readonly string[];
  /** What a further process of this program runs: with `--mutant NAME MAX` it has to call `workOnMutation`. */
  readonly script: string;
  readonly onProgress?: (mutation: string, seed: number) => void;
  readonly onResult: (result: MutationResult) => void;
}

/** Null: no seed noticed. */
export interface MutationResult {
  readonly mutation: string;
  readonly seed: number | null;
  readonly violation: string | null;
}

export interface MutationsSummary {
  readonly mutations: number;
  readonly survived: number;
}

type Word = { readonly progress: number } | { readonly result: Omit<MutationResult, 'mutation'> };

export async function runMutations(options: MutationsOptions): Promise<MutationsSummary> {
  const { seeds = 20_000, script, onResult, onProgress } = options;
  const names = options.names ?? mutations.map(({ name }) => name);
  for (const name of names) mutationNamed(name);
  const queue = [...names];
  let survived = 0;
  const children = new Set<ChildProcess>();
  const serve = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const mutation = name;
      const child = fork(script, ['--mutant', name, String(seeds)]);
      children.add(child);
      const found = await outcome(child, (seed) => onProgress?.(mutation, seed));
      children.delete(child);
      if (found.seed === null) survived += 1;
      onResult({ mutation, ...found });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), names.length) }, serve));
  } finally {
    for (const child of children) child.kill();
  }
  return { mutations: names.length, survived };
}

function outcome(child: ChildProcess, onProgress: (seed: number) => void): Promise<Omit<MutationResult, 'mutation'>> {
  return new Promise((resolve, reject) => {
    child.on('message', (word: Word) => {
      if ('progress' in word) onProgress(word.progress);
      else resolve(word.result);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`a simulation process ended early (${signal ?? code})`)));
  });
}

/** The life of a process that runs with one mutation. */
export async function workOnMutation(name: string, seeds: number): Promise<void> {
  const send = (word: Word): void => void process.send?.(word);
  process.on('disconnect', () => process.exit());
  mutationNamed(name).apply();
  for (let seed = 1; seed <= seeds; seed++) {
    const [violation] = (await playSeed(seed)).violations;
    if (violation !== undefined) {
      send({ result: { seed, violation } });
      process.disconnect?.();
      return;
    }
    if (seed % 20 === 0) send({ progress: seed });
  }
  send({ result: { seed: null, violation: null } });
  process.disconnect?.();
}

export interface Played {
  readonly violations: readonly string[];
  /** Of the part that showed them. */
  readonly history: readonly Recorded[];
}

/** Plays one seed in this process as it is, mutated or not: its scene, then its storm. */
export async function playSeed(seed: number, log?: (line: string) => void): Promise<Played> {
  const past: string[] = [];
  const stop = watchLeases((violation) => past.push(violation));
  try {
    const scene = await playScene(seed, undefined, log);
    if (scene.violations.length + past.length > 0) {
      return { violations: [...past, ...scene.violations], history: scene.history };
    }
    const { violations, history } = await runSeed({ seed, ...(log && { log }) });
    return { violations: [...past, ...violations], history };
  } finally {
    stop();
  }
}
