/** What the commands share: where their exit code goes, and how wrong options are told from failures. */
import type { Command } from 'commander';
import { readOptions } from '../config.ts';
import { ZiStoreError } from '../errors.ts';
import type { ZiStoreOptions } from '../options.ts';

export interface CommandContext {
  readonly version: string;
  /** 0 done, 1 failed. Wrong usage is commander's to report. */
  exitCode: number;
}

/**
 * What `collect` brings, from flags and environment. Whatever is wrong there, or what the store would refuse, is wrong
 * usage of `command`, reported before anything is started.
 */
export function storeOptions(command: Command, collect: () => ZiStoreOptions): ZiStoreOptions {
  try {
    const options = collect();
    readOptions(options);
    return options;
  } catch (error) {
    if (!(error instanceof ZiStoreError) || error.code !== 'ZISTORE_INVALID_ARGUMENT') throw error;
    command.error(`error: ${error.message} (${error.code})`);
  }
}

/** As a shown failure: one line, no stack. */
export function failureLine(error: unknown): string {
  if (error instanceof ZiStoreError) return `error: ${error.message} (${error.code})`;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return `error: ${error instanceof Error ? error.message : String(error)} (${code ?? 'INTERNAL'})`;
}
