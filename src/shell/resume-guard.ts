/**
 * A stopped process cannot notice that the shell is gone. So while a client is stopped a tiny process waits on a pipe
 * that only the shell holds open: when the shell goes, even by SIGKILL, it lets the client run again, and the client
 * then finds its channel closed and ends.
 */
import { spawn } from 'node:child_process';

const SCRIPT = 'trap "" INT TERM HUP; read -r word; kill -CONT "$1" 2>/dev/null';

/** Watches over stopped process `pid`. Returns the way to call it off. */
export function guardStopped(pid: number): () => void {
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'zistore-resume-guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {}); // without a shell on this system there is no guard, and nothing else is lost
  guard.stdin?.on('error', () => {});
  guard.unref();
  return () => {
    guard.kill('SIGKILL');
    guard.stdin?.destroy();
  };
}
