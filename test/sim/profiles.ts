/** Kinds of bad days: what goes wrong how often, on what network, with which limits. */
import type { SeededRandom } from './seeded-random.ts';

export const FAULTS = [
  /** A node and the whole ensemble: nothing gets through for a while, shorter or longer than the session timeout. */
  'zkCut',
  'zkSilence',
  /** A node and the server it is connected to. */
  'zkCutServer',
  'zkReset',
  /** The connection is lost before a request is carried out, or after it and before its answer. */
  'zkLoseRequest',
  'zkLoseReply',
  /** A process stands still, for less or more than its session timeout. */
  'pause',
  'longPause',
  /** Between two nodes. */
  'netCut',
  'netCutOneWay',
  'netReset',
  'netHalfOpen',
  'netSlow',
  /** One node and all others; its way to ZooKeeper stays. */
  'netIsolate',
  /** The process ends; another one begins at the same address or elsewhere. */
  'crash',
  'machineCrash',
  'leave',
  /** Servers of the ensemble. */
  'serverIsolate',
  'leaderServerIsolate',
  'serverCrash',
  'leaderServerCrash',
  'serverLag',
] as const;
export type Fault = (typeof FAULTS)[number];
type Weights = Readonly<Partial<Record<Fault, number>>>;

export interface Profile {
  readonly name: string;
  readonly servers: number;
  readonly nodes: number;
  /** How many of them may lead. */
  readonly candidates: number;
  /** In milliseconds, between nodes. */
  readonly latencyMs: readonly [least: number, most: number];
  /** The part of a step in which a fault happens. */
  readonly faultRate: number;
  readonly faults: Weights;
  /** Of a follower's copies. */
  readonly cacheEntries: number;
  /** Of a leader's data. */
  readonly storeBytes: number;
}

const ZK: Weights = { zkCut: 3, zkSilence: 3, zkCutServer: 3, zkReset: 3, zkLoseRequest: 2, zkLoseReply: 2 };
const NET: Weights = { netCut: 3, netCutOneWay: 4, netReset: 4, netHalfOpen: 4, netSlow: 2, netIsolate: 3 };
const CHURN: Weights = { crash: 4, machineCrash: 2, leave: 4 };
const PAUSES: Weights = { pause: 5, longPause: 4 };
const SERVERS: Weights = {
  serverIsolate: 4,
  leaderServerIsolate: 3,
  serverCrash: 2,
  leaderServerCrash: 2,
  serverLag: 4,
};

const PLAIN: Omit<Profile, 'name' | 'faults'> = {
  servers: 1,
  nodes: 4,
  candidates: 3,
  latencyMs: [0.1, 3],
  faultRate: 0.13,
  cacheEntries: 1000,
  storeBytes: 1 << 20,
};

export const PROFILES: readonly Profile[] = [
  { ...PLAIN, name: 'calm', faultRate: 0.03, faults: { leave: 6, crash: 1, zkReset: 1, netReset: 1 } },
  {
    ...PLAIN,
    name: 'lossy',
    latencyMs: [0.1, 40],
    faultRate: 0.18,
    faults: { ...ZK, zkSilence: 4, netReset: 5, netHalfOpen: 4, netSlow: 3, leave: 1 },
  },
  { ...PLAIN, name: 'pauses', faults: { ...PAUSES, zkReset: 1, netReset: 1 } },
  { ...PLAIN, name: 'partitions', latencyMs: [0.1, 15], faultRate: 0.16, faults: { ...NET, zkCut: 3, zkSilence: 5 } },
  { ...PLAIN, name: 'churn', faults: { ...CHURN, zkReset: 1, zkLoseReply: 2, zkLoseRequest: 1, zkSilence: 2 } },
  { ...PLAIN, name: 'ensemble', servers: 3, faultRate: 0.16, faults: { ...SERVERS, ...ZK, pause: 2, crash: 1 } },
  {
    ...PLAIN,
    name: 'everything',
    servers: 3,
    latencyMs: [0.1, 12],
    faultRate: 0.18,
    faults: { ...ZK, ...NET, ...CHURN, ...PAUSES, ...SERVERS },
  },
];

export function profileNamed(name: string): Profile {
  const profile = PROFILES.find((each) => each.name === name);
  if (profile !== undefined) return profile;
  throw new Error(`--profile: expected one of ${PROFILES.map((each) => each.name).join(', ')}, got ${name}`);
}

/** A seed without a profile has one out of the mixture. */
export const profileOf = (seed: number): Profile => PROFILES[seed % PROFILES.length]!;

/** In some runs memory is scarce. */
export function limitsOf(profile: Profile, random: SeededRandom): Profile {
  const scarceCache = random.chance(0.25);
  const scarceStore = random.chance(0.1);
  return {
    ...profile,
    nodes: profile.nodes + random.below(2),
    cacheEntries: scarceCache ? 2 + random.below(6) : profile.cacheEntries,
    storeBytes: scarceStore ? 600 + random.below(600) : profile.storeBytes,
  };
}
