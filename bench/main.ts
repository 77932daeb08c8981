/** `npm run bench`: runs the cases, writes the report, prints how the goals stand. */
import { join, resolve } from 'node:path';
import { CommanderError } from 'commander';
import { fourLetterWord } from '../test/support/zookeeper-process.ts';
import type { Program } from './agent-process.ts';
import { CASES } from './cases/all.ts';
import type { Case } from './cases/case.ts';
import { Context, isWanted, Servers } from './context.ts';
import { describeMachine } from './machine.ts';
import type { CaseResult, Figure, Run } from './model.ts';
import { type Options, readOptions } from './options.ts';
import { Progress } from './progress.ts';
import { publish } from './report/readme.ts';
import { goalTable, summaryOf, summaryOfFigure } from './report/terminal.ts';
import { writeReport } from './report/write.ts';
import { isInstalled, PACKAGES } from './servers.ts';

export async function main(args: readonly string[], { root, agent }: Program): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args, join(root, 'bench', 'results'));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  const cases = CASES.filter((each) => isChosen(each, options));
  if (options.list) {
    for (const { name, covers = [] } of cases) process.stdout.write(`${[name, ...covers].join(' ')}\n`);
    return 0;
  }
  if (!isInstalled('zookeeper')) {
    process.stderr.write(`error: ZiStore itself needs a ZooKeeper. ${PACKAGES.zookeeper}\n`);
    return 1;
  }
  const profiles = options.profiles === undefined ? undefined : resolve(options.profiles);
  const run = await runAll(cases, options, { root, agent, profiles });
  await writeReport(run, resolve(options.out));
  if (options.publish) await publish(run, join(root, 'README.md'));
  const goals = goalTable(run.cases);
  process.stdout.write(`\n${goals === '' ? '' : `${goals}\n\n`}Report: ${join(resolve(options.out), 'README.md')}\n`);
  return run.failed.length === 0 ? 0 : 1;
}

function isChosen({ name, covers = [], quick, full }: Case, { effort }: Options): boolean {
  if (effort.only.length > 0) return isWanted(effort.only, name, ...covers);
  return effort.quick ? quick === true : full !== true || effort.full;
}

async function runAll(cases: readonly Case[], { effort }: Options, program: Program): Promise<Run> {
  const servers = new Servers();
  const progress = new Progress(process.stdout, cases.length);
  const results: CaseResult[] = [];
  const figures: Figure[] = [];
  const failed: { name: string; reason: string }[] = [];
  const interrupted = (signal: NodeJS.Signals): void => {
    progress.stop();
    // Processes end with this one; what has to be removed are the servers' files.
    void servers.stop().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const { port } = await servers.get('zookeeper');
    const machine = describeMachine(program.root, await fourLetterWord(port, 'srvr'));
    for (const each of cases) {
      progress.begin(each.name);
      const context = new Context(each.name, effort, progress, servers, program);
      try {
        const outcome = await each.run(context);
        results.push(...outcome);
        figures.push(...context.figures);
        const lines = [...outcome.map(summaryOf), ...context.figures.map(summaryOfFigure)];
        progress.end(lines.join('\n        '));
      } catch (error) {
        const reason = String((error as Error)?.stack ?? error);
        failed.push({ name: each.name, reason });
        results.push(...context.results);
        progress.end(`${each.name} did not end: ${reason}`);
      } finally {
        await context.close();
      }
    }
    const mode = effort.quick ? 'quick' : effort.full ? 'full' : 'normal';
    return { machine, mode, seconds: progress.seconds, cases: results, figures, failed };
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    progress.stop();
    await servers.stop();
  }
}
