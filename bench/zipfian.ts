/**
 * YCSB's request distributions. Scrambled zipfian as YCSB has it: a zipfian of constant 0.99 over ten thousand million
 * items, whose ranks are hashed onto the records; so it is milder than a plain zipfian over the records themselves.
 */

const THETA = 0.99;
const ITEM_COUNT = 10_000_000_000;
/** The sum over 1 / i^0.99 up to ITEM_COUNT, which would take minutes to compute. */
const ZETA_OF_ITEM_COUNT = 26.46902820178302;
const ALPHA = 1 / (1 - THETA);
const ZETA_OF_TWO = 1 + 0.5 ** THETA;

/** A number in [0, 1). */
export type Uniform = () => number;

/** mulberry32. */
export function seeded(seed: number): Uniform {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function zetaOf(n: number): number {
  let sum = 0;
  for (let i = 1; i <= n; i++) sum += 1 / i ** THETA;
  return sum;
}

/** Ranks from 0, the most frequent first (Gray et al., as YCSB computes it). */
function zipfian(items: number, zeta: number, uniform: Uniform): () => number {
  const eta = (1 - (2 / items) ** (1 - THETA)) / (1 - ZETA_OF_TWO / zeta);
  return () => {
    const u = uniform();
    const uz = u * zeta;
    if (uz < 1) return 0;
    if (uz < ZETA_OF_TWO) return 1;
    return Math.floor(items * (eta * u - eta + 1) ** ALPHA);
  };
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 1099511628211n;
const BITS_64 = (1n << 64n) - 1n;

/** FNV-1 with 64 bits over the eight octets of a number, as a signed number's absolute value. */
export function fnvHash64(value: number): bigint {
  let rest = BigInt(value);
  let hash = FNV_OFFSET;
  for (let i = 0; i < 8; i++) {
    hash ^= rest & 0xffn;
    hash = (hash * FNV_PRIME) & BITS_64;
    rest >>= 8n;
  }
  const signed = BigInt.asIntN(64, hash);
  return signed < 0n ? -signed : signed;
}

export function scrambledZipfian(records: number, uniform: Uniform): () => number {
  const rank = zipfian(ITEM_COUNT, ZETA_OF_ITEM_COUNT, uniform);
  return () => Number(fnvHash64(rank()) % BigInt(records));
}

/** Back from the newest record, for workload D: 0 is the newest. */
export function latestDistance(records: number, uniform: Uniform): () => number {
  return zipfian(records, zetaOf(records), uniform);
}

/** Drawn before a measurement, since drawing takes longer than a read from memory. */
export function drawn(draw: () => number, count: number): Int32Array {
  return Int32Array.from({ length: count }, draw);
}
