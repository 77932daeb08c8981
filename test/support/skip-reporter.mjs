/** Says at the end of a run, where nobody misses it, what was not tested. */
export default class SkipReporter {
  constructor(globalConfig) {
    this.filtered = Boolean(globalConfig.testNamePattern);
  }

  onRunComplete(_contexts, results) {
    // What a name pattern leaves out was left out on purpose.
    if (this.filtered) return;
    const skipped = new Map();
    for (const file of results.testResults) {
      for (const test of file.testResults) {
        if (test.status !== 'pending' && test.status !== 'todo') continue;
        const suite = test.ancestorTitles[0] ?? test.title;
        skipped.set(suite, (skipped.get(suite) ?? 0) + 1);
      }
    }
    if (skipped.size === 0) return;
    const lines = [...skipped].map(([suite, count]) => `  ${count} ${count === 1 ? 'test' : 'tests'}: ${suite}`);
    process.stderr.write(`\n${'!'.repeat(80)}\nSKIPPED, so not tested here:\n${lines.join('\n')}\n${'!'.repeat(80)}\n`);
  }
}
