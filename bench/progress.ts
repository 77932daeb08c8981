/** How far a run is: a bar on a terminal, a line for each case elsewhere. */
import pc from 'picocolors';

const BAR = 24;

export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #cases: number;
  readonly #begun = performance.now();
  #done = 0;
  #name = '';

  constructor(out: NodeJS.WriteStream, cases: number) {
    this.#out = out;
    this.#cases = cases;
  }

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  begin(name: string): void {
    this.#name = name;
    this.step('');
  }

  step(what: string): void {
    if (!this.#out.isTTY) return;
    const full = Math.round((this.#done / this.#cases) * BAR);
    const bar = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
    const line = ` ${this.#done}/${this.#cases}  ${this.#name}  ${pc.dim(what)}`;
    this.#out.write(`\r\x1b[2K${pc.cyan(bar)}${line}`);
  }

  /** `summary`: a line to keep. */
  end(summary: string): void {
    this.#done += 1;
    const clear = this.#out.isTTY ? '\r\x1b[2K' : '';
    const time = `${this.seconds.toFixed(0)} s`.padStart(6);
    this.#out.write(`${clear}${pc.dim(time)}  ${summary}\n`);
    this.step('');
  }

  stop(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[2K');
  }
}
