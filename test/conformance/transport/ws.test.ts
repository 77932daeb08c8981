import { realClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/logger.ts';
import { realRandom } from '../../../src/random.ts';
import { createWsTransport } from '../../../src/rpc/transport.ts';
import { transportConformance } from './suite.ts';

transportConformance('WebSockets', ({ at, cluster = 'default', secret } = {}) =>
  createWsTransport({
    listen: { host: '127.0.0.1', port: at === undefined ? 0 : Number(at.split(':')[1]) },
    cluster,
    secret,
    logger: silentLogger,
    clock: realClock,
    random: realRandom,
  }),
);
