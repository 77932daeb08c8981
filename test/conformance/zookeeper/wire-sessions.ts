/** Sessions and watches on the wire, as text without what may differ. */
import { JuteWriter } from '../../../src/embedded/jute.ts';
import { type Frame, handshakeBody, OP, type Welcome, WireClient } from './wire-client.ts';

const EVENTS = ['', 'created', 'deleted', 'changed', 'children'];
const open = (w: JuteWriter) => w.vector([0], (v) => v.int(31).string('world').string('anyone'));

/** One server, several clients; each case returns what it saw. */
export class WireSessions {
  readonly #port: number;
  readonly #clients: WireClient[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  async run(): Promise<Record<string, unknown>> {
    try {
      return {
        'a wrong password': await this.#wrongPassword(),
        'an unknown session': await this.#unknownSession(),
        'a zxid of the future': await this.#futureZxid(),
        'without the read-only flag': await this.#oldClient(),
        'a session taken up elsewhere': await this.#movedSession(),
        'a closed session taken up': await this.#closedSession(),
        events: await this.#events(),
        'watches set again': await this.#watchesSetAgain(),
        'a connection that breaks loses its watches': await this.#watchesOfBroken(),
        'frames that are none': await this.#badFrames(),
        'four letters': await this.#fourLetters(),
      };
    } finally {
      for (const client of this.#clients) client.destroy();
    }
  }

  async #dial(): Promise<WireClient> {
    const client = await WireClient.dial(this.#port);
    this.#clients.push(client);
    return client;
  }

