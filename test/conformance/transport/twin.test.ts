import { toAddress } from '../../../src/core/types.ts';
import { createMemoryNetwork } from '../../sim/transport-twin.ts';
import { realClock, testRandom } from './harness.ts';
import { transportConformance } from './suite.ts';

const network = createMemoryNetwork({ clock: realClock, random: testRandom, wire: true });
let ports = 0;
transportConformance('the twin', ({ at, ...options } = {}) =>
  network.transport(at ?? toAddress(`node:${++ports}`), options),
);
