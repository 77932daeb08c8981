/** What the programs take from the environment: secrets have no place on a command line, which every user can list. */
import type { ZiStoreOptions } from './options.ts';

/** ZISTORE_SECRET: the option `secret`. Unset or empty: none. */
export function environmentOptions(environment: NodeJS.ProcessEnv = process.env): Pick<ZiStoreOptions, 'secret'> {
  const secret = environment.ZISTORE_SECRET;
  return secret === undefined || secret === '' ? {} : { secret };
}
