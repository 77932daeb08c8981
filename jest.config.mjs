/** Tests that keep to their own process run side by side; those with servers and nodes of their own one after the other. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
};

const testsIn = (...folders) => folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`);

export default {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  reporters: ['default', '<rootDir>/test/support/skip-reporter.mjs'],
  maxWorkers: 2,
  testTimeout: 120_000,
  projects: [
    { ...common, displayName: 'core', testMatch: testsIn('unit', 'sim') },
    {
      ...common,
      displayName: 'cluster',
      testMatch: testsIn('conformance', 'shell', 'scenarios', 'abuse', 'faults', 'partition'),
      // Sessions here last a second: clusters side by side would take the processor from each other until they end.
      runner: '<rootDir>/test/support/serial-runner.mjs',
    },
  ],
};
