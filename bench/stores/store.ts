/** What every contender can do, as its users would call it. */
export interface Store {
  get(key: string): Promise<string | null | undefined>;
  set(key: string, value: string): Promise<unknown>;
  /** From memory, at once. */
  peek?(key: string): string | undefined;
  /** What the contender says about itself. */
  status?(): unknown;
  close(): Promise<unknown>;
}

export const CONTENDERS = [
  'ZiStore',
  'node-redis',
  'node-redis cache',
  'ioredis',
  'etcd',
  'ZooKeeper',
  'classic-level',
  'lru-cache',
  'Map',
  'net echo',
  'ws echo',
] as const;

export type Contender = (typeof CONTENDERS)[number];

/** How to reach it: JSON, since it travels to another process. */
export interface Target {
  readonly contender: Contender;
  readonly port?: number;
  readonly folder?: string;
  /** For ZiStore. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Bytes of the values that an echo answers a read with. */
  readonly size?: number;
}
