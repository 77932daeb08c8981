/**
 * Joining the cluster (Z14 Z34): the persistent znodes, the comparison of configurations, then the member znode and
 * (for a candidate) the election znode in **one** transaction.
 *
 * One transaction has one zxid, so a candidate's epoch is its incarnation. And because the member znode has a fixed
 * name, a transaction whose answer was lost is found again: sent a second time, either copy can commit but not both.
 * A member znode of an earlier life of this address is waited for, never deleted: whoever reacts to its going relies
 * on the session behind it being over.
 */
import type { ZiStoreErrorCode } from '../errors.ts';
import type { Stat, ZkMultiStep, ZkReply } from './coordination.ts';
import type { Failure } from './effects.ts';
import type { Paths } from './paths.ts';
import { type Address, type Incarnation, toIncarnation } from './types.ts';
import { isConnectionFault, type ZkRequests } from './zk.ts';

export type Agreement = Readonly<Record<string, string | number | boolean | null>>;

export interface Joined {
  readonly incarnation: Incarnation;
  /** Name of the own election znode; undefined for a node that is no candidate. */
  readonly candidate: string | undefined;
}

export interface JoinEvents {
  joined(joined: Joined): void;
  /** The transaction that proves this session was answered: the first beat. */
  beat(sentAt: number, now: number): void;
  /** Something that trying again will not cure. */
  impossible(failure: Failure): void;
  /** The session is not ours any more. */
  sessionGone(now: number): void;
  log(level: 'info' | 'warn', message: string, fields?: Record<string, unknown>): void;
}

export interface JoinOptions {
  readonly paths: Paths;
  readonly address: Address;
  readonly candidate: boolean;
  readonly agreement: Agreement;
  /** JSON for the member znode. */
  readonly memberData: string;
  /** Makes the own election znode recognisable. */
  readonly guid: string;
}

export class Join {
  /** What keeps it from joining: an earlier life of its address, or (for a node that is no candidate) the cluster. */
  waitingFor: 'address' | 'cluster' | undefined;
  private sessionId = '';
  private sentAt = 0;
  private over = false;
  private saidWaiting = false;
  private readonly zk: ZkRequests;
  private readonly options: JoinOptions;
  private readonly events: JoinEvents;

  constructor(zk: ZkRequests, options: JoinOptions, events: JoinEvents) {
    this.zk = zk;
    this.options = options;
    this.events = events;
  }

  start(sessionId: string): void {
    this.sessionId = sessionId;
    this.readConfig();
  }

  private readonly readConfig = (): void => {
    this.zk.submit({ op: 'get', path: this.options.paths.config }, (reply, now) => {
      if (reply.ok) this.compare(reply.data ?? '', now);
      else if (reply.code !== 'NO_NODE') this.failed(reply, this.readConfig, now);
      // A client by nature asks for a cluster; were it to create one, a slip of the pen would fix its configuration.
      else if (!this.options.candidate) this.lookAgain('cluster', now);
      else this.createDirectory(0);
    });
  };

  private createDirectory(index: number): void {
    const path = this.options.paths.directories[index];
    if (path === undefined) {
      this.createConfig();
      return;
    }
    this.zk.submit({ op: 'create', path, data: '', mode: 'persistent' }, (reply, now) => {
      if (reply.ok || reply.code === 'NODE_EXISTS') this.createDirectory(index + 1);
      else if (reply.code === 'NO_NODE') {
        this.impossible(
          'ZISTORE_INVALID_ARGUMENT',
          'The chroot of the ZooKeeper connect string does not exist; create that znode first.',
        );
      } else this.failed(reply, this.readConfig, now);
    });
  }

  private createConfig(): void {
    const { paths, agreement } = this.options;
    this.zk.submit(
      { op: 'create', path: paths.config, data: JSON.stringify(agreement), mode: 'persistent' },
      (reply, now) => {
        if (reply.ok || reply.code === 'NODE_EXISTS') this.readConfig();
        else this.failed(reply, this.readConfig, now);
      },
    );
  }

  private compare(data: string, now: number): void {
    this.waitingFor = undefined;
    const difference = findDifference(this.options.agreement, data);
    if (difference !== undefined) this.impossible(difference.code, difference.message);
    else this.create(now);
  }

  private readonly create = (now: number): void => {
    const { paths, address, candidate, guid, memberData } = this.options;
    const steps: ZkMultiStep[] = [{ op: 'create', path: paths.member(address), data: memberData, mode: 'ephemeral' }];
    if (candidate) {
      steps.push({ op: 'create', path: paths.candidate(`${guid}-n-`), data: address, mode: 'ephemeralSequential' });
    }
    this.sentAt = now;
    this.zk.submit({ op: 'multi', steps }, (reply, repliedAt) => {
      if (reply.ok) {
        this.events.beat(this.sentAt, repliedAt);
        this.findMember(repliedAt);
      } else if (reply.code === 'NODE_EXISTS') this.findMember(repliedAt);
      else this.failed(reply, this.create, repliedAt);
    });
  };

