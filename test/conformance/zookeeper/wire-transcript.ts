/** One conversation with a server of its own, as text from which everything that may differ is removed. */
import type { JuteReader, JuteWriter } from '../../../src/embedded/jute.ts';
import { type Frame, OP, WireClient } from './wire-client.ts';

type Body = (writer: JuteWriter) => JuteWriter;
type Step = readonly [what: string, type: number, body: Body, read?: (body: JuteReader) => unknown];

const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
const open: Body = (w) => w.vector([0], (v) => v.int(31).string('world').string('anyone'));
const nobody: Body = (w) => w.vector([], (v) => v);
const createBody =
  (path: string, data: string | null, flags = 0, acl = open): Body =>
  (w) =>
    acl(w.string(path).buffer(bytes(data))).int(flags);
const versioned =
  (path: string, version: number): Body =>
  (w) =>
    w.string(path).int(version);
const watched =
  (path: string, watch = false): Body =>
  (w) =>
    w.string(path).boolean(watch);
const setBody =
  (path: string, data: string | null, version: number): Body =>
  (w) =>
    w.string(path).buffer(bytes(data)).int(version);
const multiBody =
  (...steps: (readonly [number, Body])[]): Body =>
  (w) => {
    for (const [type, body] of steps) body(w.int(type).boolean(false).int(-1));
    return w.int(-1).boolean(true).int(-1);
  };

const text = (r: JuteReader) => r.string();
const data = (r: JuteReader) => r.buffer()?.toString() ?? null;
const names = (r: JuteReader) => r.vector((v) => v.string()).sort();
const acl = (r: JuteReader) => r.vector((v) => [v.int(), v.string(), v.string()]);

const steps: readonly Step[] = [
  ['create', OP.create, createBody('/t', 'one'), text],
  ['create what exists', OP.create, createBody('/t', 'one')],
  ['create without a parent', OP.create, createBody('/x/y', '')],
  ['create without data', OP.create, createBody('/t/null', null), text],
  ['read no data', OP.getData, watched('/t/null'), (r) => [data(r), stat(r)]],
  ['create in sequence', OP.create, createBody('/t/s-', '', 2), text],
  ['create in sequence below', OP.create, createBody('/t/', '', 2), text],
  ['create with its stat', OP.create2, createBody('/t/two', 'x'), (r) => [text(r), stat(r)]],
  ['create for nobody', OP.create, createBody('/t/acl', '', 0, nobody)],
  ['create at a bad path', OP.create, createBody('/t//x', '')],
  ['create an ephemeral', OP.create, createBody('/t/e', '', 1), text],
  ['create below an ephemeral', OP.create, createBody('/t/e/x', '')],
  ['stat', OP.exists, watched('/t'), (r) => stat(r)],
  ['stat of nothing', OP.exists, watched('/nothing')],
  ['read', OP.getData, watched('/t'), (r) => [data(r), stat(r)]],
  ['read nothing', OP.getData, watched('/nothing')],
  ['children', OP.getChildren, watched('/t'), names],
  ['children with stat', OP.getChildren2, watched('/t'), (r) => [names(r), stat(r)]],
  ['children of nothing', OP.getChildren2, watched('/nothing')],
  ['set', OP.setData, setBody('/t', 'two', 0), (r) => stat(r)],
  ['set a wrong version', OP.setData, setBody('/t', 'two', 0)],
  ['set nothing', OP.setData, setBody('/nothing', '', -1)],
  ['set no data', OP.setData, setBody('/t', null, -1), (r) => stat(r)],
  ['access list', OP.getAcl, (w) => w.string('/t'), (r) => [acl(r), stat(r)]],
  ['set the access list', OP.setAcl, (w) => open(w.string('/t')).int(0), (r) => stat(r)],
  ['set a wrong version of it', OP.setAcl, (w) => open(w.string('/t')).int(7)],
  ['sync', OP.sync, (w) => w.string('/t'), text],
  ['delete what has children', OP.delete, versioned('/t', -1)],
  ['delete a wrong version', OP.delete, versioned('/t/two', 3)],
  ['delete', OP.delete, versioned('/t/two', 0)],
  ['delete nothing', OP.delete, versioned('/t/two', 0)],
  ['delete the root', OP.delete, versioned('/', -1)],
  ['stat after deletion', OP.exists, watched('/t'), (r) => stat(r)],
  [
    'multi',
    OP.multi,
    multiBody(
      [OP.check, versioned('/t', 2)],
      [OP.create, createBody('/t/m', 'x', 3)],
      [OP.setData, setBody('/t', 'z', 2)],
      [OP.delete, versioned('/t/e', -1)],
      [OP.create2, createBody('/t/m2', '')],
    ),
    multiResults,
  ],
  [
    'multi that fails',
    OP.multi,
    multiBody(
      [OP.create, createBody('/t/f', '')],
      [OP.delete, versioned('/t/m2', -1)],
      [OP.check, versioned('/t', 0)],
      [OP.create, createBody('/t/g', '')],
    ),
    multiResults,
  ],
  ['multi of nothing', OP.multi, multiBody(), multiResults],
  ['stat after multi', OP.exists, watched('/t'), (r) => stat(r)],
  ['children after multi', OP.getChildren, watched('/t'), names],
];

