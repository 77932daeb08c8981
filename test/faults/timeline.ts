/**
 * What happened in a run, as far as anybody was told: the history of operations by key, and the lives of nodes, a life
 * being one ZooKeeper session of one worker. Whoever ends workers says so here; workers say the rest themselves.
 */
import type { Role } from '../../src/core/status.ts';
import type { Recorded, RecordedOperation } from '../sim/checker-history.ts';
import {
  type ClockKind,
  type Closed,
  type Done,
  type Intent,
  isNotApplied,
  type SessionEvent,
  type WorkerEvent,
} from './wire.ts';

/** The stamps of a worker whose clocks are skewed may be off by so much. */
const UPTIME_SLACK_NS = 12_000_000;

/** One session of one worker: one member of the cluster. */
export interface Life {
  readonly client: number;
  /** How far its stamps may be off. */
  readonly slackNs: number;
  /** At these moments it surely had its session, the first one and the last. */
  provenFrom: number;
  provenUntil: number;
  /** The highest epoch that it followed, or led in, during this session. */
  followed: bigint;
  /** From here on it surely did nothing more: its process had ended, or it had told that its session was lost. */
  overSince: number;
  /** When copies were evicted the last time. */
  evictedAt: number;
  /** How it has closed, if it did so in this session. */
  closed: Closed | undefined;
}

/** After an operation on a key, this life had a copy of it in its memory. */
export interface Hold {
  readonly life: Life;
  readonly by: Recorded;
  /** Between these. */
  readonly from: number;
  readonly to: number;
}

/** A write whose sender may not have heard of all that it has done: its outcome is unknown, or it did not happen. */
export interface StrayWrite {
  readonly s: number;
  /** Its sender has given it up. */
  readonly end: number;
}

export interface KeyHistory {
  readonly key: string;
  readonly entries: Recorded[];
  /** By life: the newest hold between each two reigns. */
  readonly holds: Map<Life, Hold[]>;
  readonly strays: StrayWrite[];
}

export interface Reign {
  readonly epoch: bigint;
  readonly life: Life;
  /** When the takeover was surely not finished later. */
  readonly at: number;
}

/** When a worker may have taken over without a word: while `recovering`, or before it has told any role. */
export interface Upheaval {
  readonly life: Life;
  readonly from: number;
  readonly to: number;
}

export type Ending = 'killed' | 'left' | 'ended';

export type TimelineEvent = { readonly at: number; readonly client: number } & (
  | { readonly what: 'started' | Ending }
  | { readonly what: 'role'; readonly role: Role; readonly epoch: string }
  | { readonly what: SessionEvent }
);

interface Client {
  life: Life;
  readonly slackNs: number;
  /** Writes called and not ended, by what they are; equal ones share an entry. */
  readonly intents: Map<string, Intent[]>;
  /** Until it tells a role. */
  unheardSince: number | undefined;
  ending: Ending | undefined;
  role: Role | undefined;
  loadedSince: number | undefined;
  over: boolean;
}

/** What a caller may see of a fault; besides, ZISTORE_CLOSED at a node that is leaving. */
const EXPECTED: ReadonlySet<string> = new Set([
  'ZISTORE_SESSION_LOST',
  'ZISTORE_OUTCOME_UNKNOWN',
  'ZISTORE_TIMEOUT',
  'skipped',
]);
/** Counted besides the code that the operation failed with, or of no operation at all. */
const NO_OPERATIONS: ReadonlySet<string> = new Set(['skipped', 'withoutOutcome']);

/** Whoever has one of these has joined. */
const MEMBERS: readonly Role[] = ['leader', 'recovering', 'follower'];

const nameOf = ({ op, k, v, s }: Intent | Done): string => `${op} ${s} ${k} ${op === 'put' ? v : ''}`;

export class Timeline {
  readonly keys = new Map<string, KeyHistory>();
  readonly lives: Life[] = [];
  readonly reigns: Reign[] = [];
  readonly upheavals: Upheaval[] = [];
  readonly events: TimelineEvent[] = [];
  readonly errors: Record<string, number> = {};
  /** Of those, what no caller may see; and what cannot be understood. */
  readonly unexpected: Record<string, number> = {};
  /** Operations that have ended, however, or whose worker has. */
  operations = 0;
  acknowledged = 0;
  /** When writes were acknowledged. */
  readonly writesAcknowledged: number[] = [];
  /** When some worker had a load; of one that goes on nothing yet. */
  readonly loads: { readonly from: number; readonly to: number }[] = [];
  readonly #clients = new Map<number, Client>();
  #lastClient = 0;

  /** A number for a worker that is about to be started; each life of a process needs another. */
  newClient(): number {
    this.#lastClient += 1;
    return this.#lastClient;
  }