  /** Whose is the member znode that is there now: ours, or an earlier life's that has to go first? */
  private readonly findMember = (_now: number): void => {
    const path = this.options.paths.member(this.options.address);
    this.zk.submit({ op: 'exists', path, watch: true }, (reply, now) => {
      if (!reply.ok) {
        this.failed(reply, this.findMember, now);
        return;
      }
      const stat = reply.stat;
      if (stat == null) this.create(now);
      else if (stat.ephemeralOwner === this.sessionId) this.findCandidate(stat);
      else this.waitForPredecessor(path);
    });
  };

  /** Looks again in a moment. */
  private lookAgain(what: 'cluster', now: number): void {
    this.waitingFor = what;
    this.zk.retry(this.readConfig, now);
  }

  private waitForPredecessor(path: string): void {
    this.waitingFor = 'address';
    if (!this.saidWaiting) {
      this.saidWaiting = true;
      this.events.log('warn', 'this address is that of a member; waiting for its session to end', {
        address: this.options.address,
      });
    }
    this.zk.onWatch(path, (_kind, now) => {
      if (!this.over) this.create(now);
    });
  }

  private findCandidate(member: Stat): void {
    const { paths, candidate, guid } = this.options;
    if (!candidate) {
      this.finish(member, undefined);
      return;
    }
    this.zk.submit({ op: 'children', path: paths.election }, (reply, now) => {
      if (!reply.ok) {
        this.failed(reply, this.findMember, now);
        return;
      }
      const name = reply.names?.find((child) => child.startsWith(guid));
      if (name === undefined) this.events.sessionGone(now);
      else this.confirmCandidate(member, name);
    });
  }

  private confirmCandidate(member: Stat, name: string): void {
    this.zk.submit({ op: 'exists', path: this.options.paths.candidate(name) }, (reply, now) => {
      if (!reply.ok) {
        this.failed(reply, this.findMember, now);
        return;
      }
      const stat = reply.stat;
      if (stat == null || stat.ephemeralOwner !== this.sessionId) this.events.sessionGone(now);
      else if (stat.czxid !== member.czxid) {
        this.impossible(
          'ZISTORE_INCOMPATIBLE',
          'The coordination service gives the znodes of one transaction different zxids.',
        );
      } else this.finish(member, name);
    });
  }

  private finish(member: Stat, candidate: string | undefined): void {
    if (this.over) return;
    this.over = true;
    this.waitingFor = undefined;
    this.events.joined({ incarnation: toIncarnation(member.czxid), candidate });
  }

  private failed(reply: ZkReply & { ok: false }, again: (now: number) => void, now: number): void {
    if (reply.code === 'SESSION_ENDED') return;
    if (isConnectionFault(reply) || reply.code === 'OTHER' || reply.code === 'NO_NODE') this.zk.retry(again, now);
    else if (reply.code === 'NO_AUTH') {
      this.impossible('ZISTORE_UNAUTHORIZED', `ZooKeeper refuses access to the cluster's znodes: ${reply.message}`);
    } else
      this.impossible('ZISTORE_INCOMPATIBLE', `ZooKeeper refuses a step of joining: ${reply.code} ${reply.message}`);
  }

  private impossible(code: ZiStoreErrorCode, message: string): void {
    if (this.over) return;
    this.over = true;
    this.events.impossible({ ok: false, code, message });
  }
}

/** Compares what the cluster has agreed on with what this node is configured for, name by name. */
function findDifference(own: Agreement, data: string): { code: ZiStoreErrorCode; message: string } | undefined {
  let theirs: unknown;
  try {
    theirs = JSON.parse(data);
  } catch {
    theirs = undefined;
  }
  if (typeof theirs !== 'object' || theirs === null || Array.isArray(theirs)) {
    return {
      code: 'ZISTORE_INCOMPATIBLE',
      message: "The cluster's config znode is not readable as JSON; is this name used by something else?",
    };
  }
  const cluster = theirs as Record<string, unknown>;
  for (const name of new Set([...Object.keys(own), ...Object.keys(cluster)])) {
    const [mine, its] = [own[name] ?? null, cluster[name] ?? null];
    if (mine === its) continue;
    if (name === 'authorities') {
      return {
        code: 'ZISTORE_UNAUTHORIZED',
        message:
          "This node's tls.ca is not the one that the cluster was created with; all nodes must trust the same authorities.",
      };
    }
    if (name === 'secretCheck') {
      return {
        code: 'ZISTORE_UNAUTHORIZED',
        message: "This node's secret is not the one that the cluster was created with.",
      };
    }
    return {
      code: 'ZISTORE_INCOMPATIBLE',
      message: `The cluster has ${name} ${JSON.stringify(its)}, this node ${JSON.stringify(mine)}; all nodes must agree.`,
    };
  }
  return undefined;
}
