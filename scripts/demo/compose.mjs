/** Runs docker and compose for the demonstration, in a project and a network of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { Shell } from './shell.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Of the project and of its network. In the transcript the network has the name that docker-compose.yml gives it. */
const NAME = 'zistore-demo';
export const READER = `${NAME}-reader`;

const STEP_TIMEOUT_MS = 120_000;
/** Pulling and building included. */
const UP_TIMEOUT_MS = 900_000;

export class Compose {
  #command;
  #signal;

  constructor(command, signal) {
    this.#command = command;
    this.#signal = signal;
  }

  /** Version 2, a plugin of docker, where it is there; else 1.29, a program of its own. */
  static async find(signal) {
    for (const command of [['docker', 'compose'], ['docker-compose']]) {
      const { code } = await run([...command, 'version'], { signal, timeoutMs: STEP_TIMEOUT_MS });
      if (code === 0) return new Compose(command, signal);
    }
    throw new Error('neither `docker compose` nor `docker-compose` is there');
  }

  /** @returns {Promise<{code: number, output: string}>} whatever the exit code */
  compose(args, options = {}) {
    return run([...this.#command, ...args], { signal: this.#signal, timeoutMs: STEP_TIMEOUT_MS, ...options });
  }

  docker(args) {
    return run(['docker', ...args], { signal: this.#signal, timeoutMs: STEP_TIMEOUT_MS });
  }

  async up() {
    const { code, output } = await this.compose(['up', '-d', '--build'], { timeoutMs: UP_TIMEOUT_MS });
    if (code !== 0) throw new Error(`the cluster did not start:\n${output}`);
  }

  /** A command of zistore in a container of the cluster. */
  zistore(service, args) {
    return this.compose(['exec', '-T', service, 'zistore', ...args]);
  }

  async containerOf(service) {
    return (await this.compose(['ps', '-q', service])).output.trim();
  }

  async network(action, container, ...options) {
    const { code, output } = await this.docker(['network', action, ...options, NAME, container]);
    if (code !== 0) throw new Error(`docker network ${action}: ${output}`);
  }

  shell() {
    const args = ['run', '-T', '--rm', '--name', READER, 'shell'];
    return new Shell(start([...this.#command, ...args]), this.#signal);
  }

  async logs() {
    return (await run([...this.#command, 'logs', '--tail', '40'], { timeoutMs: STEP_TIMEOUT_MS })).output;
  }

  /** The containers, the network and the volumes; not the images. Also after a signal. */
  async remove() {
    const options = { timeoutMs: STEP_TIMEOUT_MS };
    await run(['docker', 'rm', '-f', READER], options);
    const { code, output } = await run([...this.#command, 'down', '-v', '--remove-orphans'], options);
    if (code !== 0) console.error(`error: the cluster was not removed:\n${output}`);
  }
}

function start([command, ...args]) {
  const env = { ...process.env, COMPOSE_PROJECT_NAME: NAME, ZISTORE_NETWORK: NAME, NO_COLOR: '1' };
  return spawn(command, args, { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
}

function run(command, { signal, timeoutMs }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = start(command);
    let output = '';
    const stop = (why) => {
      child.kill();
      reject(new Error(`${command.join(' ')}: ${why}\n${output}`));
    };
    const onAbort = () => stop(signal.reason.message);
    const timer = setTimeout(() => stop(`not done within ${timeoutMs / 1000} s`), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stdin.end();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const settle = (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // Compose clears lines even where there is no terminal.
      resolve({ code, output: stripVTControlCharacters(output) });
    };
    child.once('error', () => settle(127));
    child.once('close', (code) => settle(code ?? 1));
  });
}