  started(client: number, at: number, clock: ClockKind = 'monotonic'): void {
    if (this.#clients.has(client))
      throw new Error(`client ${client} has been started before; each needs its own number`);
    this.#lastClient = Math.max(this.#lastClient, client);
    const slackNs = clock === 'uptime' ? UPTIME_SLACK_NS : 0;
    this.#clients.set(client, {
      life: this.#newLife(client, slackNs),
      slackNs,
      intents: new Map(),
      unheardSince: at,
      ending: undefined,
      role: undefined,
      loadedSince: undefined,
      over: false,
    });
    this.events.push({ at, client, what: 'started' });
  }

  /** It was killed, or will be at once: from here on nobody may count on it. */
  killed(client: number, at: number): void {
    this.#end(client, at, 'killed');
  }

  /** It is about to leave cleanly, or has left. */
  left(client: number, at: number): void {
    this.#end(client, at, 'left');
  }

  /** It told something that is not a line of JSON, and was not killed in the middle of it. */
  garbled(client: number): void {
    this.#client(client);
    this.#count(this.unexpected, 'garbled', 1);
  }

  wasKilled(client: number): boolean {
    return this.#client(client).ending === 'killed';
  }

  /** Its close was answered. */
  closed(client: number, closed: Closed): void {
    this.#client(client).life.closed = closed;
  }

  /** Nothing more comes from it. What it was writing has an unknown outcome. To be called after all that it told. */
  ended(client: number, at: number): void {
    const known = this.#client(client);
    if (known.over) return;
    this.#end(client, at, 'ended');
    this.quieted(client, at);
    known.over = true;
    this.#isHeard(known, at);
    known.life.overSince = at;
    for (const intents of known.intents.values()) {
      for (const intent of intents) {
        this.operations += 1;
        this.#unknown({ ...intent, ok: false, t: -1 }, at);
      }
    }
    known.intents.clear();
  }

  loading(client: number, at: number): void {
    this.#client(client).loadedSince ??= at;
  }

  quieted(client: number, at: number): void {
    const known = this.#client(client);
    if (known.loadedSince !== undefined)
      this.loads.push({ from: known.loadedSince, to: Math.max(at, known.loadedSince) });
    known.loadedSince = undefined;
  }

  /** What a worker told, in the order of its telling; `heardAt`: when. */
  heard(client: number, event: WorkerEvent, heardAt: number): void {
    const known = this.#client(client);
    if (event.ev === 'intent') this.#intent(known, event.e);
    else if (event.ev === 'done') this.#done(known, event, heardAt);
    else if (event.ev === 'role') this.#role(known, client, event);
    else if (event.ev === 'leader') this.#leader(known, event);
    else if (event.ev === 'session') this.#session(known, client, event);
  }

  /** As it last said; undefined: nothing yet, or it has ended. */
  roleOf(client: number): Role | undefined {
    const known = this.#clients.get(client);
    return known?.ending === undefined ? known?.role : undefined;
  }

  /** All operations, key by key; those that have not ended as of unknown outcome. Without losses: see losses.ts. */
  history(): Recorded[] {
    const open = [...this.openWrites().values()].flat().map((intent) => ({ ...intent, ok: false, t: -1 }));
    return [...[...this.keys.values()].flatMap(({ entries }) => entries), ...open];
  }

  /** Of one key; empty where nothing has ended. */
  historyOf(key: string): KeyHistory {
    return this.keys.get(key) ?? { key, entries: [], holds: new Map(), strays: [] };
  }

  /** What has been judged, and of which nothing more will be heard. */
  forget(key: string): void {
    this.keys.delete(key);
  }

  /** Writes that have been called and not ended, by key. */
  openWrites(): Map<string, Intent[]> {
    const open = new Map<string, Intent[]>();
    for (const { intents } of this.#clients.values()) {
      for (const intent of [...intents.values()].flat()) open.set(intent.k, [...(open.get(intent.k) ?? []), intent]);
    }
    return open;
  }

  #client(client: number): Client {
    const known = this.#clients.get(client);
    if (known === undefined) throw new Error(`client ${client} was never started`);
    return known;
  }

  #key(key: string): KeyHistory {
    let history = this.keys.get(key);
    if (history === undefined) {
      history = { key, entries: [], holds: new Map(), strays: [] };
      this.keys.set(key, history);
    }
    return history;
  }

  #end(client: number, at: number, ending: Ending): void {
    const known = this.#client(client);
    // The first word counts: a process that is killed has ended, too.
    if (known.ending !== undefined) return;
    known.ending = ending;
    this.events.push({ at, client, what: ending });
  }

  #intent(known: Client, intent: Intent): void {
    const name = nameOf(intent);
    const same = known.intents.get(name);
    if (same === undefined) known.intents.set(name, [intent]);
    else same.push(intent);
  }

  #done(known: Client, { h, held, codes }: WorkerEvent & { ev: 'done' }, heardAt: number): void {
    for (const [code, count] of Object.entries(codes)) {
      this.#count(this.errors, code, count);
      if (!EXPECTED.has(code) && !(code === 'ZISTORE_CLOSED' && known.ending === 'left'))
        this.#count(this.unexpected, code, count);
      if (!NO_OPERATIONS.has(code)) this.operations += count;
    }
    const holding = new Set(held);
    for (const [index, done] of h.entries()) {
      if (done.op !== 'get') this.#settle(known, done);
      const history = this.#key(done.k);
      if (isNotApplied(done)) {
        if (done.unsent !== true) history.strays.push({ s: done.s, end: Math.max(done.t, heardAt) });
      } else if (done.t === -1) this.#unknown(done, heardAt);
      else {
        this.#acknowledged(known, history, done);
        if (holding.has(index)) this.#holds(known, history, done);
      }
    }
  }

  #count(counts: Record<string, number>, name: string, by: number): void {
    counts[name] = (counts[name] ?? 0) + by;
  }

  #holds({ life, slackNs }: Client, { holds }: KeyHistory, by: RecordedOperation): void {
    const hold: Hold = { life, by, from: by.t - slackNs, to: by.t };
    const before = holds.get(life);
    const last = before?.at(-1);
    if (before === undefined || last === undefined) holds.set(life, [hold]);
    // The newest says more than those before, but for a reign that has begun in between.
    else if (last.from > (this.reigns.at(-1)?.at ?? Number.NEGATIVE_INFINITY)) before[before.length - 1] = hold;
    else before.push(hold);
  }

  #acknowledged(known: Client, { entries }: KeyHistory, done: RecordedOperation): void {
    this.operations += 1;
    this.acknowledged += 1;
    if (done.op !== 'get') this.writesAcknowledged.push(done.t);
    known.life.provenUntil = Math.max(known.life.provenUntil, done.s);
    entries.push(done);
  }

  #unknown(write: RecordedOperation, end: number): void {
    const { entries, strays } = this.#key(write.k);
    entries.push(write);
    strays.push({ s: write.s, end });
  }

  #settle(known: Client, done: Done): void {
    const name = nameOf(done);
    const same = known.intents.get(name);
    same?.pop();
    if (same?.length === 0) known.intents.delete(name);
  }

  #role(known: Client, client: number, { role, epoch, at }: WorkerEvent & { ev: 'role' }): void {
    this.#isHeard(known, at);
    known.role = role;
    if (MEMBERS.includes(role)) known.life.provenFrom = Math.min(known.life.provenFrom, at + known.slackNs);
    this.events.push({ at, client, what: 'role', role, epoch });
    if (role === 'recovering') this.upheavals.push({ life: known.life, from: at, to: at + known.slackNs });
    // After a lapse of its lease a leader says so again, in the same epoch.
    if (role !== 'leader' || this.reigns.some((reign) => reign.epoch === BigInt(epoch))) return;
    this.reigns.push({ epoch: BigInt(epoch), life: known.life, at: at + known.slackNs });
    this.#followed(known.life, epoch);
    known.life.provenUntil = Math.max(known.life.provenUntil, at);
  }

  #isHeard(known: Client, at: number): void {
    if (known.unheardSince !== undefined)
      this.upheavals.push({ life: known.life, from: known.unheardSince, to: at + known.slackNs });
    known.unheardSince = undefined;
  }

  #leader(known: Client, { epoch }: WorkerEvent & { ev: 'leader' }): void {
    if (epoch !== null) this.#followed(known.life, epoch);
  }

  /** Not a proof of the moment: it may have been said long before it was heard. */
  #followed(life: Life, epoch: string): void {
    const number = BigInt(epoch);
    if (number > life.followed) life.followed = number;
  }

  #session(known: Client, client: number, { what, at }: WorkerEvent & { ev: 'session' }): void {
    this.events.push({ at, client, what });
    if (what === 'evicted') known.life.evictedAt = at;
    else if (what === 'lost') {
      known.life.overSince = at + known.slackNs;
      known.life = this.#newLife(client, known.slackNs);
    }
  }

  #newLife(client: number, slackNs: number): Life {
    const life: Life = {
      client,
      slackNs,
      provenFrom: Number.POSITIVE_INFINITY,
      provenUntil: Number.NEGATIVE_INFINITY,
      followed: 0n,
      overSince: Number.POSITIVE_INFINITY,
      evictedAt: Number.NEGATIVE_INFINITY,
      closed: undefined,
    };
    this.lives.push(life);
    return life;
  }
}
