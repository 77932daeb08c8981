/** A shell in a container, driven line by line. */
import { createInterface } from 'node:readline';

const ANSWER_TIMEOUT_MS = 90_000;
/** It answers in one line, which no other command's answer to a first question looks like. */
const READY = 'timeout 30';

export class Shell {
  #child;
  #signal;
  #lines = [];
  #wake = () => {};
  #ended = false;

  constructor(child, signal) {
    this.#child = child;
    this.#signal = signal;
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    }
    child.stdin.on('error', () => {});
    child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Resolves when it answers; what compose says while it starts the container is dropped. */
  async ready() {
    this.#child.stdin.write(`${READY}\n`);
    while ((await this.#line(READY)) !== 'ok');
  }

  /** Resolves to the answer to `command`, which has as many lines as it is known to have. */
  async ask(command, lines = 1) {
    this.#child.stdin.write(`${command}\n`);
    const answer = [];
    while (answer.length < lines) answer.push(await this.#line(command));
    return answer;
  }

  async end() {
    this.#child.stdin.end();
    await this.#until('its end', () => this.#ended);
  }

  async #line(command) {
    await this.#until(`an answer to "${command}"`, () => {
      if (this.#lines.length === 0 && this.#ended) throw new Error(`the shell ended without ${command}`);
      return this.#lines.length > 0;
    });
    return this.#lines.shift();
  }

  async #until(what, condition) {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS;
    while (!condition()) {
      this.#signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`the shell did not come to ${what}`);
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 500);
      });
    }
  }
}
