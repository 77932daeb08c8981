/** The shell's side of a modal yes/no question on the terminal. */
import { spawn } from 'node:child_process';
import { questionEntry } from './entries.ts';

/** Resolves to false as well when it cannot be asked or is interrupted. The caller has stopped reading the terminal. */
export async function askYesNo(question: string): Promise<boolean> {
  const child = spawn(process.execPath, [...process.execArgv, questionEntry(), question], { stdio: 'inherit' });
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => {
      // Ctrl-C left the cursor behind the question.
      if (code === null) process.stdout.write('\n');
      resolve(code === 0);
    });
  });
}
