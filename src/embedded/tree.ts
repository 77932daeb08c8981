/** The tree of znodes and its changes. Pure: no I/O, no clock. */
import {
  type Acl,
  type Change,
  type ChangeOperation,
  type Data,
  ErrorCode,
  type NodeStat,
  Refusal,
} from './operations.ts';
import { nameOf, parentOf, sequenceSuffix, validatePath } from './paths.ts';

export interface TreeLimits {
  readonly maxNodes: number;
  /** Bytes of paths and data together. */
  readonly maxBytes: number;
}

interface Znode {
  data: Data;
  acl: readonly Acl[];
  readonly czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  readonly ctime: number;
  mtime: number;
  version: number;
  aversion: number;
  /** How many children were ever created: the sequence counter. */
  created: number;
  readonly owner: bigint;
  readonly children: Set<string>;
}

/** One transaction: all its changes carry its zxid, and are undone together. */
export interface Transaction {
  readonly zxid: bigint;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly session: bigint;
  readonly changes: Change[];
  readonly undo: (() => void)[];
}

type Create = Extract<ChangeOperation, { op: 'create' }>;

const OPEN_ACL: readonly Acl[] = [{ permissions: 31, scheme: 'world', id: 'anyone' }];

export class DataTree {
  readonly #nodes = new Map<string, Znode>();
  readonly #ephemerals = new Map<bigint, Set<string>>();
  readonly #limits: TreeLimits;
  #bytes = 0;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
    this.#nodes.set('/', genesis());
    for (const path of ['/zookeeper', '/zookeeper/quota']) {
      this.#insert(path, genesis());
      // ZooKeeper does not count these among the children ever created.
      this.#require(parentOf(path)).created = 0;
    }
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Returns the path with its sequence. */
  create(tx: Transaction, request: Create): string {
    if (!request.path.startsWith('/')) throw new Refusal(ErrorCode.badArguments, 'a path starts with /');
    if (request.acl.length === 0) throw new Refusal(ErrorCode.invalidAcl, 'a znode needs an access list');
    const parent = this.#require(parentOf(request.path));
    validatePath(request.sequential ? `${request.path}1` : request.path);
    const path = request.sequential ? request.path + sequenceSuffix(parent.created) : request.path;
    if (this.#nodes.has(path)) throw new Refusal(ErrorCode.nodeExists, `${path} exists`);
    if (parent.owner !== 0n) throw new Refusal(ErrorCode.noChildrenForEphemerals, 'the parent is ephemeral');
    this.#checkRoom(1, path.length + (request.data?.length ?? 0));

    const { pzxid, created } = parent;
    this.#insert(path, newZnode(request.data, request.acl, request.ephemeral ? tx.session : 0n, tx));
    parent.pzxid = tx.zxid;
    tx.undo.push(() => {
      this.#take(path);
      Object.assign(parent, { pzxid, created });
    });
    tx.changes.push({ kind: 'created', path }, { kind: 'children', path: parentOf(path) });
    return path;
  }

  delete(tx: Transaction, path: string, version: number): void {
    if (path === '/' || path === '/zookeeper' || path.startsWith('/zookeeper/')) {
      throw new Refusal(ErrorCode.badArguments, `${path} cannot be deleted`);
    }
    const node = this.#require(path);
    checkVersion(node.version, version);
    if (node.children.size > 0) throw new Refusal(ErrorCode.notEmpty, `${path} has children`);

    const parent = this.#require(parentOf(path));
    const { pzxid, created } = parent;
    this.#take(path);
    parent.pzxid = tx.zxid;
    tx.undo.push(() => {
      this.#insert(path, node);
      Object.assign(parent, { pzxid, created });
    });
    tx.changes.push({ kind: 'deleted', path }, { kind: 'children', path: parentOf(path) });
  }

  setData(tx: Transaction, path: string, data: Data, version: number): NodeStat {
    const node = this.#require(path);
    checkVersion(node.version, version);
    this.#checkRoom(0, (data?.length ?? 0) - (node.data?.length ?? 0));
    const { mzxid, mtime, data: old, version: oldVersion } = node;
    this.#replaceData(node, data);
    Object.assign(node, { mzxid: tx.zxid, mtime: tx.time, version: oldVersion + 1 });
    tx.undo.push(() => {
      this.#replaceData(node, old);
      Object.assign(node, { mzxid, mtime, version: oldVersion });
    });
    tx.changes.push({ kind: 'changed', path });
    return statOf(node);
  }

  setAcl(path: string, acl: readonly Acl[], version: number): NodeStat {
    const node = this.#require(path);
    checkVersion(node.aversion, version);
    if (acl.length === 0) throw new Refusal(ErrorCode.invalidAcl, 'a znode needs an access list');
    node.acl = acl;
    node.aversion++;
    return statOf(node);
  }

  check(path: string, version: number): void {
    checkVersion(this.#require(path).version, version);
  }

  /** undefined where there is no such znode. */
  stat(path: string): NodeStat | undefined {
    const node = this.#nodes.get(path);
    return node && statOf(node);
  }

  /** Throws Refusal (NO_NODE). */
  read(path: string): { data: Data; acl: readonly Acl[]; stat: NodeStat; names: string[] } {
    const node = this.#require(path);
    return { data: node.data, acl: node.acl, stat: statOf(node), names: [...node.children] };
  }

  ephemeralsOf(session: bigint): readonly string[] {
    return [...(this.#ephemerals.get(session) ?? [])];
  }

  #require(path: string): Znode {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new Refusal(ErrorCode.noNode, `${path} does not exist`);
    return node;
  }

  #checkRoom(nodes: number, bytes: number): void {
    if (this.#nodes.size + nodes > this.#limits.maxNodes || this.#bytes + bytes > this.#limits.maxBytes) {
      throw new Refusal(ErrorCode.systemError, 'the embedded coordinator is full');
    }
  }

  #insert(path: string, node: Znode): void {
    const parent = this.#require(parentOf(path));
    parent.children.add(nameOf(path));
    parent.created++;
    this.#nodes.set(path, node);
    this.#bytes += path.length + (node.data?.length ?? 0);
    if (node.owner === 0n) return;
    const owned = this.#ephemerals.get(node.owner) ?? new Set();
    this.#ephemerals.set(node.owner, owned.add(path));
  }

  #take(path: string): void {
    const node = this.#require(path);
    this.#require(parentOf(path)).children.delete(nameOf(path));
    this.#nodes.delete(path);
    this.#bytes -= path.length + (node.data?.length ?? 0);
    const owned = this.#ephemerals.get(node.owner);
    owned?.delete(path);
    if (owned?.size === 0) this.#ephemerals.delete(node.owner);
  }

  #replaceData(node: Znode, data: Data): void {
    this.#bytes += (data?.length ?? 0) - (node.data?.length ?? 0);
    node.data = data;
  }
}

const genesis = (): Znode =>
  newZnode(new Uint8Array(), OPEN_ACL, 0n, { zxid: 0n, time: 0, session: 0n, changes: [], undo: [] });

function newZnode(data: Data, acl: readonly Acl[], owner: bigint, tx: Transaction): Znode {
  const { zxid, time } = tx;
  return {
    data,
    acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: time,
    mtime: time,
    version: 0,
    aversion: 0,
    created: 0,
    owner,
    children: new Set(),
  };
}

function statOf(node: Znode): NodeStat {
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    // Clients are shown creations and deletions together.
    cversion: node.created * 2 - node.children.size,
    aversion: node.aversion,
    ephemeralOwner: node.owner,
    dataLength: node.data?.length ?? 0,
    numChildren: node.children.size,
    pzxid: node.pzxid,
  };
}

function checkVersion(actual: number, expected: number): void {
  if (expected !== -1 && expected !== actual) {
    throw new Refusal(ErrorCode.badVersion, `version is ${actual}, not ${expected}`);
  }
}
