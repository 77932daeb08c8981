/** What a run has to say in the end, and to whom. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatHistory } from '../sim/checker-history.ts';
import { svgOf } from '../sim/picture.ts';
import { tableOf } from '../sim/picture-words.ts';
import type { Lab } from './lab.ts';
import type { Timeline } from './timeline.ts';
import type { Verdict } from './verdict.ts';

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export function recoverySummary(recoveries: Readonly<Record<string, readonly number[]>>) {
  const entries = Object.entries(recoveries).map(([kind, ms]) => [
    kind,
    { median: median(ms), max: Math.max(...ms), times: ms.length },
  ]);
  return Object.fromEntries(entries) as Record<string, { median: number; max: number; times: number }>;
}

/** One line that says how far a run is: in place on a terminal, else a line every ten seconds. */
export class Progress {
  #shownAt = Number.NEGATIVE_INFINITY;

  show(line: () => string): void {
    const now = performance.now();
    if (now - this.#shownAt < (process.stderr.isTTY ? 500 : 10_000)) return;
    this.#shownAt = now;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`);
  }

  /** A line that stays. */
  say(line: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

/** Into the folder where the nodes' logs are: those of the servers, the history, what happened when, and pictures. */
export async function keepEvidence(
  folder: string,
  lab: Lab | undefined,
  timeline: Timeline,
  verdict: Verdict | undefined,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [index, server] of (lab?.servers ?? []).entries()) {
    await cp(join(server.folder, 'log'), join(folder, `server-${index}.log`)).catch(() => {});
  }
  const history = verdict?.history ?? timeline.history();
  await writeFile(join(folder, 'history.jsonl'), formatHistory(history));
  const events = [...timeline.events].sort((a, b) => a.at - b.at);
  await writeFile(join(folder, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  for (const [index, example] of (verdict?.counterExamples ?? []).slice(0, 10).entries()) {
    await writeFile(join(folder, `violation-${index + 1}.svg`), svgOf(example));
    await writeFile(join(folder, `violation-${index + 1}.txt`), `${example.why}\n\n${tableOf(example)}\n`);
  }
}
