/** One line that says how far a long run is. */
import type { Totals } from './totals.ts';

const PERIOD_MS = 1000;

export class Progress {
  private shownAt = performance.now();

  show(line: () => string): void {
    const now = performance.now();
    if (now - this.shownAt < PERIOD_MS) return;
    this.shownAt = now;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

export function progressOf({ seeds, operations, violations }: Totals, all: number, started: number): string {
  const left = ((performance.now() - started) / seeds / 1000) * (all - seeds);
  const about = `about ${left.toFixed(0)} s left`;
  return `${seeds} of ${all} seeds, ${operations} operations, ${violations} violations, ${about}`;
}
