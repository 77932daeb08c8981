/** What happens in the demonstration. Each step is done, checked, and told as a user would have typed it. */
import { READER } from './compose.mjs';

const NODES = ['node1', 'node2', 'node3'];
const SUSPENDED = /\(ZISTORE_SESSION_LOST\)$/;
const UNREACHABLE = /\(ZISTORE_COORDINATION_UNAVAILABLE\)$/;
const NETWORK = 'zistore';

/** Resolves to the transcript. @throws Error when anything is not as it should be. */
export async function play(compose) {
  const told = [];
  const tell = (...lines) => {
    told.push(...lines);
    for (const line of lines) console.error(`${new Date().toISOString().slice(11, 23)}  ${line}`);
  };
  const story = new Story(compose, tell);
  await story.start();
  await story.shareAValue();
  await story.cutTheReader();
  await story.healTheReader();
  await story.cutTheLeader();
  await story.healTheLeader();
  await story.end();
  return told.join('\n');
}

class Story {
  #compose;
  #tell;
  #shell;
  #leader;

  constructor(compose, tell) {
    this.#compose = compose;
    this.#tell = tell;
  }

  async start() {
    this.#tell('$ docker compose up -d --build');
    await this.#compose.up();
  }

  async shareAValue() {
    await this.#zistore('node1', 'put greeting hello', 'ok');
    await this.#zistore('node3', 'get greeting', 'hello');
    this.#tell(
      '',
      '# In a second terminal, a process that holds a copy:',
      '$ docker compose run --rm --name reader shell',
    );
    this.#shell = this.#compose.shell();
    await this.#shell.ready();
    await this.#ask('get 1 greeting', 'hello');
  }

  async cutTheReader() {
    this.#tell('', '# Cut off, it has the copy still and does not show it: somebody may be writing.');
    await this.#disconnect(READER, 'reader');
    await this.#wait('suspended');
    await this.#ask('get 1 greeting', SUSPENDED);
    this.#tell('', '# The others go on as soon as ZooKeeper has given it up:');
    await this.#zistore('node2', 'put greeting "good evening"', 'ok');
    await this.#zistore('node3', 'get greeting', 'good evening');
  }

  async healTheReader() {
    this.#tell('', '# Healed, it comes back by itself:');
    await this.#connect(READER, 'reader');
    await this.#wait('follower');
    await this.#ask('get 1 greeting', 'good evening');
  }

  async cutTheLeader() {
    this.#tell('', '# Now the leader, which holds all data:');
    this.#leader = await this.#findLeader(4);
    await this.#disconnect(await this.#compose.containerOf(this.#leader), `"$(docker compose ps -q ${this.#leader})"`);
    const [other] = NODES.filter((name) => name !== this.#leader);
    this.#tell('', '# Another one leads, and has collected what the others hold:');
    await this.#zistore(other, 'get greeting', 'good evening');
    await this.#zistore(this.#leader, 'get greeting --timeout 3', UNREACHABLE);
    this.#tell('', '# It knew before the others did that its time was up:');
    await this.#lastWords(this.#leader);
    await this.#ask('put 1 greeting "good night"', 'ok');
  }

  async healTheLeader() {
    this.#tell('', '# Healed, the old leader follows:');
    const container = await this.#compose.containerOf(this.#leader);
    await this.#connect(container, `"$(docker compose ps -q ${this.#leader})"`, this.#leader);
    await this.#zistore(this.#leader, 'get greeting', 'good night');
    await this.#rejoined(this.#leader, 4);
    const next = await this.#findLeader(4);
    if (next === this.#leader) throw new Error(`${next} leads again`);
  }

  async end() {
    await this.#shell.end();
    this.#tell('zistore> exit', '$ docker compose down -v');
  }

  async #zistore(service, command, expected) {
    const [, verb, rest] = /^(\S+) ?(.*)$/.exec(command);
    const where = ['--zookeeper', service.replace('node', 'zookeeper'), '--cluster', 'demo'];
    this.#tell(`$ docker compose exec ${service} zistore ${command} ${where.join(' ')}`);
    const args = (rest.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
    const { output } = await this.#compose.zistore(service, [verb, ...args, ...where]);
    this.#hear(command, output.trimEnd(), expected);
  }

  async #ask(command, expected) {
    this.#tell(`zistore> ${command}`);
    this.#hear(command, (await this.#shell.ask(command)).join('\n'), expected);
  }

  /** Its answer, the client's row, is left out as in the first transcript of README.md. */
  async #wait(role) {
    this.#tell(`zistore> wait 1 ${role}`);
    const rows = await this.#shell.ask(`wait 1 ${role}`, 2);
    if (!rows[1].includes(role)) throw new Error(`instead of ${role}: ${rows.join(' ')}`);
  }

  #hear(command, answer, expected) {
    this.#tell(...answer.split('\n'));
    const right = typeof expected === 'string' ? answer === expected : expected.test(answer);
    if (!right) throw new Error(`"${command}" answered "${answer}" instead of ${expected}`);
  }

  async #disconnect(container, shown) {
    this.#tell(`$ docker network disconnect ${NETWORK} ${shown}`);
    await this.#compose.network('disconnect', container);
  }

  /** A container that was disconnected has lost its service's name. */
  async #connect(container, shown, alias) {
    const options = alias === undefined ? [] : ['--alias', alias];
    this.#tell(`$ ${['docker network connect', ...options, NETWORK, shown].join(' ')}`);
    await this.#compose.network('connect', container, ...options);
  }

  async #lastWords(service) {
    this.#tell(`$ docker compose logs --no-log-prefix ${service} | grep suspended | tail -n 1`);
    const { output } = await this.#compose.compose(['logs', '--no-log-prefix', service]);
    const said = output.split('\n').filter((line) => line.includes('suspended'));
    this.#hear('logs', said.at(-1) ?? '', /previous="leader"/);
  }

  async #status(service) {
    const args = ['status', '--json', '--zookeeper', service.replace('node', 'zookeeper'), '--cluster', 'demo'];
    const { code, output } = await this.#compose.zistore(service, args);
    if (code !== 0) throw new Error(`no status: ${output}`);
    return JSON.parse(output);
  }

  async #rejoined(service, members) {
    for (let tries = 0; tries < 20; tries++) {
      const status = await this.#status(service);
      if (status.members.length === members && status.members.every((member) => member.live)) return;
    }
    throw new Error(`${service} did not come back`);
  }

  /** Shows the status, too. */
  async #findLeader(members) {
    const { leader } = await this.#status('node1');
    const name = NODES.find((node) => leader === `${node}:7400`);
    if (name === undefined) throw new Error(`${leader} leads`);
    this.#tell('$ docker compose exec node1 zistore status --zookeeper zookeeper1 --cluster demo');
    const { output } = await this.#compose.zistore('node1', [
      'status',
      '--zookeeper',
      'zookeeper1',
      '--cluster',
      'demo',
    ]);
    const rows = output.trimEnd().split('\n');
    this.#tell(...rows);
    if (rows.length !== members + 4) throw new Error(`${members} members are expected`);
    return name;
  }
}
