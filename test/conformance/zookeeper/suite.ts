/**
 * The ZooKeeperClient port against a coordination service. The same cases run against the real ZooKeeper, the embedded
 * coordinator and the in-memory twin; they must agree. (Numbers in brackets: pitfalls of the client library.)
 */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { Fixture } from './fixture.ts';
import { operationCases } from './operation-cases.ts';
import { sessionCases } from './session-cases.ts';
import { transactionCases } from './transaction-cases.ts';
import { watchCases } from './watch-cases.ts';
import type { StartWorld, World } from './world.ts';

export function zooKeeperConformance(start: StartWorld): void {
  let world: World;
  let fixture: Fixture;

  beforeAll(async () => {
    world = await start();
  });
  afterAll(() => world?.stop());
  beforeEach(async () => {
    fixture = new Fixture(world);
    await fixture.setUp();
  });
  afterEach(() => fixture.tearDown());

  operationCases(() => fixture);
  transactionCases(() => fixture);
  watchCases(() => fixture);
  sessionCases(() => fixture);
}