  async #session(): Promise<{ client: WireClient; welcome: Welcome }> {
    const client = await this.#dial();
    return { client, welcome: await client.greet() };
  }

  async #create(client: WireClient, path: string, flags = 0): Promise<void> {
    client.request(1, OP.create, (w) => open(w.string(path).buffer(Buffer.from('x'))).int(flags));
    const { xid, code } = await client.frame();
    if (xid !== 1 || code !== 0) throw new Error(`create ${path}: answer ${xid}, code ${code}`);
  }

  async #ask(client: WireClient, type: number, body: (w: JuteWriter) => JuteWriter): Promise<Frame> {
    client.request(1, type, body);
    return client.frame();
  }

  async #rejected(handshake: Parameters<WireClient['greet']>[0]): Promise<unknown> {
    const client = await this.#dial();
    const { timeoutMs, sessionId, password, extraBytes } = await client.greet(handshake);
    await client.closed();
    return [timeoutMs, sessionId, password.every((byte) => byte === 0), password.length, extraBytes];
  }

  async #wrongPassword(): Promise<unknown> {
    const { client, welcome } = await this.#session();
    const answer = await this.#rejected({ sessionId: welcome.sessionId, password: new Uint8Array(16).fill(7) });
    // Nobody loses a session because somebody else guesses at it.
    const again = await this.#dial();
    const { sessionId } = await again.greet(welcome);
    client.destroy();
    return [answer, sessionId === welcome.sessionId];
  }

  #unknownSession(): Promise<unknown> {
    return this.#rejected({ sessionId: 12345n, password: new Uint8Array(16).fill(7) });
  }

  async #futureZxid(): Promise<unknown> {
    const client = await this.#dial();
    client.send(handshakeBody({ lastZxid: 0x7000_0000_0000_0000n }));
    await client.closed();
    return client.frames.length;
  }

  async #oldClient(): Promise<unknown> {
    const client = await this.#dial();
    return (await client.greet({ readOnlyFlag: false })).extraBytes;
  }

  async #movedSession(): Promise<unknown> {
    const { client, welcome } = await this.#session();
    await this.#create(client, '/moved', 1);
    const second = await this.#dial();
    const again = await second.greet({ ...welcome, timeoutMs: 3000 });
    await client.closed();
    const { code } = await this.#ask(second, OP.exists, (w) => w.string('/moved').boolean(false));
    return [again.sessionId === welcome.sessionId, again.timeoutMs, again.password.equals(welcome.password), code];
  }

  async #closedSession(): Promise<unknown> {
    const { client, welcome } = await this.#session();
    client.request(1, OP.close);
    await client.frame();
    await client.closed();
    return this.#rejected(welcome);
  }

  async #events(): Promise<unknown> {
    const { client } = await this.#session();
    await this.#create(client, '/events');
    await this.#create(client, '/events/child');
    for (const path of ['/events', '/events/child']) {
      await this.#ask(client, OP.getData, (w) => w.string(path).boolean(true));
      await this.#ask(client, OP.exists, (w) => w.string(path).boolean(true));
      await this.#ask(client, OP.getChildren2, (w) => w.string(path).boolean(true));
    }
    client.request(2, OP.delete, (w) => w.string('/events/child').int(-1));
    const seen = [];
    for (let count = 0; count < 3; count++) seen.push(show(await client.frame()));
    // One-shot: nothing but answers from here on, until the data of the parent changes.
    await this.#create(client, '/events/child');
    await this.#ask(client, OP.delete, (w) => w.string('/events/child').int(-1));
    client.request(4, OP.setData, (w) => w.string('/events').buffer(null).int(-1));
    for (let count = 0; count < 2; count++) seen.push(show(await client.frame()));
    seen.push(show(await this.#ask(client, OP.setData, (w) => w.string('/events').buffer(null).int(-1))));
    return seen;
  }

  async #watchesSetAgain(): Promise<unknown> {
    const { client } = await this.#session();
    for (const name of ['a', 'b', 'c', 'd']) await this.#create(client, `/again-${name}`);
    const { zxid } = await this.#ask(client, OP.exists, (w) => w.string('/').boolean(false));
    await this.#ask(client, OP.setData, (w) => w.string('/again-a').buffer(null).int(-1));
    await this.#create(client, '/again-b/child');
    await this.#ask(client, OP.delete, (w) => w.string('/again-c').int(-1));
    const { client: other } = await this.#session();
    const paths = (w: JuteWriter, ...names: string[]) => w.vector(names, (v, name) => v.string(`/again-${name}`));
    other.request(3, OP.setWatches, (w) =>
      paths(paths(paths(w.long(zxid), 'a', 'b', 'c', 'd'), 'd', 'x'), 'b', 'c', 'd'),
    );
    const seen: unknown[] = [];
    for (let count = 0; count < 6; count++) seen.push(show(await other.frame()));
    await this.#ask(client, OP.setData, (w) => w.string('/again-d').buffer(null).int(-1));
    await this.#create(client, '/again-x');
    await this.#create(client, '/again-d/child');
    for (let count = 0; count < 3; count++) seen.push(show(await other.frame()));
    return seen;
  }

  async #watchesOfBroken(): Promise<unknown> {
    const { client, welcome } = await this.#session();
    await this.#create(client, '/broken');
    await this.#ask(client, OP.getData, (w) => w.string('/broken').boolean(true));
    const second = await this.#dial();
    await second.greet(welcome);
    await client.closed();
    const changed = await this.#ask(second, OP.setData, (w) => w.string('/broken').buffer(null).int(-1));
    return show(changed);
  }

  async #badFrames(): Promise<unknown> {
    const results = [];
    for (const length of [-1, 0x0fffff + 1, 0x7fffffff]) {
      const { client } = await this.#session();
      client.socket.write(Buffer.from(new JuteWriter().int(length).frame().subarray(4)));
      await client.closed();
      results.push(client.frames.length);
    }
    return results;
  }

  async #fourLetters(): Promise<unknown> {
    const client = await this.#dial();
    let text = '';
    client.socket.on('data', (chunk) => {
      text += chunk;
    });
    client.socket.write('ruok');
    await client.closed();
    return text;
  }
}

function show({ xid, code, body, zxid }: Frame): unknown {
  if (xid !== -1) return [xid, code];
  const [type, state, path] = [body.int(), body.int(), body.string()];
  return [EVENTS[type], path, state, code, zxid, body.remaining];
}
