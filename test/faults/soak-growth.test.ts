/** Whether a soak run would see a leak, and would not see one where there is none. */
import { describe, expect, it } from '@jest/globals';
import { growthOf } from './soak-growth.ts';

const MIB = 1024 * 1024;
const HOUR = Array.from({ length: 360 }, (_unused, i) => i);

const series = (metric: string, value: (i: number) => number) => ({
  metric,
  of: 'node 0',
  points: HOUR.map((i) => ({ at: i * 10, value: value(i) })),
});

describe('growth of what a soak run samples', () => {
  it('is seen where memory is taken and never given back', () => {
    expect(growthOf(series('rss', (i) => (100 + i * 0.3) * MIB)).grown).toBe(true);
  });

  it('is seen under the saw-tooth of garbage collection', () => {
    const tooth = (i: number): number => (i % 20) * MIB;
    expect(growthOf(series('heapUsed', (i) => 30 * MIB + tooth(i))).grown).toBe(false);
    expect(growthOf(series('heapUsed', (i) => (30 + i * 0.08) * MIB + tooth(i))).grown).toBe(true);
  });

  it('is not what happens during the warm-up', () => {
    expect(growthOf(series('rss', (i) => (i < 70 ? 60 + i : 130) * MIB)).grown).toBe(false);
  });

  it('is not a burst, nor a value that is high all the time', () => {
    expect(growthOf(series('inFlight', (i) => (i % 30 === 0 ? 250 : 3))).grown).toBe(false);
    expect(growthOf(series('directory', () => 5000)).grown).toBe(false);
  });

  it('is seen in locks, connections and keys that nobody frees', () => {
    expect(growthOf(series('locks', (i) => i / 10)).grown).toBe(true);
    expect(growthOf(series('handles', (i) => 20 + i / 20)).grown).toBe(true);
    expect(growthOf(series('directory', (i) => 500 + i)).grown).toBe(true);
  });

  it('is not that a node has come to lead', () => {
    expect(growthOf(series('handles', (i) => (i < 200 ? 12 : 20))).grown).toBe(false);
    expect(growthOf(series('handles', (i) => (i < 200 ? 12 : 27))).grown).toBe(true);
  });

  it('cannot be told from a few samples', () => {
    const { metric, of, points } = series('rss', () => 1);
    expect(() => growthOf({ metric, of, points: points.slice(0, 12) })).toThrow(/too few/);
  });
});
