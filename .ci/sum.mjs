/** Adds up jest's results (JSON files) into one closing line; fails where a run is missing, failed, skipped or tested nothing. */
import { readFileSync } from 'node:fs';

let bad = false;
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  try {
    const run = JSON.parse(readFileSync(file, 'utf8'));
    sum.passed += run.numPassedTests;
    // A file that cannot even be loaded has no tests to fail.
    sum.failed += run.numFailedTests + run.numRuntimeErrorTestSuites;
    sum.skipped += run.numPendingTests + run.numTodoTests;
    if (!run.success || run.numPassedTests === 0) bad = true;
  } catch (error) {
    console.error(`no results: ${error.message}`);
    bad = true;
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(bad || sum.failed > 0 || sum.skipped > 0 || sum.passed === 0 ? 1 : 0);
