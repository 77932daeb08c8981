import { describe, expect, it } from '@jest/globals';
import { drawn, fnvHash64, latestDistance, scrambledZipfian, seeded } from '../../../bench/zipfian.ts';

function shares(draws: Int32Array): number[] {
  const counts = new Map<number, number>();
  for (const each of draws) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a).map((count) => count / draws.length);
}

describe("YCSB's distributions", () => {
  it('gives the most frequent of 1000 scrambled records 3.9 % of the draws, as YCSB does', () => {
    const draws = drawn(scrambledZipfian(1000, seeded(1)), 200_000);
    expect(shares(draws)[0]).toBeGreaterThan(0.035);
    expect(shares(draws)[0]).toBeLessThan(0.043);
    expect(draws.every((record) => record >= 0 && record < 1000)).toBe(true);
  });

  it('gives the newest of 1000 records the share of a plain zipfian of 0.99, 12.9 %', () => {
    const draws = drawn(latestDistance(1000, seeded(1)), 200_000);
    expect(draws.filter((distance) => distance === 0).length / draws.length).toBeGreaterThan(0.12);
    expect(draws.filter((distance) => distance === 0).length / draws.length).toBeLessThan(0.14);
    expect(draws.every((distance) => distance >= 0 && distance < 1000)).toBe(true);
  });

  it('is the same for the same seed', () => {
    const draw = (seed: number): number[] => [...drawn(scrambledZipfian(100_000, seeded(seed)), 10)];
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('hashes numbers to different, not negative numbers', () => {
    const hashes = Array.from({ length: 1000 }, (_, i) => fnvHash64(i));
    expect(new Set(hashes).size).toBe(1000);
    expect(hashes.every((hash) => hash >= 0n)).toBe(true);
  });
});
