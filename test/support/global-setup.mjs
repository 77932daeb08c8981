/** Starts the ZooKeeper that the test files of a run share. Plain JavaScript: jest loads it before any transform. */
import { tsImport } from 'tsx/esm/api';

export default async function setUp() {
  const { startShared } = await tsImport('./zookeeper.ts', import.meta.url);
  globalThis.__zistoreSharedZooKeeper = await startShared();
}
