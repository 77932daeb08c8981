import { realClock } from '../../../src/clock.ts';
import { toAddress } from '../../../src/core/types.ts';
import { realRandom } from '../../../src/random.ts';
import { createMemoryNetwork } from '../../sim/transport-twin.ts';
import { transportConformance } from './suite.ts';

const network = createMemoryNetwork({ clock: realClock, random: realRandom, wire: true });
let ports = 0;
transportConformance('the twin', ({ at, ...options } = {}) =>
  network.transport(at ?? toAddress(`node:${++ports}`), options),
);
