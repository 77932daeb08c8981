/**
 * Schedules made for one danger each: what chance alone brings about once in a hundred thousand seeds. A scene sets the
 * stage, the seed draws its times. See directed-scenes.ts for what there is.
 */
import { checkHistory } from './checker.ts';
import type { Recorded } from './checker-history.ts';
import { scenes } from './directed-scenes.ts';
import { Recorder } from './recorder.ts';
import { type SeededRandom, type SimNode, World } from './world.ts';

/** Virtual time after which an operation that has not ended never will. */
const PATIENCE_MS = 20_000;

export interface SceneResult {
  readonly scene: string;
  readonly violations: readonly string[];
  readonly history: readonly Recorded[];
}

export class Scene {
  readonly world: World;
  readonly random: SeededRandom;
  readonly recorder: Recorder;
  private written = 0;

  constructor(seed: number, log?: (line: string) => void) {
    this.world = new World({ seed, ...(log && { log }) });
    this.random = this.world.random;
    this.recorder = new Recorder(this.world.clock);
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.random.fraction();
  }

  advance(ms: number): Promise<void> {
    return this.world.clock.advance(ms);
  }

  /** One after the other, so that they lead in this order. */
  async started(count: number): Promise<SimNode[]> {
    const nodes: SimNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(await this.world.started(`n${i}`));
    return nodes;
  }

  get(node: SimNode, k: string): void {
    this.recorder.run({ c: this.client(node), op: 'get', k }, () => node.get(k));
  }

  put(node: SimNode, k: string): void {
    const v = `v${++this.written}`;
    this.recorder.run({ c: this.client(node), op: 'put', k, v }, () => node.set(k, v));
  }

  delete(node: SimNode, k: string): void {
    this.recorder.run({ c: this.client(node), op: 'del', k }, () => node.delete(k));
  }

  /** The process ends; nothing that it had sent and that is still on its way arrives. */
  crash(node: SimNode): void {
    this.world.network.crash(node.address, { silent: true });
    node.process.pause();
    node.host.cut();
    this.recorder.abandon(this.client(node));
  }

  /** Both ways between these two, from now on. */
  latency(a: SimNode, b: SimNode, leastMs: number, mostMs: number): void {
    this.world.network.setLatency(a.address, b.address, leastMs, mostMs);
    this.world.network.setLatency(b.address, a.address, leastMs, mostMs);
  }

  leads(node: SimNode): boolean {
    return node.node?.status().role === 'leader';
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.world.clock.until(what, condition, PATIENCE_MS);
  }

  ended(): Promise<void> {
    return this.until('all operations end', () => this.recorder.open === 0);
  }

  private client(node: SimNode): number {
    return this.world.nodes.indexOf(node);
  }
}

/** Plays the seed's scene, or the one that is named. */
export async function playScene(seed: number, name?: string, log?: (line: string) => void): Promise<SceneResult> {
  const names = Object.keys(scenes);
  const chosen = name ?? names[seed % names.length]!;
  const play = scenes[chosen];
  if (play === undefined) throw new Error(`no scene ${chosen}; there are ${names.join(', ')}`);
  const scene = new Scene(seed, log);
  const violations: string[] = [];
  try {
    await play(scene);
    await scene.ended();
  } catch (error) {
    violations.push(`${String(error)}; not ended: ${scene.recorder.describeOpen()}`);
  }
  for (const { name: node, node: open } of scene.world.nodes) {
    if ((open?.status().counters.conflicts ?? 0) > 0)
      violations.push(`${node} found two values for one key at a takeover`);
  }
  const { history, faults } = scene.recorder;
  const report = checkHistory(history);
  violations.push(...faults, ...report.counterExamples.map(({ key, why }) => `${key}: ${why}`));
  if (report.verdict === 'undecided') violations.push(`undecided: ${report.undecided.join(', ')}`);
  return { scene: chosen, violations: violations.map((violation) => `${chosen}: ${violation}`), history };
}
