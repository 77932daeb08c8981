/** Where the programs of the child processes lie: beside this file, compiled or not as it is. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Launch } from './child.ts';

function beside(name: string): string {
  return fileURLToPath(new URL(`./${name}${extname(new URL(import.meta.url).pathname)}`, import.meta.url));
}

export const clientLaunch = (): Launch => ({ entry: beside('client-main') });
export const coordinatorLaunch = (): Launch => ({ entry: beside('coordinator-main') });
export const questionEntry = (): string => beside('question-main');
