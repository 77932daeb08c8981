/** The real Random: identifiers from the system's generator, jitter from the engine's. */
import { randomUUID } from 'node:crypto';
import type { Random } from './ports.ts';

export const realRandom: Random = {
  guid: () => randomUUID().replaceAll('-', ''),
  fraction: () => Math.random(),
};
