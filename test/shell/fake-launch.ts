import { fileURLToPath } from 'node:url';
import type { ShellOptions } from '../../src/shell/run.ts';

/** The scripted programs, run from their source. */
export function fakeLaunch(): NonNullable<ShellOptions['launch']> {
  const entry = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const execArgv = ['--import', 'tsx'];
  return {
    client: { entry: entry('fake-client'), execArgv },
    coordinator: { entry: entry('fake-coordinator'), execArgv },
  };
}