/** What the steps come to on the server at `port`, which must be new and otherwise unused. */
export async function transcript(port: number): Promise<string[]> {
  const client = await WireClient.dial(port);
  const lines: string[] = [];
  try {
    const welcome = await client.greet({ timeoutMs: 5000 });
    lines.push(`welcome ${welcome.timeoutMs} ${welcome.password.length} ${welcome.extraBytes}`);
    client.request(-2, OP.ping);
    const first = (await client.frame()).zxid;
    const shown = (frame: Frame, read?: Step[3]) =>
      JSON.stringify(
        [frame.code, frame.code === 0 && read !== undefined ? read(frame.body) : null, frame.body.remaining],
        (_key, value) => (typeof value === 'bigint' ? relative(value, first, welcome.sessionId) : value),
      );
    for (const [index, [what, type, body, read]] of steps.entries()) {
      client.request(index + 1, type, body);
      const frame = await client.frame();
      lines.push(`${what}: ${frame.xid} ${relative(frame.zxid, first, 0n)} ${shown(frame, read)}`);
    }
    client.request(-4, OP.auth, (w) => w.int(0).string('digest').buffer(Buffer.from('user:password')));
    const auth = await client.frame();
    lines.push(`auth: ${auth.xid} ${auth.code}`);
    client.request(99, OP.close);
    const closed = await client.frame();
    lines.push(`close: ${closed.xid} ${relative(closed.zxid, first, 0n)} ${closed.code}`);
    await client.closed();
    return lines;
  } finally {
    client.destroy();
  }
}

function relative(value: bigint, first: bigint, session: bigint): string {
  if (value === session && value !== 0n) return 'own session';
  return value > first ? `zxid+${value - first}` : value === 0n ? '0' : `zxid${value - first}`;
}

function stat(r: JuteReader): unknown {
  const [czxid, mzxid] = [r.long(), r.long()];
  const times = [r.long(), r.long()].map((time) => time > 0n);
  const [version, cversion, aversion] = [r.int(), r.int(), r.int()];
  const owner = r.unsignedLong();
  return {
    czxid,
    mzxid,
    times,
    version,
    cversion,
    aversion,
    owner,
    length: r.int(),
    children: r.int(),
    pzxid: r.long(),
  };
}

function multiResults(r: JuteReader): unknown {
  const results: unknown[] = [];
  for (;;) {
    const [type, done, code] = [r.int(), r.boolean(), r.int()];
    if (done) return [...results, [type, code]];
    if (type === -1) results.push(['error', code, r.int()]);
    else if (type === OP.create) results.push(['create', code, r.string()]);
    else if (type === OP.create2) results.push(['create2', code, r.string(), stat(r)]);
    else if (type === OP.setData) results.push(['set', code, stat(r)]);
    else results.push([type, code]);
  }
}
